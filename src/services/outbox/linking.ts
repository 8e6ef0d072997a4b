import type { EntityKind, EntityRow } from '../../domain/entities.ts';
import { passOnConflicts } from '../conflicts/open.ts';
import type { Stores } from '../ports.ts';

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
  await passOnConflicts(stores, kind, entity.id, { entityId: owner.id, recordId, read: null }, at);
  const heir: EntityRow = { ...owner, externalId: externalId ?? owner.externalId, syncFailure: null };
  await stores.entities.put([{ ...heir, deletedAt: null, mergedInto: null }]);
  return owner.id;
}

/** The record was made, and deleted again, before the answer that made it the thing's was heard. */
export async function staysGone(
  stores: Stores,
  kind: EntityKind,
  entityId: string,
  recordId: string,
  at: string,
): Promise<void> {
  const state = (await stores.records.states(kind, [recordId])).get(recordId);
  const entity = await stores.entities.find(kind, entityId);
  if (state === undefined || state.deletedAt === null || state.mergedInto !== null) return;
  if (entity === undefined || entity.recordId !== recordId) return;
  await stores.entities.put([
    { ...entity, deletedAt: state.deletedAt, version: entity.version + 1, updatedAt: at },
  ]);
}
