import type { Attribute, Row } from '../core/types.ts';
import type { Table } from '../state/table.ts';
import type { World } from '../state/world.ts';
import { isObject } from '../values/codec.ts';
import { codecOf } from '../values/index.ts';
import { compileFilter } from './compile.ts';
import type { QueryBody } from './query-body.ts';
import { creationOrder, sortRows } from './sort.ts';

export interface QueryResult {
  readonly rows: readonly Row[];
  readonly score: number;
}

/** The values an equality asks for, when the condition is one: bare, `$eq`, `$in`, or the main property of those. */
function wantedValues(attribute: Attribute, condition: unknown): readonly unknown[] | null {
  if (!isObject(condition)) return [condition];
  const [key, ...more] = Object.keys(condition);
  if (key === undefined || more.length > 0) return null;
  const input = condition[key];
  if (key === '$eq') return [input];
  if (key === '$in') return Array.isArray(input) ? input : null;
  return key === codecOf(attribute.type).main ? wantedValues(attribute, input) : null;
}

function rowOf(table: Table, attribute: Attribute, wanted: unknown): Row | undefined {
  return attribute.slug === 'record_id' ? table.get(String(wanted)) : table.holder(attribute, String(wanted));
}

/** Rows found through the id or a unique value, so that such a filter never walks the table. */
function candidates(table: Table, filter: Readonly<Record<string, unknown>>): Row[] | null {
  for (const [ref, condition] of Object.entries(filter)) {
    const attribute = table.schema.find(ref);
    if (attribute === undefined || !attribute.unique) continue;
    const wanted = wantedValues(attribute, condition);
    if (wanted === null) continue;
    const rows = new Set(wanted.flatMap((one) => rowOf(table, attribute, one) ?? []));
    return [...rows].sort((a, b) => a.seq - b.seq);
  }
  return null;
}

function matching(world: World, table: Table, filter: Readonly<Record<string, unknown>>): Row[] {
  const test = compileFilter(world, table.schema, filter);
  const found = candidates(table, filter);
  if (found !== null) return found.filter(test);
  const rows: Row[] = [];
  for (const row of table.inOrder()) if (test(row)) rows.push(row);
  return rows;
}

/** Attio publishes no formula: this one only grows with what theirs is said to depend on. */
function score(table: Table, body: QueryBody): number {
  const parts = Object.keys(body.filter ?? {}).length + (body.sorts?.length ?? 0);
  return Math.floor((table.size * (1 + parts)) / 1000);
}

export function queryTable(world: World, table: Table, body: QueryBody): QueryResult {
  const { filter = {}, sorts = [], limit, offset } = body;
  const order = creationOrder(sorts);
  if (order !== null && Object.keys(filter).length === 0) {
    return { rows: table.page(offset, limit, order === 'desc'), score: score(table, body) };
  }
  const rows = matching(world, table, filter);
  const sorted =
    order === 'asc' ? rows : order === 'desc' ? rows.reverse() : sortRows(world, table.schema, rows, sorts);
  return { rows: sorted.slice(offset, offset + limit), score: score(table, body) };
}
