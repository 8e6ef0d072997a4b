import { blankFacts, type EntityKind, type EntityRow } from '../../domain/entities.ts';
import { survivorOfThing } from '../living.ts';
import type { Stores } from '../ports.ts';
import { join } from '../sync/joining.ts';
import type { Mapping } from '../sync/mapping.ts';

/**
 * The record is that of the thing. When another thing has it already, the two are one: the other one lives on.
 * @returns the id of the thing that has the record now
 */
export async function link(
  stores: Stores,
  mapping: Mapping,
  kind: EntityKind,
  entityId: string,
  recordId: string,
  at: string,
): Promise<string> {
  const entity = await stores.entities.find(kind, entityId);
  if (entity === undefined) return entityId;
  // The record was merged into another one while the write was sent.
  if (entity.mergedInto !== null)
    return (await survivorOfThing(stores.entities, kind, entity.id))?.id ?? entity.id;
  const holder = (await stores.entities.byRecordIds(kind, [recordId])).get(recordId);
  if (holder === undefined || holder.id === entity.id) {
    await stores.entities.put([
      { ...entity, recordId, deletedAt: null, mergedInto: null, syncFailure: null },
    ]);
    await keepFormerId(stores, entity, recordId, at);
    return entity.id;
  }
  // A record that was merged on before we heard of its making is its survivor's.
  const owner = (await survivorOfThing(stores.entities, kind, holder.id)) ?? holder;
  const heir = await join(stores, mapping, { from: entity, into: owner, externalIdOf: 'from', at });
  const isBack = owner.id === holder.id;
  await stores.entities.put([
    { ...heir, syncFailure: null, ...(isBack ? { deletedAt: null, mergedInto: null } : {}) },
  ]);
  return owner.id;
}

/** A record that was made anew has another id in Attio: the one before finds the thing as well. */
export async function keepFormerId(
  stores: Stores,
  { kind, id, recordId: former }: EntityRow,
  recordId: string | null,
  at: string,
): Promise<void> {
  if (former === null || former === recordId || former === id) return;
  const facts = blankFacts(kind);
  await stores.entities.put([
    {
      kind,
      id: former,
      recordId: former,
      externalId: null,
      webUrl: null,
      version: 0,
      createdAt: at,
      updatedAt: at,
      deletedAt: at,
      mergedInto: id,
      syncFailure: null,
      facts,
      keys: [],
    },
  ]);
}
