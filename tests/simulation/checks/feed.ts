import { isDeepStrictEqual } from 'node:util';
import type { Simulation } from '../simulation.ts';

interface Change {
  readonly type: string;
  readonly object?: string;
  readonly id: string;
  readonly mergedId?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const PAGE = 500;

async function allChanges(simulation: Simulation): Promise<Change[]> {
  const changes: Change[] = [];
  for (let after = ''; ; ) {
    const answer = await simulation.ask('GET', `/v1/changes?limit=${PAGE}${after}`);
    const { data, nextCursor } = JSON.parse(answer?.body ?? '{"data":[]}');
    changes.push(...data);
    if (data.length < PAGE) return changes;
    after = `&after=${nextCursor}`;
  }
}

/** Who follows the feed from its beginning ends up with what the mirror holds. */
export async function feedProblems(simulation: Simulation): Promise<string[]> {
  const held = new Map<string, Change>();
  for (const change of await allChanges(simulation)) {
    const kind = change.type.split('.')[0];
    if (change.type === 'record.merged') held.delete(`${kind} ${change.mergedId}`);
    else if (change.type.endsWith('.deleted')) held.delete(`${kind} ${change.id}`);
    else held.set(`${kind} ${change.id}`, change);
  }
  const living = livingThings(simulation);
  const problems = [...living.keys()]
    .filter((key) => !held.has(key))
    .map((key) => `feed: ${key} lives, but who follows does not know it`);
  for (const [key, { data }] of held) {
    const thing = living.get(key);
    if (thing === undefined) problems.push(`feed: ${key} is gone, but who follows still holds it`);
    else if (!thing.agrees(data))
      problems.push(`feed: ${key} is held as ${JSON.stringify(data)} by who follows`);
  }
  return problems;
}

interface Living {
  agrees(data: Readonly<Record<string, unknown>>): boolean;
}

/** What the mirror holds, by the names that the feed has for it. */
function livingThings({ stored }: Simulation): Map<string, Living> {
  const things = new Map<string, Living>();
  const records = stored.all<{ id: string; values_json: string }>(
    `select coalesce(entity.id, record.record_id) as id, record.values_json from record
      left join entity on entity.kind = record.object and entity.record_id = record.record_id
        and entity.deleted_at is null
      where record.deleted_at is null and record.hidden = 0`,
  );
  for (const { id, values_json: values } of records) {
    const raw = JSON.parse(values);
    things.set(`record ${id}`, { agrees: ({ values: told }) => agrees(told, raw) });
  }
  const items = stored.all<{ kind: string; id: string; body_json: string }>(
    `select kind, id, body_json from item
      where deleted_at is null and attio_id is not null and kind <> 'comments'`,
  );
  for (const { kind, id, body_json: body } of items) {
    const raw = JSON.parse(body);
    const noun = kind === 'entries' ? 'entry' : kind.slice(0, -1);
    const members =
      noun === 'note' ? ['title', 'content'] : noun === 'task' ? ['content', 'isCompleted'] : [];
    things.set(`${noun} ${id}`, {
      agrees: (told) => members.every((member) => isDeepStrictEqual(told[member], raw[member])),
    });
  }
  return things;
}

/** Texts say the same in both forms, so they are what is compared. */
function agrees(told: unknown, raw: Readonly<Record<string, readonly { value?: unknown }[]>>): boolean {
  const values = (told ?? {}) as Readonly<Record<string, unknown>>; // an object, or the comparison fails
  return ['job_title', 'description', 'internal_comment'].every((slug) => {
    if (raw[slug] === undefined) return true;
    return (values[slug] ?? null) === (raw[slug][0]?.value ?? null);
  });
}
