import type { Clock } from '../../domain/clock.ts';
import { decideAbsence } from '../../domain/decide.ts';
import { ITEM_NOUNS, type Item, type ItemKind } from '../../domain/items.ts';
import { closeAll } from '../conflicts/open.ts';
import type { Stores, SyncEvents, UnitOfWork } from '../ports.ts';
import type { GoneCounts } from '../sync/gone.ts';
import { changeOf } from './apply.ts';

/** An item that Attio no longer has. */
export interface ItemAbsence {
  readonly attioId: string;
  /** The instant of the read that did not find it. */
  readonly readAt: string;
  /**
   * Attio has told that it was deleted: one that was never mirrored leaves a gravestone then, for an older answer that
   * still shows it may be on its way.
   */
  readonly isTold?: boolean;
}

/** Marks items that are gone from Attio. */
export class ItemGone {
  readonly #store: UnitOfWork;
  readonly #clock: Clock;
  readonly #events: SyncEvents;
  readonly #onCommitted: () => void;

  constructor(deps: { store: UnitOfWork; clock: Clock; events: SyncEvents; onCommitted: () => void }) {
    this.#store = deps.store;
    this.#clock = deps.clock;
    this.#events = deps.events;
    this.#onCommitted = deps.onCommitted;
  }

  /** @param within runs in the same transaction, with what was settled */
  async settle(
    kind: ItemKind,
    absences: readonly ItemAbsence[],
    within: (stores: Stores, counts: GoneCounts) => Promise<void> = async () => {},
  ): Promise<GoneCounts> {
    if (absences.length === 0) return { deleted: 0, merged: 0 };
    const gone = await this.#store.transaction(async (stores) => {
      const items = await markGone(stores, kind, absences, this.#now());
      await within(stores, { deleted: items.length, merged: 0 });
      return items;
    });
    this.#events.recordsSettled(kind, 'deleted', gone.length);
    if (gone.length > 0) this.#onCommitted();
    return { deleted: gone.length, merged: 0 };
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString();
  }
}

/** @returns those that were not gone before */
async function markGone(
  stores: Stores,
  kind: ItemKind,
  absences: readonly ItemAbsence[],
  at: string,
): Promise<Item[]> {
  const known = await stores.items.byAttioIds(
    kind,
    absences.map((absence) => absence.attioId),
  );
  const gone = absences.flatMap(({ attioId, readAt }) => {
    const item = known.get(attioId);
    const state = item && { ...item, hidden: false };
    if (item === undefined || decideAbsence(state, readAt) !== 'gone') return [];
    return [{ ...item, readAt, deletedAt: at, updatedAt: at, version: item.version + 1 }];
  });
  const told = absences.filter(({ attioId, isTold = false }) => isTold && !known.has(attioId));
  const outlived = await stores.items.outlived(
    kind,
    told.map(({ attioId }) => attioId),
  );
  const stones = told.filter(({ attioId }) => !outlived.has(attioId));
  const goneIds = gone.map((item) => item.id);
  await closeAll(stores, ITEM_NOUNS[kind], goneIds, 'deleted_in_attio', at);
  await stores.items.put([...gone, ...stones.map((absence) => gravestone(kind, absence, at))]);
  await stores.changes.append(
    gone.map((item) =>
      changeOf(item, 'deleted', { changed: [], at, data: { attioId: item.attioId }, source: 'attio' }),
    ),
  );
  return gone;
}

function gravestone(kind: ItemKind, { attioId, readAt }: ItemAbsence, at: string): Item {
  return {
    kind,
    id: attioId,
    attioId,
    listId: null,
    entryId: null,
    threadId: null,
    links: [],
    body: {},
    shown: {},
    stage: null,
    amount: null,
    currencyCode: null,
    isCompleted: null,
    hash: '',
    readAt,
    version: 0,
    createdAt: at,
    updatedAt: at,
    deletedAt: at,
    syncFailure: null,
    requestKey: null,
  };
}
