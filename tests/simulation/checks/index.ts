import type { Simulation } from '../simulation.ts';
import { contactProblems } from './contacts.ts';
import { feedProblems } from './feed.ts';
import { mirrorProblems, pagedProblems, unsyncedProblems } from './mirror.ts';
import { orderProblems } from './order.ts';
import { removalProblems } from './removal.ts';
import { quietProblems, trafficProblems } from './traffic.ts';
import { writeProblems } from './writes.ts';

const HOUR_MS = 3_600_000;

/** Ends the noise, waits for quiet, and looks at everything. @returns what is wrong, a sentence each */
export async function problemsOf(simulation: Simulation): Promise<string[]> {
  simulation.endNoise();
  if (!(await isQuietAgain(simulation))) return [leftOf(simulation)];
  const unsynced = [...pagedProblems(simulation), ...unsyncedProblems(simulation)];
  const trouble = await syncAll(simulation);
  if (trouble !== null) return [trouble];
  return [
    ...unsynced,
    ...mirrorProblems(simulation),
    ...writeProblems(simulation),
    ...orderProblems(simulation),
    ...removalProblems(simulation),
    ...trafficProblems(simulation),
    ...(await contactProblems(simulation)),
    ...(await feedProblems(simulation)),
    ...(await quietProblems(simulation)),
  ];
}

function isQuietAgain(simulation: Simulation): Promise<boolean> {
  return simulation.until(() => simulation.unfinished.length === 0, 6 * HOUR_MS);
}

function leftOf(simulation: Simulation): string {
  return `there is no end of it: ${simulation.unfinished.join(', ')}`;
}

/** One full sync of everything. @returns what keeps it from being done */
async function syncAll(simulation: Simulation): Promise<string | null> {
  const run = await simulation.ask('POST', '/v1/sync/all?wait=true');
  const status = run?.status === 200 ? JSON.parse(run.body).data.status : null;
  if (status !== 'succeeded') return `the last full sync was answered ${run?.status}: ${run?.body}`;
  return (await isQuietAgain(simulation)) ? null : leftOf(simulation);
}
