import type { Io } from '../../src/cli/io.ts';
import { main } from '../../src/cli/main.ts';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Options = Partial<Pick<Io, 'isTerminal' | 'signal' | 'overrides'>> & {
  /** Sees all that is printed so far, whenever something is. */
  readonly onPrint?: (stdout: string) => void;
};

/** Runs one of the operators' commands in this process. */
export async function cli(
  env: Io['env'],
  argv: readonly string[],
  { onPrint, ...options }: Options = {},
): Promise<Outcome> {
  const printed = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => ({
    write(text: string) {
      printed[name] += text;
      onPrint?.(printed.stdout);
    },
  });
  const io = { env, stdout: sink('stdout'), stderr: sink('stderr'), isTerminal: false, ...options };
  return { code: await main(argv, io), ...printed };
}

/** The same with --json; the answer has to be one document. */
export async function cliJson<T>(
  env: Io['env'],
  argv: readonly string[],
  options?: Options,
): Promise<Outcome & { readonly body: T }> {
  const outcome = await cli(env, [...argv, '--json'], options);
  return { ...outcome, body: JSON.parse(outcome.stdout) as T }; // what the test says it is
}
