import type { Attribute, Row, StoredValue, ValueData } from '../core/types.ts';
import type { Schema } from './schema.ts';

const NONE: readonly StoredValue[] = [];

function own(row: Row, key: string, data: ValueData): readonly StoredValue[] {
  return [{ data, key, from: row.createdAt, until: null, actor: row.createdBy }];
}

/** Attributes that every row has without storing them. */
const DERIVED: Readonly<Record<string, (row: Row) => readonly StoredValue[]>> = {
  record_id: (row) => own(row, row.id, { value: row.id }),
  entry_id: (row) => own(row, row.id, { value: row.id }),
  created_at: (row) => own(row, row.shownCreatedAt, { value: row.shownCreatedAt }),
  created_by: (row) =>
    own(row, String(row.createdBy.id), {
      referenced_actor_type: row.createdBy.type,
      referenced_actor_id: row.createdBy.id,
    }),
};

export function isDerived(attribute: Attribute): boolean {
  return attribute.system && DERIVED[attribute.slug] !== undefined;
}

/** The active values of one attribute of a row, first one first. */
export function valuesOf(row: Row, attribute: Attribute): readonly StoredValue[] {
  const stored = row.current.get(attribute.id);
  if (stored !== undefined) return stored;
  const derive = attribute.system ? DERIVED[attribute.slug] : undefined;
  return derive === undefined ? NONE : derive(row);
}

/** Ended and active values, oldest first. */
export function historyOf(row: Row, attribute: Attribute): readonly StoredValue[] {
  const past = row.past?.get(attribute.id) ?? NONE;
  const all = [...past, ...valuesOf(row, attribute)];
  return all.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
}

/** `parent_record` is not an attribute of a list, but filters and paths may name it. */
export function parentOf(row: Row): readonly StoredValue[] {
  if (row.parent === null) return NONE;
  const { objectId, recordId } = row.parent;
  return own(row, `${objectId}/${recordId}`, { target_object: objectId, target_record_id: recordId });
}

/** Attributes in the order the API shows them, archived ones left out. */
export function shownAttributes(schema: Schema): readonly Attribute[] {
  return schema.attributes.filter((attribute) => !attribute.archived);
}
