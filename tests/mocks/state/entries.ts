import { AttioError, invalid, notFound, valueNotFound } from '../core/errors.ts';
import type { Attribute, Row, Stamp } from '../core/types.ts';
import { commit, newRow, type Values } from './commit.ts';
import type { AttioList, AttioObject, World } from './world.ts';
import { planWrite, type WriteMode } from './write.ts';

export interface Parent {
  readonly object: AttioObject;
  readonly recordId: string;
}

function emit(
  world: World,
  kind: 'created' | 'updated' | 'deleted',
  list: AttioList,
  entry: Row,
  stamp: Stamp,
  attribute?: Attribute,
): void {
  const ids = { list_id: list.id, entry_id: entry.id, ...(attribute && { attribute_id: attribute.id }) };
  world.emit(`list-entry.${kind}`, ids, stamp.actor, {
    parent_object_id: entry.parent?.objectId ?? '',
    parent_record_id: entry.parent?.recordId ?? '',
  });
}

export function parentFor(world: World, list: AttioList, objectRef: string, recordId: string): Parent {
  const object = world.findObject(objectRef);
  if (object === undefined) throw valueNotFound(`Parent object with slug/ID "${objectRef}" not found.`);
  if (!list.parentObjectIds.includes(object.id)) {
    throw invalid(`Records of object "${objectRef}" cannot be added to list "${list.slug}".`);
  }
  if (object.table.get(recordId) === undefined) {
    throw valueNotFound(`Parent record with slug/ID "${recordId}" not found.`);
  }
  return { object, recordId };
}

export function entriesOf(list: AttioList, recordId: string): Row[] {
  const ids = list.byParent.get(recordId) ?? new Set();
  return [...ids].flatMap((id) => list.table.get(id) ?? []);
}

export function setParent(list: AttioList, entry: Row, parent: Row['parent']): void {
  if (entry.parent !== null) {
    const held = list.byParent.get(entry.parent.recordId);
    held?.delete(entry.id);
    if (held?.size === 0) list.byParent.delete(entry.parent.recordId);
  }
  entry.parent = parent;
  if (parent === null) return;
  const held = list.byParent.get(parent.recordId) ?? new Set();
  held.add(entry.id);
  list.byParent.set(parent.recordId, held);
}

/** Duplicates for one parent are allowed here. */
export function createEntry(
  world: World,
  list: AttioList,
  parent: Parent,
  values: Values,
  stamp: Stamp,
): Row {
  const plans = planWrite(world, list.table, null, { values, mode: 'replace', stamp });
  const entry = newRow(world, stamp);
  setParent(list, entry, { objectId: parent.object.id, recordId: parent.recordId });
  list.table.insert(entry);
  commit(world, list.table, entry, plans, stamp);
  emit(world, 'created', list, entry, stamp);
  return entry;
}

export function updateEntry(
  world: World,
  list: AttioList,
  entry: Row,
  values: Values,
  stamp: Stamp,
  mode: WriteMode,
): Row {
  const plans = planWrite(world, list.table, entry, { values, mode, stamp });
  const { changed } = commit(world, list.table, entry, plans, stamp);
  for (const attribute of changed) emit(world, 'updated', list, entry, stamp, attribute);
  return entry;
}

export function assertEntry(
  world: World,
  list: AttioList,
  parent: Parent,
  values: Values,
  stamp: Stamp,
): Row {
  const [found, ...more] = entriesOf(list, parent.recordId);
  if (more.length > 0) {
    throw new AttioError(
      400,
      'multiple_match_results',
      'Multiple entries were founds for the given parent record. Please remove duplicates or use the update or ' +
        'create entry endpoints instead.',
    );
  }
  if (found === undefined) return createEntry(world, list, parent, values, stamp);
  return updateEntry(world, list, found, values, stamp, 'replace');
}

export function findEntry(list: AttioList, id: string): Row {
  const entry = list.table.get(id);
  if (entry === undefined) throw notFound(`Entry with ID "${id}" not found.`);
  return entry;
}

export function deleteEntry(world: World, list: AttioList, entry: Row, stamp: Stamp): void {
  const { parent } = entry;
  setParent(list, entry, null);
  entry.parent = parent;
  list.table.remove(entry);
  emit(world, 'deleted', list, entry, stamp);
}
