import type { Asked, AttioChange, History, Sent } from '../history.ts';
import type { Simulation } from '../simulation.ts';

/** Text attributes of people, of which each write and each edit is unlike any other. */
const FIELDS = ['job_title', 'description'] as const;

/** How far apart an edit and a write must be for their order to be plain. @unit ms */
const TOLERANCE_MS = 1_500;
/** The longest from a look to the request that it was for: waiting for turns and for retries. @unit ms */
const LOOK_MS = 75_000;

/** The later write wins, attribute by attribute, as far as the service could know. */
export function orderProblems({ history, stored }: Simulation): string[] {
  const merged = new Set([...history.merged.keys(), ...history.merged.values()]);
  const fields = Map.groupBy(
    history.changes.filter(
      ({ object, field, recordId }) =>
        object === 'people' && FIELDS.some((one) => one === field) && !merged.has(recordId),
    ),
    ({ recordId, field }) => `${recordId}/${field}`,
  );
  const rows = stored.all<ConflictRow>(
    `select record_id, field, local_json, attio_json, decided from conflict where object = 'people'`,
  );
  return [
    ...[...fields.values()].flatMap((changes) => fieldProblems(history, changes)),
    ...rows
      .filter((row) => !merged.has(row.record_id))
      .flatMap((row) => conflictProblems(history, fields.get(`${row.record_id}/${row.field}`) ?? [], row)),
  ];
}

function fieldProblems(history: History, changes: readonly AttioChange[]): string[] {
  const problems: string[] = [];
  changes.forEach((change, index) => {
    const before = changes[index - 1];
    const asked = askedFor(history, change.after);
    const sent = history.sent[(change.request ?? 0) - 1];
    if (asked === undefined || sent === undefined) return;
    problems.push(...lookProblems(history, change, sent));
    if (before !== undefined) problems.push(...overwriteProblems(history, { before, change, asked, sent }));
    const later = changes.slice(0, index).flatMap((one) => askedFor(history, one.after) ?? []);
    const overtaken = later.find((other) => other.sentAt > asked.endedAt && other.n !== asked.n);
    if (overtaken !== undefined) {
      problems.push(
        `${change.recordId}: ${change.field} of w${asked.n} came after that of the later w${overtaken.n}`,
      );
    }
  });
  return problems;
}

interface Overwrite {
  readonly before: AttioChange;
  readonly change: AttioChange;
  readonly asked: Asked;
  readonly sent: Sent;
}

/** An edit that the service had been shown, and that is later than the write, stands. */
function overwriteProblems(history: History, { before, change, asked, sent }: Overwrite): string[] {
  const isEdit = before.request === null && before.after !== null;
  if (!isEdit || before.at <= asked.endedAt + TOLERANCE_MS) return [];
  const wasShown = looks(history, change.recordId, sent).some(({ reflects }) => reflects >= before.at);
  if (!wasShown) return [];
  return [
    `${change.recordId}: ${change.field} ${before.after} was overwritten by the earlier ${change.after}`,
  ];
}

/** What is changed was looked at before. */
function lookProblems(history: History, { recordId, field, after }: AttioChange, sent: Sent): string[] {
  if (sent.method === 'POST') return [];
  const isFresh = looks(history, recordId, sent).some(({ reflects }) => reflects >= sent.sentAt - LOOK_MS);
  return isFresh ? [] : [`${recordId}: ${field} ${after} was written without a look`];
}

function looks(history: History, recordId: string, sent: Sent) {
  return history.shown.filter(
    (shown) => shown.recordId === recordId && shown.life === sent.life && shown.heardAt <= sent.sentAt,
  );
}

interface ConflictRow {
  readonly record_id: string;
  readonly field: string;
  readonly local_json: string;
  readonly attio_json: string;
  readonly decided: string;
}

/** A write yields to an edit that is later, and to no other; least of all to an earlier write of ours. */
function conflictProblems(history: History, changes: readonly AttioChange[], row: ConflictRow): string[] {
  const asked = askedFor(history, JSON.parse(row.local_json));
  const theirs: unknown = JSON.parse(row.attio_json);
  if (row.decided !== 'attio' || asked === undefined || typeof theirs !== 'string') return [];
  const other = askedFor(history, theirs);
  if (other !== undefined && other.endedAt < asked.sentAt) {
    return [`${row.record_id}: ${row.field} of w${asked.n} yielded to the earlier w${other.n}`];
  }
  const edit = changes.findLast(({ after }) => after === theirs);
  if (edit === undefined || edit.at >= asked.sentAt - TOLERANCE_MS) return [];
  return [`${row.record_id}: ${row.field} of w${asked.n} yielded to the earlier ${theirs}`];
}

function askedFor({ asked }: History, value: unknown): Asked | undefined {
  if (typeof value !== 'string') return undefined;
  return asked.find(({ wanted }) => Object.values(wanted).includes(value));
}
