import type { Clock } from '../../domain/clock.ts';
import type { EntityKind, EntityRow } from '../../domain/entities.ts';
import type { WriteOptions } from '../inputs.ts';
import type { Stores, UnitOfWork } from '../ports.ts';
import { entityFacts } from '../sync/mapping.ts';
import { deletionOf } from './intents.ts';
import type { Waiters } from './waiters.ts';

export interface RemovalOptions {
  /** Whether the record in Attio stays. */
  readonly attio: 'keep' | 'delete';
  /** Removes the values of the person from everything that is stored here. */
  readonly erase: boolean;
}

/** Takes things away: here at once, in Attio by the outbox. What Attio says of the record later is not taken in again. */
export class RemovalService {
  readonly #store: UnitOfWork;
  readonly #clock: Clock;
  readonly #waiters: Waiters;
  readonly #onRemoved: (kind: EntityKind, recordIds: readonly string[]) => void;
  readonly #onErased: (ids: readonly string[]) => Promise<void>;

  /**
   * @param deps.onRemoved called after the commit: caches forget, followers wake
   * @param deps.onErased has replies and cached answers forgotten that may hold values
   */
  constructor(deps: {
    store: UnitOfWork;
    clock: Clock;
    waiters: Waiters;
    onRemoved: (kind: EntityKind, recordIds: readonly string[]) => void;
    onErased: (ids: readonly string[]) => Promise<void>;
  }) {
    this.#store = deps.store;
    this.#clock = deps.clock;
    this.#waiters = deps.waiters;
    this.#onRemoved = deps.onRemoved;
    this.#onErased = deps.onErased;
  }

  /** @returns the thing as it is now, and the outbox row that deletes the record; null when there is none */
  async remove(
    entity: EntityRow,
    options: RemovalOptions & WriteOptions,
  ): Promise<{ entity: EntityRow; outboxId: number | null }> {
    const at = new Date(this.#clock.now()).toISOString();
    const removed = await this.#store.transaction(async (stores) => {
      const { kind, id, recordId } = entity;
      const mergedIds = await stores.entities.mergedFrom(kind, id);
      const wasBeingWritten = (await stores.outbox.pendingOf(kind, [id])).has(id);
      // What Attio never had need not come to it first.
      const isTakenBack = recordId === null && options.attio === 'keep';
      if (isTakenBack) await stores.outbox.cancelOf(kind, id, at);
      if (recordId !== null) await stores.records.setHidden(kind, [recordId], true, at);
      const gone = options.erase ? withoutValues(entity, at) : { ...entity, deletedAt: at, updatedAt: at };
      await stores.entities.put([{ ...gone, version: entity.version + 1 }]);
      await appendDeletion(stores, entity, at);
      if (options.erase) await erase(stores, entity, mergedIds, at);
      const outboxId =
        options.attio === 'delete' ? await queueDeletion(stores, entity, wasBeingWritten, at) : null;
      return { entity: gone, outboxId };
    });
    if (removed.outboxId !== null && options.wait) this.#waiters.expect(removed.outboxId);
    if (options.erase) await this.#onErased([entity.id, ...entity.keys]);
    this.#onRemoved(entity.kind, entity.recordId === null ? [] : [entity.recordId]);
    return removed;
  }
}

/** What is left of a thing whose values are to go. */
export function withoutValues(entity: EntityRow, at: string): EntityRow {
  return {
    ...entity,
    externalId: null,
    webUrl: null,
    facts: entityFacts(entity.kind, {}, {}),
    keys: [],
    syncFailure: null,
    deletedAt: entity.deletedAt ?? at,
    updatedAt: at,
  };
}

async function erase(
  stores: Stores,
  entity: EntityRow,
  mergedIds: readonly string[],
  at: string,
): Promise<void> {
  const { kind, id, recordId } = entity;
  for (const each of [id, ...mergedIds]) await stores.outbox.cancelOf(kind, each, at);
  const merged = await Promise.all(mergedIds.map((one) => stores.entities.find(kind, one)));
  const dead = merged.filter((one) => one !== undefined);
  await stores.entities.put(dead.map((one) => withoutValues(one, at)));
  const recordIds = [recordId, ...dead.map((one) => one.recordId)].filter((one) => one !== null);
  await stores.records.setHidden(kind, recordIds, true, at);
  await stores.erasure.erase({
    object: kind,
    entityIds: [id, ...mergedIds],
    recordIds,
    keys: [...entity.keys, ...dead.flatMap((one) => one.keys)],
  });
}

export async function appendDeletion(stores: Stores, entity: EntityRow, at: string): Promise<void> {
  // Followers were never told of one that has no record.
  if (entity.recordId === null) return;
  await stores.changes.append([
    {
      type: 'record.deleted',
      object: entity.kind,
      id: entity.id,
      source: 'local',
      changed: [],
      at,
      data: { recordId: entity.recordId },
    },
  ]);
}

/** Behind what is pending of the thing: a record that is being made has an id by then. */
async function queueDeletion(
  stores: Stores,
  entity: EntityRow,
  wasBeingWritten: boolean,
  at: string,
): Promise<number | null> {
  if (entity.recordId === null && !wasBeingWritten) return null;
  return stores.outbox.add(deletionOf(entity, at));
}
