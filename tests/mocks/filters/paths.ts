import { filterError } from '../core/errors.ts';
import type { Attribute, Row, StoredValue } from '../core/types.ts';
import type { Schema } from '../state/schema.ts';
import { parentOf, valuesOf } from '../state/values-of.ts';
import type { World } from '../state/world.ts';

/** `parent_record` can be named wherever an attribute of a list can, though no list has it as an attribute. */
export const PARENT_RECORD: Attribute = {
  id: 'parent_record',
  slug: 'parent_record',
  type: 'record-reference',
  title: 'Parent record',
  description: null,
  system: true,
  writable: false,
  required: false,
  unique: false,
  multi: false,
  archived: false,
  enriched: false,
  defaultValue: null,
  relationship: null,
  currencyCode: null,
  currencyDisplay: null,
  allowedObjectIds: null,
  choices: [],
  createdAt: '',
};

export function fieldValues(row: Row, attribute: Attribute): readonly StoredValue[] {
  return attribute === PARENT_RECORD ? parentOf(row) : valuesOf(row, attribute);
}

export function findField(schema: Schema, ref: string): Attribute {
  if (ref === 'parent_record' && schema.kind === 'lists') return PARENT_RECORD;
  const attribute = schema.find(ref);
  if (attribute === undefined) throw filterError(`Unknown attribute "${ref}".`);
  return attribute;
}

export interface Path {
  /** The attribute the last step names. */
  readonly last: Attribute;
  /** Its values, over everything the steps before it reach from a row. */
  values(row: Row): StoredValue[];
}

function schemaNamed(world: World, ref: string): Schema {
  const found = world.findObject(ref) ?? world.findList(ref);
  if (found === undefined) throw filterError(`Unknown object or list "${ref}" in path.`);
  return found.table.schema;
}

function follow(world: World, schema: Schema, attribute: Attribute, rows: readonly Row[]): Row[] {
  const table = world.findObject(schema.id)?.table;
  return rows
    .flatMap((row) => fieldValues(row, attribute))
    .flatMap((value) =>
      value.data['target_object'] === schema.id ? String(value.data['target_record_id']) : [],
    )
    .flatMap((id) => table?.get(id) ?? []);
}

/** Drills down from a row: every step but the last must be a record reference. */
export function compilePath(world: World, start: Schema, input: unknown): Path {
  if (!Array.isArray(input) || input.length === 0)
    throw filterError('A path is a list of [object or list, attribute].');
  const steps = input.map((step: unknown) => {
    if (!Array.isArray(step) || step.length !== 2)
      throw filterError('A path step is [object or list, attribute].');
    const schema = schemaNamed(world, String(step[0]));
    return { schema, attribute: findField(schema, String(step[1])) };
  });
  const [first, ...rest] = steps;
  if (first === undefined || first.schema !== start) {
    throw filterError('The first step of a path must name what is queried.');
  }
  const reference = steps.slice(0, -1).find((step) => step.attribute.type !== 'record-reference');
  if (reference !== undefined) throw filterError(`"${reference.attribute.slug}" is not a record reference.`);
  const last = steps.at(-1) ?? first;
  return {
    last: last.attribute,
    values(row) {
      let rows: Row[] = [row];
      let attribute = first.attribute;
      for (const step of rest) {
        rows = follow(world, step.schema, attribute, rows);
        attribute = step.attribute;
      }
      return rows.flatMap((one) => fieldValues(one, attribute));
    },
  };
}
