import type { Simulation } from '../simulation.ts';
import { contactProblems } from './contacts.ts';
import { feedProblems } from './feed.ts';
import { mirrorProblems } from './mirror.ts';
import { orderProblems } from './order.ts';
import { quietProblems, trafficProblems } from './traffic.ts';
import { writeProblems } from './writes.ts';

const HOUR_MS = 3_600_000;

/** Ends the noise, waits for quiet, and looks at everything. @returns what is wrong, a sentence each */
export async function problemsOf(simulation: Simulation): Promise<string[]> {
  simulation.endNoise();
  const trouble = await settle(simulation);
  if (trouble !== null) return [trouble];
  return [
    ...mirrorProblems(simulation),
    ...writeProblems(simulation),
    ...orderProblems(simulation),
    ...trafficProblems(simulation),
    ...(await contactProblems(simulation)),
    ...(await feedProblems(simulation)),
    ...(await quietProblems(simulation)),
  ];
}

/** Deliveries drained, all work done, and one full sync of everything. @returns what keeps it from being so */
async function settle(simulation: Simulation): Promise<string | null> {
  const isQuiet = () => simulation.unfinished.length === 0;
  const left = () => `there is no end of it: ${simulation.unfinished.join(', ')}`;
  if (!(await simulation.until(isQuiet, 6 * HOUR_MS))) return left();
  const run = await simulation.ask('POST', '/v1/sync/all?wait=true');
  const status = run?.status === 200 ? JSON.parse(run.body).data.status : null;
  if (status !== 'succeeded') return `the last full sync was answered ${run?.status}: ${run?.body}`;
  return (await simulation.until(isQuiet, HOUR_MS)) ? null : left();
}
