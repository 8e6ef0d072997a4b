/**
 * `npm run bench [-- <name …> [--small] [options]]`: all, or some. `--markdown` prints what was measured last as the rows
 * of a table. Exit code 1 when what a benchmark looks at is wrong; one that is too slow is told, and is no error.
 */
import { teardown } from '../support/engines.ts';
import { ack } from './ack.ts';
import { cachedRead } from './cached-read.ts';
import { changes } from './changes.ts';
import { drain } from './drain.ts';
import { fullSync } from './full-sync.ts';
import { idle } from './idle.ts';
import { memory } from './memory.ts';
import { reads } from './reads.ts';
import { scaleOut } from './scale-out.ts';
import { start } from './start.ts';
import { type AnyBench, type Chosen, contextOf, readOptions } from './support/bench.ts';
import { machine, markdown, type Result, save, saved, text } from './support/report.ts';
import { writes } from './writes.ts';

/** In the order of the table. */
const BENCHES: readonly AnyBench[] = [
  ack,
  reads,
  drain,
  fullSync,
  memory,
  writes,
  cachedRead,
  idle,
  start,
  scaleOut,
  changes,
];

async function measure(chosen: Chosen, bench: AnyBench): Promise<Result> {
  const context = await contextOf(chosen, bench);
  const report = await bench.run(context);
  return {
    name: bench.name,
    question: bench.question,
    date: new Date().toISOString(),
    isSmall: chosen.isSmall,
    sizes: context.sizes,
    machine: machine(),
    ...report,
  };
}

/** @returns whether all was as it must be */
async function measureAll(chosen: Chosen): Promise<boolean> {
  const results: { name: string; result: Result }[] = [];
  const failed: string[] = [];
  for (const bench of BENCHES.filter(({ name }) => chosen.names.includes(name))) {
    try {
      const result = await measure(chosen, bench);
      save(result);
      process.stdout.write(text(result));
      results.push({ name: bench.name, result });
    } catch (error) {
      // The others are measured all the same.
      failed.push(bench.name);
      process.stderr.write(
        `${bench.name} has failed: ${error instanceof Error ? error.stack : String(error)}\n`,
      );
    }
  }
  if (results.length > 1) process.stdout.write(`\n${markdown(results)}`);
  return failed.length === 0 && results.every(({ result }) => result.wrong.length === 0);
}

try {
  const chosen = readOptions(process.argv.slice(2), BENCHES);
  if (chosen.isMarkdown) {
    process.stdout.write(markdown(chosen.names.map((name) => ({ name, result: saved(name) }))));
  } else if (!(await measureAll(chosen))) {
    process.exitCode = 1;
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await teardown();
}
