import { AttioError, invalid, missingValue, valueNotFound } from '../core/errors.ts';
import type { Attribute, Row, Stamp } from '../core/types.ts';
import { codecOf } from '../values/index.ts';
import { commit, emitTouched, emitUpdated, newRow, type Values } from './commit.ts';
import { detach } from './detach.ts';
import { syncRelation, type Touched } from './relations.ts';
import type { AttioObject, World } from './world.ts';
import { planWrite, type WriteMode } from './write.ts';

export function createRecord(world: World, object: AttioObject, values: Values, stamp: Stamp): Row {
  const plans = planWrite(world, object.table, null, { values, mode: 'replace', stamp });
  const row = newRow(world, stamp);
  object.table.insert(row);
  const { touched } = commit(world, object.table, row, plans, stamp);
  world.emit('record.created', { object_id: object.id, record_id: row.id }, stamp.actor);
  emitTouched(world, touched, stamp);
  return row;
}

export interface UpdateOptions {
  readonly mode: WriteMode;
  readonly matching?: Attribute;
}

export function updateRecord(
  world: World,
  object: AttioObject,
  row: Row,
  values: Values,
  stamp: Stamp,
  options: UpdateOptions,
): Row {
  const plans = planWrite(world, object.table, row, {
    values,
    stamp,
    mode: options.mode,
    matching: options.matching,
  });
  const { changed, touched } = commit(world, object.table, row, plans, stamp);
  for (const attribute of changed) emitUpdated(world, object.id, row, attribute, stamp);
  emitTouched(world, touched, stamp);
  return row;
}

function matchingAttribute(object: AttioObject, ref: string): Attribute {
  const attribute = object.table.schema.find(ref);
  if (attribute === undefined) {
    throw valueNotFound(`No attribute was found for matching_attribute slug/ID "${ref}".`);
  }
  if (!attribute.unique) {
    throw new AttioError(
      400,
      'matching_attribute_definition_not_unique',
      `The matching_attribute "${ref}" is not unique.`,
    );
  }
  return attribute;
}

function writtenFor(values: Values, attribute: Attribute): readonly unknown[] {
  const raw = values[attribute.slug] ?? values[attribute.id];
  if (raw === undefined || raw === null) return [];
  return Array.isArray(raw) ? raw : [raw];
}

/** Upsert: the first given value that some record holds decides which record is updated. */
export function assertRecord(
  world: World,
  object: AttioObject,
  ref: string,
  values: Values,
  stamp: Stamp,
): Row {
  const matching = matchingAttribute(object, ref);
  if (!matching.writable) throw invalid(`The matching_attribute "${ref}" is not writable.`);
  const inputs = writtenFor(values, matching);
  if (inputs.length === 0) {
    throw missingValue(`Required value for attribute with ID "${matching.id}" was not provided.`);
  }
  const codec = codecOf(matching.type);
  for (const input of inputs) {
    const found = object.table.holder(matching, codec.key(codec.parse(input, matching, world)));
    if (found !== undefined)
      return updateRecord(world, object, found, values, stamp, { mode: 'replace', matching });
  }
  return createRecord(world, object, values, stamp);
}

export function deleteRecord(world: World, object: AttioObject, row: Row, stamp: Stamp): void {
  const touched: Touched[] = [];
  for (const attribute of object.table.schema.attributes) {
    const before = row.current.get(attribute.id);
    if (before === undefined || attribute.relationship === null) continue;
    touched.push(...syncRelation(world, object.table, row, { attribute, before, after: [] }, stamp));
  }
  object.table.remove(row);
  world.emit('record.deleted', { object_id: object.id, record_id: row.id }, stamp.actor);
  emitTouched(world, touched, stamp);
  detach(world, object, row, stamp);
}
