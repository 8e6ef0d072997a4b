/**
 * Does a follower of the change feed ever miss anything? Ten follow while four write, each with connections of its own;
 * each follower's fold of the feed has to be what the table has. Reference: one follower alone, on the feed at rest.
 */
import { parseArgs } from 'node:util';
import { type Engine, freshDatabase, teardown, whyNoPostgres } from '../support/engines.ts';
import { follow } from '../support/followers.ts';

/** @param argv `[--changes 100000] [--writers 4] [--followers 10] [--seed 1] [--engine sqlite|postgres]` */
export async function benchChanges(argv: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      changes: { type: 'string', default: '100000' },
      writers: { type: 'string', default: '4' },
      followers: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      engine: { type: 'string' },
    },
  });
  const options = {
    changes: Number(values.changes),
    writers: Number(values.writers),
    followers: Number(values.followers),
    seed: Number(values.seed),
  };
  let isRight = true;
  for (const engine of await enginesOf(values.engine)) {
    await using database = await freshDatabase(engine);
    isRight = (await report(engine, database.url, options)) && isRight;
  }
  await teardown();
  return isRight;
}

async function enginesOf(named: string | undefined): Promise<Engine[]> {
  if (named === 'sqlite' || named === 'postgres') return [named];
  if (named !== undefined) throw new Error(`--engine ${named} is neither sqlite nor postgres`);
  const without = await whyNoPostgres();
  if (without === null) return ['sqlite', 'postgres'];
  process.stdout.write(`Without PostgreSQL: ${without}.\n`);
  return ['sqlite'];
}

async function report(engine: Engine, url: string, options: Parameters<typeof follow>[1]): Promise<boolean> {
  const found = await follow(url, options);
  const { changes, aborted, holes, faults, writeSeconds, followSeconds, aloneSeconds } = found;
  const alone = changes / aloneSeconds;
  const together = (changes * options.followers) / followSeconds;
  process.stdout.write(
    `${[
      `${engine}: ${changes} changes by ${options.writers} writers in ${writeSeconds.toFixed(1)} s (${Math.round(changes / writeSeconds)}/s)`,
      `  ${aborted} transactions rolled back, ${holes} holes in the numbers`,
      `  ${options.followers} followers meanwhile: ${Math.round(together)} changes/s in all; one alone at rest: ${Math.round(alone)}/s; ratio ${(together / alone).toFixed(2)}`,
      faults.length === 0 ? "  each follower's fold equals the table" : `  WRONG: ${faults.join('; ')}`,
    ].join('\n')}\n`,
  );
  return faults.length === 0;
}
