import type { NewDeadLetter } from '../../domain/dead-letters.ts';
import type { EntityRow } from '../../domain/entities.ts';
import type { OutboxRow, WriteRow } from '../../domain/outbox.ts';
import type { Stores } from '../ports.ts';
import { undoingOf } from './archive.ts';
import { takeBackExternalId } from './external-ids.ts';
import type { Failure } from './failure.ts';

/**
 * Takes back what the write has changed here and was for Attio alone to confirm.
 * @returns a record that is to be seen here again
 */
export async function goBack(
  stores: Stores,
  row: OutboxRow,
  failure: EntityRow['syncFailure'],
  at: string,
): Promise<string | null> {
  const entity = await stores.entities.find(row.kind, row.entityId);
  if (entity === undefined) return null;
  if (row.operation === 'delete') {
    if (entity.recordId !== null) await stores.records.setHidden(row.kind, [entity.recordId], false, at);
    return entity.recordId;
  }
  if (row.operation === 'restore') return stayDeleted(stores, row, entity);
  const others = (await stores.outbox.pendingOf(row.kind, [entity.id])).get(entity.id) ?? [];
  const earlier = entity.recordId === null ? await stores.outbox.lastFailureOf(row.kind, entity.id) : null;
  // It has never been in Attio, and whoever asked for it knows that it will not be.
  if (failure === null && entity.recordId === null && others.length === 0 && earlier === null) {
    await stores.entities.remove(row.kind, entity.id);
    return null;
  }
  const externalId = await takeBackExternalId(stores, row, entity, others);
  const syncFailure = failure ?? entity.syncFailure ?? earlier;
  await stores.entities.put([{ ...entity, externalId, syncFailure }]);
  return null;
}

/** What could not be restored is as deleted as before, unless it has been written to since. */
async function stayDeleted(stores: Stores, row: OutboxRow, entity: EntityRow): Promise<null> {
  const pending = (await stores.outbox.pendingOf(row.kind, [entity.id])).get(entity.id) ?? [];
  if (pending.length > 0) return null;
  const { deletedAt, recordId: former } = undoingOf(row);
  const recordId = entity.recordId ?? former;
  const stone = former === null ? undefined : await stores.entities.find(row.kind, former);
  if (stone !== undefined && stone.mergedInto === entity.id) await stores.entities.remove(row.kind, stone.id);
  await stores.entities.put([{ ...entity, deletedAt, recordId, version: entity.version + 1 }]);
  return null;
}

export function letterOf(row: WriteRow, failure: Failure, at: string): NewDeadLetter {
  return {
    kind: 'outbox',
    reason: failure.code,
    detail: `${row.kind} ${row.entityId}: ${failure.detail}`,
    eventId: null,
    outboxId: row.id,
    eventType: `${row.kind}.${row.operation}`,
    bodyBase64: null,
    attempts: row.attempts + 1,
    createdAt: at,
  };
}
