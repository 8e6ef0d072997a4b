import type { Clock } from '../../domain/clock.ts';
import { blankFacts, type EntityKind, type EntityRow } from '../../domain/entities.ts';
import { ServiceError, unknownThing } from '../errors.ts';
import type { WriteOptions } from '../inputs.ts';
import { survivorOfThing } from '../living.ts';
import type { Stores, UnitOfWork } from '../ports.ts';
import type { Mapping } from '../sync/mapping.ts';
import { sameFacts } from '../sync/project.ts';
import { archivedIntent, undoingBase } from './archive.ts';
import { keepFormerId } from './linking.ts';
import type { Waiters } from './waiters.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Brings back what was deleted, in Attio or here, from the values that it was archived with: here at once, in Attio by the
 * outbox. There the record is looked for by its keys before it is made anew, so that a repeated try never makes a second.
 */
export class RestoreService {
  readonly #store: UnitOfWork;
  readonly #mapping: Mapping;
  readonly #clock: Clock;
  readonly #waiters: Waiters;
  readonly #undoDays: number;
  readonly #onRestored: (kind: EntityKind) => void;

  /**
   * @param deps.undoDays how long after its deletion a thing can be restored
   * @param deps.onRestored called after the commit
   */
  constructor(deps: {
    store: UnitOfWork;
    mapping: Mapping;
    clock: Clock;
    waiters: Waiters;
    undoDays: number;
    onRestored: (kind: EntityKind) => void;
  }) {
    this.#store = deps.store;
    this.#mapping = deps.mapping;
    this.#clock = deps.clock;
    this.#waiters = deps.waiters;
    this.#undoDays = deps.undoDays;
    this.#onRestored = deps.onRestored;
  }

  /**
   * @param id ours or the Attio record id
   * @param noun for what is said of it
   * @returns our id of the thing, and the outbox row that restores the record; null when there is nothing to restore
   * @throws ServiceError `not_found`; `gone` when its values are kept no more; `conflict` when another thing has one of its
   *   keys by now, or when it has none by which Attio would know it again
   */
  async restore(
    kind: EntityKind,
    id: string,
    noun: string,
    { wait }: WriteOptions,
  ): Promise<{ entityId: string; outboxId: number | null }> {
    const restored = await this.#store.transaction(async (stores) => {
      const entity = await survivorOfThing(stores.entities, kind, id);
      if (entity === undefined) throw unknownThing(noun);
      if (entity.deletedAt === null)
        return { entityId: entity.id, outboxId: await restoringOf(stores, entity) };
      this.#checkAge(entity, entity.deletedAt, noun);
      return bringBack(stores, this.#mapping, entity, noun, new Date(this.#clock.now()).toISOString());
    });
    if (restored.outboxId !== null && wait) this.#waiters.expect(restored.outboxId);
    this.#onRestored(kind);
    return restored;
  }

  #checkAge({ kind, facts }: EntityRow, deletedAt: string, noun: string): void {
    const isOver = Date.parse(deletedAt) + this.#undoDays * DAY_MS <= this.#clock.now();
    if (!isOver && !sameFacts(facts, blankFacts(kind))) return;
    const why = isOver ? `values are kept for ${this.#undoDays} days` : 'its values were erased';
    throw new ServiceError('gone', `this ${noun} was deleted at ${deletedAt} and cannot be restored: ${why}`);
  }
}

/** The same request again joins the one that is under way. */
async function restoringOf(stores: Stores, { kind, id }: EntityRow): Promise<number | null> {
  const pending = (await stores.outbox.pendingOf(kind, [id])).get(id) ?? [];
  return pending.find((row) => row.operation === 'restore')?.id ?? null;
}

async function bringBack(
  stores: Stores,
  mapping: Mapping,
  entity: EntityRow,
  noun: string,
  at: string,
): Promise<{ entityId: string; outboxId: number }> {
  const { kind, id, deletedAt } = entity;
  const isKept = await isKeptInAttio(stores, entity);
  if (entity.keys.length === 0 && !isKept) {
    const key = kind === 'people' ? 'e-mail address' : 'domain';
    throw new ServiceError(
      'conflict',
      `this ${noun} has no ${key} by which Attio would know it again, so it cannot be restored safely: make it anew in Attio`,
    );
  }
  const holder = await livingHolder(stores, entity);
  if (holder !== null) {
    throw new ServiceError(
      'conflict',
      `another ${noun} has what this one was found by: ${holder}. Write to that one`,
    );
  }
  const recordId = isKept ? entity.recordId : null;
  await stores.entities.put([
    { ...entity, recordId, deletedAt: null, syncFailure: null, version: entity.version + 1, updatedAt: at },
  ]);
  await keepFormerId(stores, entity, recordId, at);
  if (entity.recordId !== null) await stores.records.setHidden(kind, [entity.recordId], false, at);
  const outboxId = await stores.outbox.add({
    operation: 'restore',
    kind,
    entityId: id,
    key: entity.keys[0] ?? null,
    intent: archivedIntent(mapping, entity),
    base: undoingBase({ deletedAt: deletedAt ?? at, recordId: entity.recordId }),
    externalIdBefore: undefined,
    acceptedAt: at,
    afterId: null,
    batch: null,
  });
  return { entityId: id, outboxId };
}

/** It was removed here alone, or its deletion in Attio is yet to be sent, and will not be. */
async function isKeptInAttio(stores: Stores, { kind, id, recordId }: EntityRow): Promise<boolean> {
  if (recordId === null) return false;
  const state = (await stores.records.states(kind, [recordId])).get(recordId);
  if (state?.hidden !== true) return false;
  const pending = (await stores.outbox.pendingOf(kind, [id])).get(id) ?? [];
  if (pending.some((row) => row.operation === 'delete')) return true;
  return !(await stores.outbox.isToBeDeleted(kind, id, 0));
}

/** Another living thing that is found by a key of this one. */
async function livingHolder(stores: Stores, { kind, id, keys }: EntityRow): Promise<string | null> {
  for (const key of keys) {
    const holder = (await stores.entities.findByKey(kind, key)).find(
      (row) => row.id !== id && row.deletedAt === null,
    );
    if (holder !== undefined) return holder.id;
  }
  return null;
}
