import type { Simulation } from '../simulation.ts';

const QUIET_MS = 15 * 60_000;
/** Right after a start nobody knows what the life before has sent within the same second. */
const isRead = (method: string, path: string) => method === 'GET' || path.endsWith('/query');

/** No limit of Attio's was met, and requests are in proportion to what was done. */
export function trafficProblems({ sandbox, history, plan }: Simulation): string[] {
  const { requests } = sandbox.requests();
  const refused = requests.filter(({ status, fault }) => status === 429 && fault === null).length;
  const writes = history.sent.filter(({ method, path }) => !isRead(method, path)).length;
  const reads = history.sent.length - writes;
  const events = sandbox.deliveries().length;
  const asked = history.asked.length;
  const allowed = { writes: 20 + 6 * asked, reads: 250 + 4 * events + 12 * asked + 4 * plan.steps.length };
  return [
    ...(refused > 0 ? [`Attio's limit was met ${refused} times`] : []),
    ...(writes > allowed.writes ? [`${writes} writes for ${asked} requests`] : []),
    ...(reads > allowed.reads ? [`${reads} reads for ${asked} requests and ${events} events`] : []),
  ];
}

/** When nobody does anything, nothing is written to Attio. */
export async function quietProblems(simulation: Simulation): Promise<string[]> {
  const { sent } = simulation.history;
  const before = sent.length;
  await simulation.pass(QUIET_MS);
  const writes = sent.slice(before).filter(({ method, path }) => !isRead(method, path));
  return writes.length === 0 ? [] : [`${writes.length} writes in a quiet quarter of an hour`];
}
