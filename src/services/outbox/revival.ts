import type { Clock } from '../../domain/clock.ts';
import type { DeadLetter } from '../../domain/dead-letters.ts';
import { keysOf } from '../../domain/entities.ts';
import type { ItemKind } from '../../domain/items.ts';
import { isItemRow, type OutboxRow } from '../../domain/outbox.ts';
import { ServiceError } from '../errors.ts';
import type { Stores, UnitOfWork } from '../ports.ts';
import type { Mapping } from '../sync/mapping.ts';
import { takeExternalId } from './external-ids.ts';

/**
 * Takes a write that was given up back to work, as if it had been asked for just now.
 * @throws ServiceError `refused` when there is nothing left of it
 */
export async function reviveWrite(
  deps: {
    readonly store: UnitOfWork;
    readonly mapping: Mapping;
    readonly clock: Clock;
    /** Shows again what the write of an item asks for. */
    readonly showItem: (stores: Stores, row: OutboxRow<ItemKind>, at: string) => Promise<void>;
  },
  letter: DeadLetter,
): Promise<void> {
  const at = new Date(deps.clock.now()).toISOString();
  await deps.store.transaction(async (stores) => {
    const row = letter.outboxId === null ? undefined : await stores.outbox.get(letter.outboxId);
    if (row === undefined || row.status !== 'dead') {
      throw new ServiceError('refused', 'there is nothing left of this write');
    }
    await stores.outbox.revive(row.id, Number(letter.id), at);
    if (isItemRow(row)) return deps.showItem(stores, row, at);
    await showThing(stores, deps.mapping, row, at);
  });
}

async function showThing(stores: Stores, mapping: Mapping, row: OutboxRow, at: string): Promise<void> {
  const { kind } = row;
  const entity = await stores.entities.find(kind, row.entityId);
  if (entity === undefined) return;
  if (row.operation === 'delete') {
    const recordIds = entity.recordId === null ? [] : [entity.recordId];
    return stores.records.setHidden(kind, recordIds, true, at);
  }
  const facts = mapping.overlay(kind, entity.facts, [row.intent]);
  const externalId = await takeExternalId(stores, row, entity);
  const shown = {
    externalId,
    facts,
    keys: keysOf(facts),
    version: entity.version + 1,
    updatedAt: at,
    syncFailure: null,
    ...(row.operation === 'restore' ? { deletedAt: null } : {}),
  };
  await stores.entities.put([{ ...entity, ...shown }]);
}
