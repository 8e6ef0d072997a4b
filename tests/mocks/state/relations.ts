import type { Attribute, Row, Stamp, StoredValue } from '../core/types.ts';
import type { Table } from './table.ts';
import type { World } from './world.ts';
import { isChange, newValue, type PlannedValue, store } from './write.ts';

/** A row that changed because the other end of its relationship was written. */
export interface Touched {
  readonly table: Table;
  readonly row: Row;
  readonly attribute: Attribute;
}

interface End {
  readonly table: Table;
  readonly attribute: Attribute;
}

interface RelationWrite {
  readonly world: World;
  readonly own: End;
  readonly other: End;
  readonly stamp: Stamp;
  readonly touched: Touched[];
}

const NONE: readonly StoredValue[] = [];

function otherEnd(world: World, attribute: Attribute): End | undefined {
  if (attribute.relationship === null) return undefined;
  const table = world.findObject(attribute.relationship.objectId)?.table;
  const other = table?.schema.find(attribute.relationship.attributeId);
  return table === undefined || other === undefined ? undefined : { table, attribute: other };
}

function change(write: RelationWrite, end: End, row: Row, after: readonly StoredValue[]): void {
  const plan: PlannedValue = {
    attribute: end.attribute,
    before: row.current.get(end.attribute.id) ?? NONE,
    after,
  };
  if (!isChange(plan)) return;
  store(end.table, row, plan, write.stamp.at);
  write.touched.push({ table: end.table, row, attribute: end.attribute });
}

function drop(write: RelationWrite, end: End, rowId: string, key: string): void {
  const row = end.table.get(rowId);
  const current = row?.current.get(end.attribute.id);
  if (row === undefined || current === undefined) return;
  change(
    write,
    end,
    row,
    current.filter((value) => value.key !== key),
  );
}

const keyOf = (table: Table, id: string) => `${table.schema.id}/${id}`;
const targetId = (value: StoredValue) => String(value.data['target_record_id']);

function link(write: RelationWrite, ownRow: Row, targetRowId: string): void {
  const { own, other } = write;
  const target = other.table.get(targetRowId);
  if (target === undefined) return;
  const data = { target_object: own.table.schema.id, target_record_id: ownRow.id };
  const value = newValue(other.attribute, data, write.stamp);
  const current = target.current.get(other.attribute.id) ?? NONE;
  if (current.some((held) => held.key === value.key)) return;
  change(write, other, target, other.attribute.multi ? [value, ...current] : [value]);
  if (other.attribute.multi) return;
  for (const left of current) drop(write, own, targetId(left), keyOf(other.table, targetRowId));
}

/** Brings the other end of a two-sided reference in line with what was just stored on this end. */
export function syncRelation(
  world: World,
  table: Table,
  row: Row,
  plan: PlannedValue,
  stamp: Stamp,
): Touched[] {
  const other = otherEnd(world, plan.attribute);
  if (other === undefined) return [];
  const write: RelationWrite = {
    world,
    own: { table, attribute: plan.attribute },
    other,
    stamp,
    touched: [],
  };
  const after = new Set(plan.after.map((value) => value.key));
  const before = new Set(plan.before.map((value) => value.key));
  for (const value of plan.before) {
    if (!after.has(value.key)) drop(write, other, targetId(value), keyOf(table, row.id));
  }
  for (const value of plan.after) {
    if (!before.has(value.key)) link(write, row, targetId(value));
  }
  return write.touched;
}
