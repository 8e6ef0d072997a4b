import type { EntityKind, EntityRow } from '../../domain/entities.ts';
import type { OutboxRow } from '../../domain/outbox.ts';
import type { RecordSnapshot } from '../../domain/records.ts';
import type { Stores } from '../ports.ts';
import { deletionOf } from './intents.ts';

/**
 * The record is that of the thing. When another thing has it already, the two are one: the other one lives on.
 * @returns the id of the thing that has the record now
 */
export async function link(
  stores: Stores,
  kind: EntityKind,
  entityId: string,
  recordId: string,
  at: string,
): Promise<string> {
  const entity = await stores.entities.find(kind, entityId);
  if (entity === undefined) return entityId;
  // The record was merged into another one while the write was sent.
  if (entity.mergedInto !== null) return entity.mergedInto;
  const owner = (await stores.entities.byRecordIds(kind, [recordId])).get(recordId);
  if (owner === undefined || owner.id === entity.id) {
    await stores.entities.put([
      { ...entity, recordId, deletedAt: null, mergedInto: null, syncFailure: null },
    ]);
    return entity.id;
  }
  const { externalId } = entity;
  await stores.entities.put([
    {
      ...entity,
      externalId: null,
      deletedAt: at,
      mergedInto: owner.id,
      version: entity.version + 1,
      updatedAt: at,
    },
  ]);
  await stores.outbox.redirect(kind, entity.id, owner.id);
  const heir: EntityRow = { ...owner, externalId: externalId ?? owner.externalId, syncFailure: null };
  await stores.entities.put([{ ...heir, deletedAt: null, mergedInto: null }]);
  return owner.id;
}

/** The thing, if it was removed here. */
export async function removedThing(stores: Stores, kind: EntityKind, id: string): Promise<EntityRow | null> {
  const entity = await stores.entities.find(kind, id);
  return entity !== undefined && entity.deletedAt !== null && entity.mergedInto === null ? entity : null;
}

/** A record that was made for a thing that is removed here is not taken in; it is deleted when the thing was to be. */
export async function leaveUnseen(
  stores: Stores,
  row: OutboxRow,
  entityId: string,
  { object, recordId, createdAt, readAt }: RecordSnapshot,
  at: string,
): Promise<void> {
  const { kind } = row;
  await stores.outbox.settle(row.id, 'cancelled', at, null);
  const entity = await stores.entities.find(kind, entityId);
  const owners = await stores.entities.byRecordIds(kind, [recordId]);
  if (entity === undefined || owners.size > 0) return;
  const stone = { deletedAt: at, mergedInto: null, hidden: true, webUrl: null, values: {}, hash: '' };
  await stores.records.upsert([{ object, recordId, createdAt, readAt, ...stone }]);
  await stores.entities.put([{ ...entity, recordId }]);
  if (await stores.outbox.isToBeDeleted(kind, entityId)) {
    await stores.outbox.add(deletionOf(entity, at));
  }
}
