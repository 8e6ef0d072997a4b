import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { MUTANTS } from './mutants.ts';
import { mutated } from './mutate.ts';
import { NAMED_SEEDS } from './named-seeds.ts';
import type { Told } from './tell.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** The simulation takes its process's clock and timers away, so it has a process of its own. */
function simulate(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, output }));
  });
}

async function traces(...args: string[]): Promise<Map<number, string>> {
  const { output } = await simulate('--job', ...args);
  const told = output
    .trim()
    .split('\n')
    .map((line): Told => JSON.parse(line));
  return new Map(told.map(({ seed, trace }) => [seed, trace]));
}

describe('the simulation', () => {
  test('plays 25 seeds, and nothing is wrong', async () => {
    const { code, output } = await simulate('--seeds', '25', '--jobs', '1');
    expect([code, output]).toEqual([0, expect.stringContaining('25 played (seeds 1 to 25): all clean')]);
  }, 300_000);

  test('plays the seeds that have found something once', async () => {
    const { code, output } = await simulate('--named');
    expect([code, output]).toEqual([0, expect.stringContaining(`${NAMED_SEEDS.length} played`)]);
  }, 300_000);

  test('does the same again for the same seed, whatever was played before it', async () => {
    const [first, again] = [await traces('--seed', '9'), await traces('--from', '7', '--seeds', '3')];
    expect(first.get(9)).toMatch(/^[0-9a-f]{64}$/);
    expect(again.get(9)).toBe(first.get(9));
    expect(new Set(again.values()).size).toBe(3);
  }, 300_000);

  test('sees a bug that is planted, makes the story of it small, and says how to play it again', async () => {
    const bug = ['--mutant', 'repeat-without-look', '--seeds', '500', '--until-found'];
    const { code, output } = await simulate(...bug);
    expect([code, output]).toEqual([1, expect.stringMatching(/was made \d times in Attio/)]);
    const command = /npm run simulate -- (.*)/.exec(output)?.[1] ?? '';
    expect(command).toMatch(/^--mutant repeat-without-look --seed \d+ --only \d+(,\d+)*/);
    const again = await simulate(...command.split(' '));
    expect([again.code, again.output]).toEqual([1, expect.stringMatching(/was made \d times in Attio/)]);
  }, 300_000);

  test.each([
    [['--seed', 'x'], '--seed must be a whole number, not "x"'],
    [['--plain', 'everything'], '--plain knows skew, slow-database, long-ways, not "everything"'],
    [['--mutant', 'none'], '--mutant knows '],
    [['--sede', '1'], "Unknown option '--sede'"],
  ])('says what is wrong with %j', async (args, words) => {
    const { code, output } = await simulate(...args);
    expect([code, output]).toEqual([1, expect.stringContaining(words)]);
  });
});

test.each(MUTANTS)('$name changes one place of $file', (mutant) => {
  expect(mutated(mutant)).toContain(mutant.put);
});
