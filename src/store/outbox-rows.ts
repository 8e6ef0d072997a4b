import type { Insertable, Selectable } from 'kysely';
import type { EntityKind } from '../domain/entities.ts';
import type { NewOutboxRow, OutboxOperation, WriteKind, WriteRow } from '../domain/outbox.ts';
import { parseJson } from './database.ts';
import type { OutboxTable } from './schema.ts';

/** A row as it is when it is accepted. */
export function newRow(row: NewOutboxRow<WriteKind>): Insertable<OutboxTable> {
  return {
    operation: row.operation,
    kind: row.kind,
    entity_id: row.entityId,
    key: row.key,
    intent_json: JSON.stringify(row.intent),
    base_json: JSON.stringify(row.base),
    undo_json: JSON.stringify({ externalId: row.externalIdBefore }),
    status: 'pending',
    attempts: 0,
    next_attempt_at: row.acceptedAt,
    accepted_at: row.acceptedAt,
    settled_at: null,
    after_id: row.afterId,
    batch_id: row.batch?.id ?? null,
    batch_index: row.batch?.index ?? null,
    error_json: null,
    sent_at: null,
    conflict_id: row.conflictId ?? null,
  };
}

export function readRow(row: Selectable<OutboxTable>): WriteRow {
  return {
    id: row.id,
    operation: row.operation as OutboxOperation, // written from a NewOutboxRow
    kind: row.kind as WriteRow['kind'] & EntityKind, // of either; written from a NewOutboxRow
    entityId: row.entity_id,
    key: row.key,
    intent: parseJson(row.intent_json),
    base: parseJson(row.base_json),
    externalIdBefore: parseJson<{ externalId?: string | null }>(row.undo_json).externalId,
    attempts: row.attempts,
    sentAt: row.sent_at,
    acceptedAt: row.accepted_at,
    afterId: row.after_id,
    conflictId: row.conflict_id,
    batch:
      row.batch_id === null || row.batch_index === null ? null : { id: row.batch_id, index: row.batch_index },
  };
}
