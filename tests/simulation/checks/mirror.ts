import { isDeepStrictEqual } from 'node:util';
import { renderEntry, renderRecord } from '../../mocks/state/render.ts';
import type { Simulation } from '../simulation.ts';

/** A thing as one side has it. */
interface Thing {
  /** In words. */
  readonly name: string;
  readonly members: Readonly<Record<string, unknown>>;
}

type Things = Map<string, Thing>;

interface RecordRow {
  readonly object: string;
  readonly record_id: string;
  readonly values_json: string;
  readonly hidden: number;
}

interface ItemRow {
  readonly kind: string;
  readonly id: string;
  readonly attio_id: string | null;
  readonly body_json: string;
  readonly parents: string | null;
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** The mirror shows what Attio has, but for what was removed here: all of it, as it is, and nothing else. */
export function mirrorProblems(simulation: Simulation): string[] {
  const removed = removedHere(simulation);
  const inAttio = new Map([...recordsOf(simulation), ...itemsOf(simulation, removed)]);
  for (const id of removed) inAttio.delete(id);
  return differences(inAttio, new Map([...mirroredRecords(simulation), ...mirroredItems(simulation)]));
}

/**
 * Webhooks alone have made the mirror right, without the last full sync, if all of them have come. What Attio tells by no
 * webhook is left to that sync: what becomes of references to a merged record, and of values when the schema changes.
 * So is what hangs on a record that is gone, after a crash, and on a contact that was removed here.
 */
export function unsyncedProblems(simulation: Simulation): string[] {
  const { history, sandbox } = simulation;
  const isComplete = sandbox.deliveries().every(({ state }) => state === 'delivered');
  if (!isComplete || history.merged.size > 0 || history.schemaChanges > 0) return [];
  const isUnsure = history.removes || (history.deleted.size > 0 && simulation.lives > 1);
  return mirrorProblems(simulation)
    .filter((problem) => !isUnsure || /^(people|companies|deals) /.test(problem))
    .map((problem) => `before the last full sync: ${problem}`);
}

/**
 * A full sync of people has found all who were there at the beginning and have stayed, whatever came and went while it
 * read page after page.
 */
export function pagedProblems(simulation: Simulation): string[] {
  const { stored, sandbox, firstPeople } = simulation;
  const runs = stored.all(`select 1 from sync_run where object = 'people' and status = 'succeeded'`);
  if (runs.length === 0) return [];
  const known = new Set(
    stored
      .all<{ record_id: string }>(`select record_id from record where object = 'people'`)
      .map((row) => row.record_id),
  );
  const inAttio = new Set([...sandbox.world.object('people').table.inOrder()].map(({ id }) => id));
  return firstPeople
    .filter((id) => inAttio.has(id) && !known.has(id))
    .map((id) => `people ${id} was there at the beginning, and no full sync has found it`);
}

/** Records that internal systems have removed: these are not to be shown again. */
export function removedHere({ stored }: Simulation): ReadonlySet<string> {
  const rows = stored.all<{ record_id: string }>('select record_id from record where hidden = 1');
  return new Set(rows.map((row) => row.record_id));
}

function differences(inAttio: Things, here: Things): string[] {
  const problems: string[] = [];
  for (const [id, { name, members }] of inAttio) {
    const mirrored = here.get(id)?.members;
    if (mirrored === undefined) {
      problems.push(`${name} is in Attio, and not in the mirror`);
      continue;
    }
    for (const [member, value] of Object.entries(members)) {
      if (isDeepStrictEqual(value, mirrored[member])) continue;
      problems.push(
        `${name}: ${member} is ${JSON.stringify(value)} in Attio, ${JSON.stringify(mirrored[member])} in the mirror`,
      );
    }
  }
  for (const [id, { name }] of here) {
    if (!inAttio.has(id)) problems.push(`${name} is in the mirror, and not in Attio`);
  }
  return problems;
}

function recordsOf({ sandbox: { world } }: Simulation): Things {
  const things: Things = new Map();
  for (const slug of ['people', 'companies', 'deals']) {
    const object = world.object(slug);
    for (const row of object.table.inOrder()) {
      const { values } = plain(renderRecord(world, object, row)) as { values: Record<string, unknown> };
      things.set(row.id, { name: `${slug} ${row.id}`, members: values });
    }
  }
  return things;
}

function mirroredRecords({ stored }: Simulation): Things {
  const rows = stored.all<RecordRow>(
    'select object, record_id, values_json, hidden from record where deleted_at is null and hidden = 0',
  );
  return new Map(
    rows.map((row) => [
      row.record_id,
      { name: `${row.object} ${row.record_id}`, members: JSON.parse(row.values_json) },
    ]),
  );
}

/** Entries, notes and tasks, but for those that are about nobody but the removed. */
function itemsOf({ sandbox: { world } }: Simulation, removed: ReadonlySet<string>): Things {
  const things: Things = new Map();
  const add = (id: string, name: string, members: object, parents: readonly string[]) => {
    const shown = parents.filter((parent) => !removed.has(parent)).toSorted();
    if (shown.length === 0 && parents.length > 0) return;
    things.set(id, { name: `${name} ${id}`, members: { ...members, parents: shown.join(',') } });
  };
  for (const list of world.lists) {
    for (const entry of list.table.inOrder()) {
      const rendered = plain(renderEntry(world, list, entry)) as { entry_values: object };
      add(entry.id, 'entry', rendered.entry_values, [entry.parent?.recordId ?? '']);
    }
  }
  for (const { id, title, content, parentRecordId } of world.notes.values()) {
    add(id, 'note', { title, content }, [parentRecordId]);
  }
  for (const { id, content, isCompleted, linked } of world.tasks.values()) {
    add(
      id,
      'task',
      { content, isCompleted },
      linked.map(({ recordId }) => recordId),
    );
  }
  return things;
}

const ITEMS = `
  select item.kind, item.id, item.attio_id, item.body_json,
    (select group_concat(record_id, ',') from
      (select record_id from item_link where item_link.kind = item.kind and item_link.item_id = item.id
        order by record_id)) as parents
  from item where item.deleted_at is null and item.kind <> 'comments' and item.sync_failure_json is null`;

function mirroredItems({ stored }: Simulation): Things {
  const things: Things = new Map();
  for (const { kind, id, attio_id: attioId, body_json: body, parents } of stored.all<ItemRow>(ITEMS)) {
    const name = `${kind === 'entries' ? 'entry' : kind.slice(0, -1)} ${attioId ?? id}`;
    things.set(attioId ?? id, { name, members: { ...JSON.parse(body), parents: parents ?? '' } });
  }
  return things;
}
