import type { Item, ItemKind } from '../domain/items.ts';
import { parseJson } from './database.ts';
import type { ItemLinkTable, ItemTable } from './schema.ts';

export function readItem(row: ItemTable, links: readonly ItemLinkTable[]): Item {
  return {
    kind: row.kind as ItemKind, // written from an Item
    id: row.id,
    attioId: row.attio_id,
    listId: row.list_id,
    entryId: row.entry_id,
    threadId: row.thread_id,
    links: links.map(({ object, record_id: recordId, entity_id: entityId }) => {
      return { object, recordId, entityId };
    }),
    body: parseJson(row.body_json),
    shown: parseJson(row.shown_json),
    stage: row.stage,
    amount: row.amount === null ? null : Number(row.amount),
    currencyCode: row.currency_code,
    isCompleted: row.is_completed === null ? null : row.is_completed === 1,
    hash: row.hash,
    readAt: row.read_at,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
    syncFailure: row.sync_failure_json === null ? null : parseJson(row.sync_failure_json),
    requestKey: row.request_key,
  };
}

export function writeItem(item: Item): ItemTable {
  return {
    kind: item.kind,
    id: item.id,
    attio_id: item.attioId,
    list_id: item.listId,
    entry_id: item.entryId,
    thread_id: item.threadId,
    stage: item.stage,
    amount: item.amount === null ? null : String(item.amount),
    currency_code: item.currencyCode,
    is_completed: item.isCompleted === null ? null : item.isCompleted ? 1 : 0,
    body_json: JSON.stringify(item.body),
    shown_json: JSON.stringify(item.shown),
    hash: item.hash,
    read_at: item.readAt,
    version: item.version,
    created_at: item.createdAt,
    updated_at: item.updatedAt,
    deleted_at: item.deletedAt,
    sync_failure_json: item.syncFailure === null ? null : JSON.stringify(item.syncFailure),
    request_key: item.requestKey,
  };
}

export function linkRows(item: Item): ItemLinkTable[] {
  return item.links.map(({ object, recordId, entityId }, position) => {
    return {
      kind: item.kind,
      item_id: item.id,
      position,
      object,
      record_id: recordId,
      entity_id: entityId,
    };
  });
}
