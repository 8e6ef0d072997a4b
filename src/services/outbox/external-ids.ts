import type { EntityRow } from '../../domain/entities.ts';
import type { OutboxRow } from '../../domain/outbox.ts';
import type { Stores } from '../ports.ts';

/**
 * An external id goes back to what it was, unless a later write has set it again, or another thing has it now. What the
 * write had set is kept with it, for a replay.
 * @returns the external id of the thing from now on
 */
export async function takeBackExternalId(
  stores: Stores,
  { id, kind, externalIdBefore: before }: OutboxRow,
  entity: EntityRow,
  others: readonly OutboxRow[],
): Promise<string | null> {
  if (before === undefined) return entity.externalId;
  const later = others.find((other) => other.externalIdBefore !== undefined);
  await stores.outbox.setExternalIdBefore(id, later?.externalIdBefore ?? entity.externalId);
  if (later !== undefined) {
    await stores.outbox.setExternalIdBefore(later.id, before);
    return entity.externalId;
  }
  const holder = before === null ? undefined : await stores.entities.findByExternalId(kind, before);
  return holder === undefined || holder.id === entity.id ? before : null;
}

/** The external id that the write had set, unless another thing has it now. */
export async function takeExternalId(
  stores: Stores,
  { id, kind, externalIdBefore: wanted }: OutboxRow,
  entity: EntityRow,
): Promise<string | null> {
  if (wanted === undefined) return entity.externalId;
  await stores.outbox.setExternalIdBefore(id, entity.externalId);
  const holder = wanted === null ? undefined : await stores.entities.findByExternalId(kind, wanted);
  return holder === undefined || holder.id === entity.id ? wanted : entity.externalId;
}
