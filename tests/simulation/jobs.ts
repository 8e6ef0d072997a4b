import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Told } from './tell.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/** Runs this program once more, and hears what it tells. @returns its exit code */
export function runJob(args: readonly string[], hear: (told: Told) => void): Promise<number> {
  const child = spawn(process.execPath, [MAIN, '--job', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).on('line', (line) => hear(JSON.parse(line)));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** Shares seeds out among processes. @returns whether all have come to their end */
export async function runJobs(
  { from, seeds, jobs }: { readonly from: number; readonly seeds: number; readonly jobs: number },
  args: readonly string[],
  hear: (told: Told) => void,
): Promise<boolean> {
  const share = Math.ceil(seeds / jobs);
  const codes = await Promise.all(
    Array.from({ length: jobs }, (_, job) => {
      const first = from + job * share;
      const count = Math.min(share, from + seeds - first);
      return count <= 0 ? 0 : runJob(['--from', String(first), '--seeds', String(count), ...args], hear);
    }),
  );
  return codes.every((code) => code === 0);
}
