import type { NewConflict } from '../../domain/conflicts.ts';
import { type EntityRow, keysOf } from '../../domain/entities.ts';
import { isJsonObject, type Json, sameJson } from '../../domain/json.ts';
import type { OutboxRow } from '../../domain/outbox.ts';
import { openIntents, passOnConflicts, type Reading } from '../conflicts/open.ts';
import type { Stores } from '../ports.ts';
import type { Mapping } from './mapping.ts';

export interface Joining {
  /** The thing that is no more one of its own. */
  readonly from: EntityRow;
  readonly into: EntityRow;
  /**
   * Whose external id is shown from now on when both have one. The other one still finds the thing, until it is given to
   * another. @default 'into'
   */
  readonly externalIdOf?: 'from' | 'into';
  /** What Attio has for the thing that lives on. @default not known */
  readonly read?: Reading | null;
  readonly at: string;
}

/**
 * Two things are one: what was to be written to the one, and what was written about it, is the other's from now on, and
 * so are its open conflicts and its external id. Where both were to be given a value the one asked for later stands, and both are put on record.
 * @returns the thing that lives on
 */
export async function join(stores: Stores, mapping: Mapping, joining: Joining): Promise<EntityRow> {
  const { from, into, read = null, at } = joining;
  const { kind } = from;
  const pending = await stores.outbox.pendingOf(kind, [from.id, into.id]);
  const [moved, standing] = [writesIn(pending.get(from.id)), writesIn(pending.get(into.id))];
  const ids = externalIds(joining);
  const gone = { ...from, deletedAt: from.deletedAt ?? at, mergedInto: into.id, updatedAt: at };
  // External ids are unique: let go of first.
  await stores.entities.put([{ ...gone, externalId: null, version: from.version + 1 }]);
  await stores.outbox.redirect(kind, from.id, into.id);
  for (const row of moved) await stores.outbox.rebase(row.id, { ...nothingAgreed(row), ...row.base });
  await stores.conflicts.append(collisions(into, moved, standing, at));
  await passOnConflicts(stores, kind, from.id, { entityId: into.id, recordId: into.recordId, read }, at);
  const open = (await openIntents(stores, kind, [into.id])).get(into.id) ?? [];
  await stores.items.relinkThing(from.id, into.id);
  const asked = [...moved, ...standing].sort((a, b) => a.id - b.id).map((row) => row.intent);
  const isSame = moved.length + open.length === 0;
  const facts = isSame ? into.facts : mapping.overlay(kind, into.facts, [...open, ...asked]);
  const joined = { ...into, externalId: ids.into, facts, keys: keysOf(facts) };
  await stores.entities.put([joined]);
  if (ids.from !== null) {
    await stores.entities.put([{ ...gone, externalId: ids.from, version: from.version + 1 }]);
  }
  return joined;
}

function externalIds({ from, into, externalIdOf = 'into' }: Joining): Record<'from' | 'into', string | null> {
  if (from.externalId === null || into.externalId === null) {
    return { from: null, into: into.externalId ?? from.externalId };
  }
  return externalIdOf === 'into'
    ? { from: from.externalId, into: into.externalId }
    : { from: into.externalId, into: from.externalId };
}

function writesIn(rows: readonly OutboxRow[] = []): readonly OutboxRow[] {
  return rows.filter((row) => row.operation !== 'delete');
}

/** Whoever asked for it knew of no value: what is there is somebody else's, and not lost without a trace. */
function nothingAgreed({ intent }: OutboxRow): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(intent).flatMap(([field, input]) => (isWhole(input) ? [[field, null]] : [])),
  );
}

/** What is added to a list takes nothing away. */
function isWhole(input: Json): boolean {
  return !Array.isArray(input) && !(isJsonObject(input) && 'replace' in input);
}

/** Fields that were to be set on both to different values. */
function collisions(
  into: EntityRow,
  moved: readonly OutboxRow[],
  standing: readonly OutboxRow[],
  at: string,
): NewConflict[] {
  const [theirs, ours] = [lastWrites(moved), lastWrites(standing)];
  return [...theirs].flatMap(([field, one]) => {
    const other = ours.get(field);
    if (other === undefined || sameJson(one.input, other.input)) return [];
    const [earlier, later] = one.rowId < other.rowId ? [one, other] : [other, one];
    return [
      {
        object: into.kind,
        entityId: into.id,
        recordId: into.recordId,
        field,
        base: null,
        local: earlier.input,
        wanted: earlier.input,
        attio: later.input,
        decided: 'attio' as const,
        status: 'resolved' as const,
        reason: 'same-record',
        at,
      },
    ];
  });
}

function lastWrites(
  rows: readonly OutboxRow[],
): Map<string, { readonly rowId: number; readonly input: Json }> {
  const last = new Map<string, { rowId: number; input: Json }>();
  for (const { id: rowId, intent } of rows) {
    for (const [field, input] of Object.entries(intent))
      if (isWhole(input)) last.set(field, { rowId, input });
  }
  return last;
}
