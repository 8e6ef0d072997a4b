import type { Attribute, Row, Stamp, StoredValue } from '../core/types.ts';
import { newRow } from './commit.ts';
import { entriesOf, setParent } from './entries.ts';
import { redirectReferences } from './one-way-references.ts';
import { syncRelation } from './relations.ts';
import type { AttioObject, World } from './world.ts';
import { isChange, store } from './write.ts';

/** The primary's value wins where one is held; where several are, the secondary's come after. */
function mergedValues(attribute: Attribute, primary: Row, secondary: Row): readonly StoredValue[] {
  const first = primary.current.get(attribute.id) ?? [];
  const second = secondary.current.get(attribute.id) ?? [];
  if (!attribute.multi) return first.length > 0 ? first : second;
  const keys = new Set(first.map((value) => value.key));
  return [...first, ...second.filter((value) => !keys.has(value.key))];
}

function moveActivities(world: World, object: AttioObject, from: Row, to: Row): void {
  for (const list of world.lists) {
    for (const entry of entriesOf(list, from.id))
      setParent(list, entry, { objectId: object.id, recordId: to.id });
  }
  for (const note of world.notes.values()) if (note.parentRecordId === from.id) note.parentRecordId = to.id;
  for (const thread of world.threads.values()) if (thread.recordId === from.id) thread.recordId = to.id;
  for (const task of world.tasks.values()) {
    task.linked = task.linked.map((link) =>
      link.recordId === from.id ? { ...link, recordId: to.id } : link,
    );
  }
}

function unlinkAll(world: World, object: AttioObject, row: Row, stamp: Stamp): void {
  for (const attribute of object.table.schema.attributes) {
    const before = row.current.get(attribute.id) ?? [];
    syncRelation(world, object.table, row, { attribute, before, after: [] }, stamp);
  }
}

/** Which record lives after a merge: a new one, as Attio documents it now, or the primary, as it did before. */
export type MergeSurvivor = 'new' | 'primary';

/**
 * Everything that hung on the originals hangs on the survivor. One event per record that dies, and no others: what
 * pointed at them changes silently.
 */
export function mergeRecords(
  world: World,
  object: AttioObject,
  primary: Row,
  secondary: Row,
  stamp: Stamp,
  survivor: MergeSurvivor = 'new',
): Row {
  const { table } = object;
  const merged = survivor === 'new' ? newRow(world, stamp) : primary;
  const plans = table.schema.attributes.map((attribute) => ({
    attribute,
    before: survivor === 'new' ? [] : (primary.current.get(attribute.id) ?? []),
    after: mergedValues(attribute, primary, secondary),
  }));
  const dying = survivor === 'new' ? [primary, secondary] : [secondary];
  for (const original of dying) {
    unlinkAll(world, object, original, stamp);
    table.remove(original);
  }
  if (survivor === 'new') table.insert(merged);
  for (const plan of plans) {
    if (!isChange(plan)) continue;
    store(table, merged, plan, stamp.at);
    syncRelation(world, table, merged, plan, stamp);
  }
  for (const original of dying) {
    moveActivities(world, object, original, merged);
    redirectReferences(world, object.id, original.id, merged.id, stamp);
    const dead = { duplicate_object_id: object.id, duplicate_record_id: original.id };
    world.emit('record.merged', { object_id: object.id, record_id: merged.id }, stamp.actor, dead);
  }
  return merged;
}
