import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { digits } from './statistics.ts';

/** One line of the table. */
export interface Line {
  /** Of the service, with its spread. */
  readonly what: string;
  readonly figure: string;
  /** Measured in the same run; null: there is nothing to compare with but a count or a limit. */
  readonly reference: string | null;
  readonly ratio: number | null;
  readonly target: string | null;
  /** Null: nothing is promised, or it could not be measured: the figure says why. */
  readonly isReached: boolean | null;
}

export interface Report {
  readonly lines: readonly Line[];
  /** What a reader has to know to believe it, such as what the load generator cost. */
  readonly notes: readonly string[];
  /** What is not as it must be, whatever the speed. */
  readonly wrong: readonly string[];
  /** Everything that was measured. */
  readonly samples: unknown;
}

export interface Result extends Report {
  readonly name: string;
  readonly question: string;
  readonly date: string;
  readonly isSmall: boolean;
  readonly sizes: Readonly<Record<string, number>>;
  readonly machine: Readonly<Record<string, unknown>>;
}

const DIRECTORY = fileURLToPath(new URL('../../../bench-results/', import.meta.url));

export function machine(): Readonly<Record<string, unknown>> {
  const [first] = cpus();
  return {
    cores: cpus().length,
    processor: first?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
  };
}

export function save(result: Result): void {
  mkdirSync(DIRECTORY, { recursive: true });
  writeFileSync(`${DIRECTORY}${result.name}.json`, `${JSON.stringify(result, null, 2)}\n`);
}

/** For what cannot be measured here. */
export function notRun(what: string, target: string, why: string): Line {
  return { what, figure: `not run: ${why}`, reference: null, ratio: null, target, isReached: null };
}

/** @returns null when it has not been measured yet */
export function saved(name: string): Result | null {
  try {
    return JSON.parse(readFileSync(`${DIRECTORY}${name}.json`, 'utf8')) as Result; // what `save` wrote
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function verdict({ target, isReached }: Line): string {
  if (target === null) return '';
  if (isReached === null) return `target ${target}: not measured`;
  return `target ${target}: ${isReached ? 'reached' : 'NOT REACHED'}`;
}

export function text({ name, question, lines, notes, wrong }: Result): string {
  const shownLines = lines.map((line) =>
    [
      `  ${line.what}: ${line.figure}`,
      line.reference === null ? '' : `reference ${line.reference}`,
      line.ratio === null ? '' : `ratio ${digits(line.ratio)}`,
      verdict(line),
    ]
      .filter((part) => part !== '')
      .join('; '),
  );
  return [
    `${name}: ${question}`,
    ...shownLines,
    ...notes.map((note) => `  (${note})`),
    ...wrong.map((fault) => `  WRONG: ${fault}`),
    '',
  ].join('\n');
}

const COLUMNS = 7;
const HEAD =
  '| question | measured | figure | reference | ratio | target | |\n| --- | --- | --- | --- | --- | --- | --- |';

/** @param results null: not measured yet */
export function markdown(results: readonly { name: string; result: Result | null }[]): string {
  const rows = results.flatMap(({ name, result }) =>
    result === null
      ? [row([name, 'not measured'])]
      : result.lines.map((line, index) => rowOf(result, line, index)),
  );
  return `${[HEAD, ...rows].join('\n')}\n`;
}

function rowOf({ name, isSmall }: Result, line: Line, index: number): string {
  const { what, figure, reference, ratio, target, isReached } = line;
  const title = isSmall ? `${name} (small)` : name;
  const verdict = isReached ? 'reached' : '**not reached**';
  return row([
    index === 0 ? title : '',
    what,
    figure,
    reference ?? '–',
    ratio === null ? '–' : digits(ratio),
    target ?? '–',
    isReached === null ? '–' : verdict,
  ]);
}

function row(cells: readonly string[]): string {
  return `| ${cells.concat(Array.from({ length: COLUMNS - cells.length }, () => '')).join(' | ')} |`;
}
