import { filterError } from '../core/errors.ts';
import type { Attribute, Row, StoredValue } from '../core/types.ts';
import type { Schema } from '../state/schema.ts';
import type { World } from '../state/world.ts';
import type { Comparable, Property } from '../values/codec.ts';
import { codecOf } from '../values/index.ts';
import { compilePath, fieldValues, findField } from './paths.ts';
import type { Sort } from './query-body.ts';

interface Key {
  readonly descending: boolean;
  of(row: Row): Comparable;
}

function sortProperty(attribute: Attribute, field: string | undefined): Property {
  const codec = codecOf(attribute.type);
  const name = field ?? codec.sortBy;
  const property = name === null ? undefined : codec.properties[name];
  if (property !== undefined) return property;
  throw filterError(`"${attribute.slug}" cannot be sorted by "${String(name)}".`);
}

function compileKey(world: World, schema: Schema, sort: Sort): Key {
  const path = 'path' in sort ? compilePath(world, schema, sort.path) : null;
  const attribute = path?.last ?? findField(schema, 'attribute' in sort ? sort.attribute : '');
  const property = sortProperty(attribute, sort.field);
  const first = (values: readonly StoredValue[]): Comparable => {
    const [value] = values;
    const found = value === undefined ? null : property.get(value, attribute);
    return typeof found === 'object' && found !== null ? (found[0] ?? null) : found;
  };
  return {
    descending: sort.direction === 'desc',
    of: (row) => first(path === null ? fieldValues(row, attribute) : path.values(row)),
  };
}

/** Rows without a value come last in either direction. */
function compare(a: Comparable, b: Comparable, descending: boolean): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b === descending ? 1 : -1;
}

/** Sorts by first values; ties keep creation order. */
export function sortRows(world: World, schema: Schema, rows: readonly Row[], sorts: readonly Sort[]): Row[] {
  const keys = sorts.map((sort) => compileKey(world, schema, sort));
  const keyed = rows.map((row) => ({ row, values: keys.map((key) => key.of(row)) }));
  keyed.sort((a, b) => {
    for (const [index, key] of keys.entries()) {
      const order = compare(a.values[index] ?? null, b.values[index] ?? null, key.descending);
      if (order !== 0) return order;
    }
    return a.row.seq - b.row.seq;
  });
  return keyed.map(({ row }) => row);
}

/** Creation order needs no sorting: rows are kept in it. */
export function creationOrder(sorts: readonly Sort[]): 'asc' | 'desc' | null {
  const [sort, ...more] = sorts;
  if (sort === undefined) return 'asc';
  const plain = 'attribute' in sort && sort.attribute === 'created_at' && (sort.field ?? 'value') === 'value';
  return more.length === 0 && plain ? sort.direction : null;
}
