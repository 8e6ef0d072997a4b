import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { ItemKind } from '../domain/items.ts';
import { chunks } from './database.ts';
import type { Schema } from './schema.ts';

/** A record, by its Attio id, our id of its thing, or both. */
export interface RecordRef {
  readonly recordId: string | null;
  readonly entityId: string | null;
}

export interface ItemFilter {
  readonly listId?: string;
  /** Ids or titles. */
  readonly stages?: readonly string[];
  readonly record?: RecordRef;
  readonly entryIds?: readonly string[];
  readonly threadId?: string;
  readonly isCompleted?: boolean;
}

export type ItemBuilder = ExpressionBuilder<Schema, 'item'>;

export function conditions(eb: ItemBuilder, kind: ItemKind, filter: ItemFilter): Expression<SqlBool>[] {
  const { listId, stages, record, entryIds, threadId, isCompleted } = filter;
  return [
    sql<SqlBool>`1 = 1`,
    ...(listId === undefined ? [] : [eb('list_id', '=', listId)]),
    ...(stages === undefined ? [] : [eb('stage', 'in', stages)]),
    ...(record === undefined ? [] : [isAbout(eb, kind, record)]),
    ...(entryIds === undefined ? [] : [eb('entry_id', 'in', entryIds)]),
    ...(threadId === undefined ? [] : [eb('thread_id', '=', threadId)]),
    ...(isCompleted === undefined ? [] : [eb('is_completed', '=', isCompleted ? 1 : 0)]),
  ];
}

interface Refs {
  readonly recordIds: readonly string[];
  readonly entityIds: readonly string[];
}

/** Each id once, in parts of a statement's size. */
export function refChunks(records: readonly RecordRef[]): Refs[] {
  const idsOf = (ids: (string | null)[]) => chunks([...new Set(ids.filter((id) => id !== null))]);
  return [
    ...idsOf(records.map(({ recordId }) => recordId)).map((recordIds) => ({ recordIds, entityIds: [] })),
    ...idsOf(records.map(({ entityId }) => entityId)).map((entityIds) => ({ recordIds: [], entityIds })),
  ];
}

/** For the few items that other conditions leave: it is asked of each, by its own links. */
export function isAboutAny(eb: ItemBuilder, { recordIds, entityIds }: Refs): Expression<SqlBool> {
  return eb.exists((sub) =>
    sub
      .selectFrom('item_link')
      .select('item_link.item_id')
      .whereRef('item_link.kind', '=', 'item.kind')
      .whereRef('item_link.item_id', '=', 'item.id')
      .where((link) =>
        link.or([
          ...(recordIds.length === 0 ? [] : [link('item_link.record_id', 'in', recordIds)]),
          ...(entityIds.length === 0 ? [] : [link('item_link.entity_id', 'in', entityIds)]),
        ]),
      ),
  );
}

/** As a set of ids, which both engines take from the index of the links. */
function isAbout(eb: ItemBuilder, kind: ItemKind, { recordId, entityId }: RecordRef): Expression<SqlBool> {
  return eb('item.id', 'in', (sub) =>
    sub
      .selectFrom('item_link')
      .select('item_link.item_id')
      .where('item_link.kind', '=', kind)
      .where((link) =>
        link.or([
          ...(recordId === null ? [] : [link('item_link.record_id', '=', recordId)]),
          ...(entityId === null ? [] : [link('item_link.entity_id', '=', entityId)]),
        ]),
      ),
  );
}
