import { parseArgs } from 'node:util';
import { CommandError, type Io } from './io.ts';

export interface Option {
  readonly type: 'boolean' | 'string';
  /** What stands for the value in the help, such as `<file>`. */
  readonly value?: string;
  readonly help: string;
}

/** What was asked for. */
export interface Call {
  readonly io: Io;
  /** Answer with one JSON document. */
  readonly json: boolean;
  readonly args: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
  /** A line of the answer. */
  say(line: string): void;
  /** The answer for machines. */
  answer(document: unknown): void;
}

export interface Command {
  /** Such as `webhooks delete <id>`: words, then what must be given in <> and what may in []. */
  readonly usage: string;
  readonly summary: string;
  /** More, for --help. */
  readonly details?: string;
  readonly options?: Readonly<Record<string, Option>>;
  /** @returns the exit code @throws CommandError and what the services throw */
  run(call: Call): Promise<0 | 1>;
}

const COMMON: Readonly<Record<string, Option>> = {
  json: { type: 'boolean', help: 'one JSON document, for machines' },
  help: { type: 'boolean', help: 'this text' },
};

/** The words that a command is called by. */
export function nameOf(command: Command): string {
  return command.usage.replace(/\s*[<[].*$/s, '');
}

/**
 * @param argv what follows the command's own words
 * @returns null when --help was asked for
 * @throws CommandError saying what is wrong with the arguments
 */
export function readCall(command: Command, argv: readonly string[], io: Io): Call | null {
  const { values, positionals } = parse(command, argv);
  if (values['help'] === true) return null;
  const [least, most] = argumentsOf(command);
  if (positionals.length < least || positionals.length > most) {
    throw usageError(
      command,
      positionals.length < least ? 'An argument is missing.' : 'That is one argument too many.',
    );
  }
  return {
    io,
    json: values['json'] === true,
    args: positionals,
    flag: (name) => values[name] === true,
    text(name) {
      const value = values[name];
      return typeof value === 'string' ? value : undefined;
    },
    say: (line) => io.stdout.write(`${line}\n`),
    answer: (document) => io.stdout.write(`${JSON.stringify(document, null, 2)}\n`),
  };
}

function parse(command: Command, argv: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries({ ...command.options, ...COMMON }).map(([name, { type }]) => [name, { type }]),
  );
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw usageError(command, error instanceof Error ? error.message : String(error));
  }
}

export function usageError(command: Command, problem: string): CommandError {
  return new CommandError(problem, `Usage: npm run cli -- ${command.usage}`);
}

/** How many arguments a command takes, by its usage: at least, at most. */
function argumentsOf({ usage }: Command): [number, number] {
  const least = [...usage.matchAll(/(?<!\[[^\]]*)<[^>]+>/g)].length;
  return [least, least + [...usage.matchAll(/\[<[^>]+>\]/g)].length];
}

export function helpOf(command: Command): string {
  const options = Object.entries({ ...command.options, ...COMMON });
  const left = options.map(([name, { value }]) => `--${name}${value === undefined ? '' : ` ${value}`}`);
  const width = Math.max(...left.map((text) => text.length));
  const lines = options.map(([, { help }], index) => `  ${(left[index] ?? '').padEnd(width)}  ${help}`);
  const details = command.details === undefined ? '' : `\n${command.details}\n`;
  return `npm run cli -- ${command.usage}\n\n${command.summary}\n${details}\n${lines.join('\n')}\n`;
}
