import type { EntityKind, EntityRow } from '../../domain/entities.ts';
import type { OutboxRow } from '../../domain/outbox.ts';
import type { RecordSnapshot } from '../../domain/records.ts';
import type { Stores } from '../ports.ts';
import { deletionOf } from './intents.ts';
import { appendDeletion, withoutValues } from './removal.ts';

/** The thing, if it was removed here. */
export async function removedThing(stores: Stores, kind: EntityKind, id: string): Promise<EntityRow | null> {
  const entity = await stores.entities.find(kind, id);
  return entity !== undefined && entity.deletedAt !== null && entity.mergedInto === null ? entity : null;
}

/**
 * A record that a write has made for a thing that was removed here meanwhile: it is not taken in, and is deleted when
 * the thing was to be. Its webhook may have come first and made another thing of it, which goes as well.
 * @param made whether the write has made it: a record that was there before is somebody's own
 */
export async function leaveUnseen(
  stores: Stores,
  row: OutboxRow,
  entityId: string,
  answer: RecordSnapshot,
  made: boolean,
  at: string,
): Promise<void> {
  const { kind } = row;
  const { recordId } = answer;
  await stores.outbox.settle(row.id, 'cancelled', at, null);
  const entity = await stores.entities.find(kind, entityId);
  const owner = (await stores.entities.byRecordIds(kind, [recordId])).get(recordId);
  if (entity === undefined || (owner !== undefined && !made)) return;
  await hideRecord(stores, entity, recordId, at);
  const isNews = entity.recordId === null;
  if (isNews && (await stores.outbox.isToBeDeleted(kind, entityId, row.id))) {
    await stores.outbox.add(deletionOf(entity, null, at));
  }
}

/** The record is that of a thing that was removed here, and is not to be seen. */
export async function hideRecord(
  stores: Stores,
  entity: EntityRow,
  recordId: string,
  at: string,
): Promise<void> {
  const { kind } = entity;
  const owner = (await stores.entities.byRecordIds(kind, [recordId])).get(recordId);
  if (owner !== undefined && owner.id !== entity.id) await dissolve(stores, owner, entity, at);
  const gone = { deletedAt: at, mergedInto: null, hidden: true, webUrl: null, values: {}, hash: '' };
  await stores.records.upsert([{ object: kind, recordId, createdAt: at, readAt: '', ...gone }]);
  // Where a read of it stands already.
  await stores.records.setHidden(kind, [recordId], true, at);
  await stores.entities.put([{ ...entity, recordId }]);
}

/** What a webhook has made of the record becomes part of the thing that was removed. */
async function dissolve(stores: Stores, owner: EntityRow, removed: EntityRow, at: string): Promise<void> {
  const { kind } = owner;
  await appendDeletion(stores, owner, at);
  await stores.entities.put([
    { ...withoutValues(owner, at), recordId: null, mergedInto: removed.id, version: owner.version + 1 },
  ]);
  // An erased thing has no values left, not even what it is found by.
  if (removed.keys.length > 0 || owner.recordId === null) return;
  const erased = { object: kind, entityIds: [owner.id], recordIds: [owner.recordId], keys: owner.keys };
  await stores.erasure.erase(erased);
}
