import type { Asked } from '../history.ts';
import type { Simulation } from '../simulation.ts';

/** Where the values of writes may be found when they are not in Attio. */
interface Traces {
  /** Conflict rows, by what was asked for. */
  readonly conflicts: readonly string[];
  readonly dead: readonly string[];
  /** Of things that were removed here, or of batches with such. */
  readonly cancelled: readonly string[];
}

function tracesOf({ stored }: Simulation): Traces {
  const texts = (sql: string) => stored.all<{ text: string }>(sql).map(({ text }) => text);
  return {
    conflicts: texts('select local_json as text from conflict'),
    dead: texts(`select intent_json as text from outbox where status = 'dead'`),
    cancelled: texts(`select coalesce(batch_id, entity_id) as text from outbox where status = 'cancelled'`),
  };
}

/** A write that was accepted is in Attio, once, or somewhere where people can see what has become of it. */
export function writeProblems(simulation: Simulation): string[] {
  const traces = tracesOf(simulation);
  return [
    ...simulation.history.asked.flatMap((asked) => problemsOf(simulation, traces, asked)),
    ...duplicateEntries(simulation),
    ...duplicateBatches(simulation),
  ];
}

function problemsOf(simulation: Simulation, traces: Traces, asked: Asked): string[] {
  const { kind, wanted } = asked;
  const { history } = simulation;
  const values = Object.values(wanted).filter((value) => value !== null);
  const isMade = kind === 'notes' || kind === 'tasks';
  return values.flatMap((value) => {
    const arrivals = history.changes.filter(
      ({ request, after }) => request !== null && (after?.split(', ').includes(value) ?? false),
    );
    const name = `w${asked.n} (${asked.status ?? 'not answered'}): ${value}`;
    // One that somebody has deleted before the service heard of it is made once more.
    const twice = arrivals.filter(({ at }, index) => {
      const earlier = arrivals[index - 1];
      return (
        earlier !== undefined && (history.deleted.get(earlier.recordId) ?? Number.POSITIVE_INFINITY) > at
      );
    });
    if (isMade && twice.length > 0) return [`${name} was made ${arrivals.length} times in Attio`];
    if (arrivals.length === 0 && isAccepted(asked) && !isTraced(value, traces, asked)) {
      return [`${name} was accepted, and is neither in Attio nor in a conflict nor in a dead letter`];
    }
    const isRefused = REFUSED.includes(asked.status ?? 0);
    return isRefused && arrivals.length > 0 ? [`${name} was refused, and is in Attio`] : [];
  });
}

/** Not 410: what was written may have been deleted by somebody before the answer was put together. */
const REFUSED = [400, 409, 422];

function isAccepted({ status, answer, wanted }: Asked): boolean {
  if (status !== 200 && status !== 202) return false;
  const { data } = answer as { data?: { rejected?: readonly unknown[] } };
  return Object.keys(wanted).length > 0 && (data?.rejected ?? []).length === 0;
}

function isTraced(value: string, { conflicts, dead, cancelled }: Traces, { answer }: Asked): boolean {
  const quoted = `"${value}"`;
  if ([...conflicts, ...dead].some((text) => text.includes(quoted))) return true;
  const { data } = answer as { data?: { id?: string } };
  return cancelled.includes(data?.id ?? '');
}

/** Nobody has asked for a second entry of one record; a merge may leave one. */
function duplicateEntries({ sandbox: { world }, history }: Simulation): string[] {
  const merged = new Set(history.merged.values());
  return world.lists.flatMap((list) => {
    const byParent = Map.groupBy(list.table.inOrder(), (entry) => entry.parent?.recordId ?? '');
    return [...byParent].flatMap(([parent, entries]) =>
      entries.length > 1 && !merged.has(parent)
        ? [`${parent} has ${entries.length} entries in ${list.slug}`]
        : [],
    );
  });
}

/** A batch that is sent again with its key is the same batch. */
function duplicateBatches({ stored, history }: Simulation): string[] {
  const made = stored.all<{ n: number }>('select count(*) as n from batch')[0]?.n ?? 0;
  const asked = history.asked.filter(({ path }) => path === '/v1/contacts/batch').length;
  return made > asked ? [`${asked} requests made ${made} batches`] : [];
}
