import { freePort } from '../../support/service.ts';
import { MeasuredProcess } from './measured-process.ts';

export interface Reference extends AsyncDisposable {
  readonly process: MeasuredProcess;
  readonly port: number;
}

/** A bare server of `references/` in a process of its own. Its first argument is its port. */
export async function startReference(
  file: string,
  args: readonly string[] = [],
  lookEveryMs?: number,
): Promise<Reference> {
  const port = await freePort();
  const process = new MeasuredProcess({
    script: new URL(`../references/${file}`, import.meta.url),
    args: [String(port), ...args],
  });
  await process.answers(`http://127.0.0.1:${port}/health/ready`, lookEveryMs);
  return { process, port, [Symbol.asyncDispose]: () => process.stop() };
}

/** Runs a program of `references/` to its end. @returns what it printed */
export async function runReference<T>(file: string, args: readonly string[]): Promise<T> {
  const script = new URL(`../references/${file}`, import.meta.url);
  const program = new MeasuredProcess({ script, args });
  const code = await program.exited;
  if (code !== 0) throw new Error(`${file} has ended with ${code}: ${program.errors}`);
  return JSON.parse(program.output) as T; // what its script says
}
