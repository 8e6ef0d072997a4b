import type { Clock } from '../../domain/clock.ts';
import { blankFacts, type EntityKind, type EntityRow } from '../../domain/entities.ts';
import type { OutboxRow } from '../../domain/outbox.ts';
import { closeAll } from '../conflicts/open.ts';
import { deletedThing, unknownThing } from '../errors.ts';
import type { WriteOptions } from '../inputs.ts';
import { removeItemsOf } from '../items/removal.ts';
import { survivorOfThing } from '../living.ts';
import type { Stores, UnitOfWork } from '../ports.ts';
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

  /**
   * @param id ours or the Attio record id
   * @param noun for what is said of it
   * @returns the thing as it is now, and the outbox row that deletes the record; null when there is none
   * @throws ServiceError `not_found`; `gone` when it is deleted already, unless it is to be erased
   */
  async remove(
    kind: EntityKind,
    id: string,
    noun: string,
    options: RemovalOptions & WriteOptions,
  ): Promise<{ entity: EntityRow; outboxId: number | null }> {
    const at = new Date(this.#clock.now()).toISOString();
    const { before, after, outboxId, itemIds } = await this.#store.transaction(async (stores) => {
      const entity = await survivorOfThing(stores.entities, kind, id);
      if (entity === undefined) throw unknownThing(noun);
      if (entity.deletedAt !== null && !options.erase) throw deletedThing(noun, entity.deletedAt);
      return takeAway(stores, entity, options, at);
    });
    if (options.erase) {
      const { id: ownId, recordId } = before;
      const ids = [ownId, ...(recordId === null ? [] : [recordId]), ...before.keys, ...itemIds];
      await this.#onErased([...new Set(ids)]);
    }
    this.#onRemoved(kind, before.recordId === null ? [] : [before.recordId]);
    if (outboxId !== null && options.wait) this.#waiters.expect(outboxId);
    return { entity: after, outboxId };
  }
}

interface Taken {
  readonly before: EntityRow;
  readonly after: EntityRow;
  readonly outboxId: number | null;
  /** Of what hung on it. */
  readonly itemIds: readonly string[];
}

async function takeAway(
  stores: Stores,
  entity: EntityRow,
  options: RemovalOptions,
  at: string,
): Promise<Taken> {
  const { kind, id, recordId } = entity;
  const mergedIds = await stores.entities.mergedFrom(kind, id);
  const pending = (await stores.outbox.pendingOf(kind, [id])).get(id) ?? [];
  // What Attio never had need not come to it first.
  const isTakenBack = recordId === null && options.attio === 'keep';
  if (isTakenBack) await stores.outbox.cancelOf(kind, [id], at);
  await stopRestoring(stores, pending, at);
  if (recordId !== null) await stores.records.setHidden(kind, [recordId], true, at);
  const gone = options.erase
    ? withoutValues(entity, at)
    : { ...entity, deletedAt: entity.deletedAt ?? at, updatedAt: at };
  const after = { ...gone, version: entity.version + 1 };
  await stores.entities.put([after]);
  if (entity.deletedAt === null) await appendDeletion(stores, entity, at);
  await closeAll(stores, kind, [id], 'removed', at);
  const recordIds = recordId === null ? [] : [recordId];
  const removed = { recordIds, entityIds: [id, ...mergedIds] };
  const itemIds = await removeItemsOf(stores, removed, options.erase, at);
  if (options.erase) await erase(stores, entity, mergedIds, at);
  const outboxId = options.attio === 'delete' ? await queueDeletion(stores, entity, pending, at) : null;
  return { before: entity, after, outboxId, itemIds };
}

async function stopRestoring(stores: Stores, pending: readonly OutboxRow[], at: string): Promise<void> {
  const restoring = pending.filter((row) => row.operation === 'restore');
  for (const row of restoring) await stores.outbox.callOff(row.id, at);
}

/** What is left of a thing whose values are to go. */
export function withoutValues(entity: EntityRow, at: string): EntityRow {
  return {
    ...entity,
    externalId: null,
    webUrl: null,
    facts: blankFacts(entity.kind),
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
  await stores.outbox.cancelOf(kind, [id, ...mergedIds], at);
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

/**
 * Behind what is pending of the thing: a record that is being made has an id by then. What has no record and was being
 * written may have one that we have not heard of, and is looked for by its key.
 */
async function queueDeletion(
  stores: Stores,
  entity: EntityRow,
  pending: readonly OutboxRow[],
  at: string,
): Promise<number | null> {
  if (entity.recordId !== null) return stores.outbox.add(deletionOf(entity, null, at));
  const key = pending.map((row) => row.key).find((known) => known !== null);
  return key === undefined ? null : stores.outbox.add(deletionOf(entity, key, at));
}
