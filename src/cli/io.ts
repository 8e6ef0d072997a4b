import type { Overrides } from '../app.ts';

/** What a command sees of the world; a process's own, or a test's. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Answers, plain text or one JSON document. */
  readonly stdout: { write(text: string): unknown };
  /** What went wrong. */
  readonly stderr: { write(text: string): unknown };
  /** Whether a person looks on, so that a line may move. */
  readonly isTerminal: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal?: AbortSignal;
  readonly overrides?: Overrides;
}

/** What a command refuses to do, in words for the operator. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly mend: string | null;

  constructor(message: string, mend: string | null = null) {
    super(message);
    this.mend = mend;
  }
}

const COUNT = new Intl.NumberFormat('en');

/** Digits in groups: 2,000. */
export function count(value: number): string {
  return COUNT.format(value);
}

/** Two units at most: `45 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

/** Columns as wide as their widest cell; the last one is left as it is. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}
