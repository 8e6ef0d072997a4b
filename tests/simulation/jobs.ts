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

/** What is left of a life that was killed stays in memory: a process plays no more seeds than these. */
const SEEDS_PER_PROCESS = 100;

/** Shares seeds out among processes. @returns whether all have come to their end */
export async function runJobs(
  { from, seeds, jobs }: { readonly from: number; readonly seeds: number; readonly jobs: number },
  args: readonly string[],
  hear: (told: Told) => void,
): Promise<boolean> {
  let next = from;
  let ended = true;
  const work = async () => {
    while (next < from + seeds && ended) {
      const first = next;
      next = Math.min(first + SEEDS_PER_PROCESS, from + seeds);
      const code = await runJob(['--from', String(first), '--seeds', String(next - first), ...args], hear);
      ended = ended && code === 0;
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return ended;
}
