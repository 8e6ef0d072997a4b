import type { Attribute, Row, Stamp } from '../core/types.ts';
import { syncRelation, type Touched } from './relations.ts';
import type { Table } from './table.ts';
import type { World } from './world.ts';
import { isChange, type PlannedValue, store } from './write.ts';

export type Values = Readonly<Record<string, unknown>>;

export function newRow(world: World, stamp: Stamp, parent: Row['parent'] = null): Row {
  return {
    id: world.newId(),
    seq: world.nextSeq(),
    createdAt: stamp.at,
    shownCreatedAt: stamp.shownAt ?? stamp.at,
    createdBy: stamp.actor,
    current: new Map(),
    past: null,
    deleted: false,
    parent,
  };
}

/** Stores a plan; gives the attributes of the row that changed and the rows at the other ends. */
export function commit(world: World, table: Table, row: Row, plans: readonly PlannedValue[], stamp: Stamp) {
  const changed: Attribute[] = [];
  const touched: Touched[] = [];
  for (const plan of plans) {
    if (!isChange(plan)) continue;
    store(table, row, plan, stamp.at);
    changed.push(plan.attribute);
    touched.push(...syncRelation(world, table, row, plan, stamp));
  }
  return { changed, touched };
}

export function emitUpdated(
  world: World,
  objectId: string,
  row: Row,
  attribute: Attribute,
  stamp: Stamp,
): void {
  const ids = { object_id: objectId, record_id: row.id, attribute_id: attribute.id };
  world.emit('record.updated', ids, stamp.actor);
}

export function emitTouched(world: World, touched: readonly Touched[], stamp: Stamp): void {
  const seen = new Set<string>();
  for (const { table, row, attribute } of touched) {
    const key = `${row.id}/${attribute.id}`;
    if (seen.has(key)) continue;
    seen.add(key);
    emitUpdated(world, table.schema.id, row, attribute, stamp);
  }
}
