import { runJob } from './jobs.ts';
import { MUTANTS, type Mutant } from './mutants.ts';
import type { Options } from './options.ts';

/** Each bug must be found by then. */
const MOST_SEEDS = 500;

interface Found {
  /** How many seeds it took; null: more than there are. */
  readonly seeds: number | null;
  readonly problem: string;
}

/** Plants each bug and prints how many seeds it takes to be found. @returns the exit code */
export async function printMutants(
  { jobs, mutant: one }: Options,
  print: (line: string) => void,
): Promise<number> {
  const chosen = MUTANTS.filter(({ name }) => one === null || name === one);
  const queue = chosen.values();
  let missed = 0;
  print('| bug | file | seeds to find | first sign |');
  print('| --- | --- | --- | --- |');
  const work = async () => {
    for (const mutant of queue) {
      const { seeds, problem } = await seek(mutant);
      if (seeds === null) missed += 1;
      const shown = seeds ?? `not within ${MOST_SEEDS}`;
      print(`| ${mutant.what} | \`${mutant.file}\` | ${shown} | ${problem} |`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  print(`${chosen.length - missed} of ${chosen.length} planted bugs were found.`);
  return missed === 0 ? 0 : 1;
}

async function seek(mutant: Mutant): Promise<Found> {
  let seeds: number | null = null;
  let problem = '';
  const args = ['--mutant', mutant.name, '--seeds', String(MOST_SEEDS), '--until-found'];
  const code = await runJob(args, (told) => {
    if (told.problems.length === 0) return;
    seeds ??= told.seed;
    problem ||= shorten(told.problems[0] ?? '');
  });
  if (code !== 0) throw new Error(`${mutant.name}: its process has failed`);
  return { seeds, problem };
}

function shorten(problem: string): string {
  return problem
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…')
    .replaceAll('|', '/')
    .slice(0, 90);
}
