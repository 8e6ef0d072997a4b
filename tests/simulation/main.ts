import './globals.ts';
import { runJobs } from './jobs.ts';
import { printMutants } from './mutants-table.ts';
import { findMutant, plant } from './mutate.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { Report } from './report.ts';
import type { Told } from './tell.ts';

const print = (line: string) => process.stdout.write(`${line}\n`);

/** @returns the exit code */
async function main(options: Options): Promise<number> {
  if (options.help) {
    print(USAGE);
    return 0;
  }
  if (options.mutants) return printMutants(options, print);
  if (options.job) {
    await playHere(options, (told) => print(JSON.stringify(told)));
    return 0;
  }
  const report = new Report(print);
  const isOne = options.seed !== null || options.named || options.untilFound || options.jobs < 2;
  const ended = isOne
    ? await playHere(options, (told) => report.hear(told))
    : await runJobs(
        options,
        [...option('--steps', options.steps), ...option('--mutant', options.mutant)],
        (told) => report.hear(told),
      );
  if (!ended) print('A process has ended before its seeds were played.');
  return ended ? report.end() : 1;
}

function option(name: string, value: string | number | null): string[] {
  return value === null ? [] : [name, String(value)];
}

/** What is simulated is loaded after the globals have been replaced, and the bug been planted. */
async function playHere(options: Options, tell: (told: Told) => void): Promise<true> {
  if (options.mutant !== null) plant(findMutant(options.mutant));
  const { playSeeds } = await import('./play.ts');
  await playSeeds(options, tell);
  return true;
}

let code = 1;
try {
  code = await main(readOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}
// What the last lives of the service have left waiting is of no interest.
process.exit(code);
