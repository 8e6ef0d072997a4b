import type { Clock } from '../../domain/clock.ts';
import type { Item } from '../../domain/items.ts';
import { isOutage } from '../errors.ts';
import type { ItemFilter, ItemStore } from '../ports.ts';
import type { ItemApply } from './apply.ts';
import type { ItemRefresh } from './refresh.ts';
import type { ItemSource, ThreadsPlace } from './source.ts';

/** A place is read at most this often. */
const READ_AGAIN_MS = 30_000;
/** How long somebody waits who is the first to ask for a place. */
const FIRST_WAIT_MS = 2_000;
/** Places remembered. */
const MAX_PLACES = 10_000;
const MAX_OF_PLACE = 1_000;

/** What the route of comments needs. */
export interface CommentsRefresh {
  /** See `CommentsOnDemand`. Never rejects. */
  refresh(place: ThreadsPlace): Promise<void>;
}

/**
 * Comments of one record or entry, read from Attio because somebody asks for them: Attio lists comments in no other way,
 * and those made before our webhook are told by no event.
 *
 * Resolves at once, and reads in the background; only for a place that this process has never read it waits for that,
 * 2 s at most.
 */
export class CommentsOnDemand implements CommentsRefresh {
  readonly #source: Pick<ItemSource, 'commentsOf'>;
  readonly #apply: ItemApply;
  readonly #refresh: Pick<ItemRefresh, 'lookAgain'>;
  readonly #items: Pick<ItemStore, 'list'>;
  readonly #clock: Clock;
  readonly #unexpected: (where: string, error: unknown) => void;
  /** When each place was last begun to be read, and whether it was ever read to the end. The oldest first. */
  readonly #places = new Map<string, { startedAt: number; wasRead: boolean }>();
  readonly #reading = new Map<string, Promise<void>>();
  readonly #closed = new AbortController();

  constructor(deps: {
    source: Pick<ItemSource, 'commentsOf'>;
    apply: ItemApply;
    refresh: Pick<ItemRefresh, 'lookAgain'>;
    items: Pick<ItemStore, 'list'>;
    clock: Clock;
    events: { unexpected(where: string, error: unknown): void };
  }) {
    this.#source = deps.source;
    this.#apply = deps.apply;
    this.#refresh = deps.refresh;
    this.#items = deps.items;
    this.#clock = deps.clock;
    this.#unexpected = (where, error) => deps.events.unexpected(where, error);
  }

  async refresh(place: ThreadsPlace): Promise<void> {
    if (this.#closed.signal.aborted) return;
    const key = 'recordId' in place ? `record/${place.recordId}` : `entry/${place.entryId}`;
    const known = this.#places.get(key);
    const reading = this.#reading.get(key) ?? this.#begin(key, place);
    if (reading === null || known?.wasRead === true) return;
    const waited = new AbortController();
    const limit = this.#clock.sleep(FIRST_WAIT_MS, waited.signal).catch(() => {});
    await Promise.race([reading, limit]);
    waited.abort();
  }

  /** Resolves when what is under way has ended. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('closing'));
    await Promise.all(this.#reading.values());
  }

  /** @returns null when the place was read lately */
  #begin(key: string, place: ThreadsPlace): Promise<void> | null {
    const now = this.#clock.now();
    const known = this.#places.get(key);
    if (known !== undefined && now - known.startedAt < READ_AGAIN_MS) return null;
    this.#places.delete(key);
    const [oldest] = this.#places.size >= MAX_PLACES ? this.#places.keys() : [];
    if (oldest !== undefined) this.#places.delete(oldest);
    const entry = { startedAt: now, wasRead: known?.wasRead ?? false };
    this.#places.set(key, entry);
    const reading = this.#read(place)
      .then(
        () => {
          entry.wasRead = true;
        },
        (error: unknown) => {
          // What the token may not do, or Attio cannot now: what is mirrored is shown.
          if (!isOutage(error) && !this.#closed.signal.aborted) this.#unexpected('comments on demand', error);
        },
      )
      .finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  async #read(place: ThreadsPlace): Promise<void> {
    const snapshots = await this.#source.commentsOf(place, this.#closed.signal);
    await this.#apply.apply('comments', snapshots, { touchUnchanged: true });
    const shown = new Set(snapshots.map((snapshot) => snapshot.attioId));
    const held = await this.#heldOf(place);
    const missing = held.flatMap(({ attioId }) => (attioId === null || shown.has(attioId) ? [] : [attioId]));
    // Pages shift while threads come and go: what is missing is looked for by itself.
    await Promise.all(missing.map((id) => this.#refresh.lookAgain({ kind: 'comments', listId: null }, id)));
  }

  async #heldOf(place: ThreadsPlace): Promise<Item[]> {
    const filter: ItemFilter =
      'recordId' in place
        ? { record: { recordId: place.recordId, entityId: null } }
        : { entryIds: [place.entryId] };
    const held = await this.#items.list('comments', filter, '', MAX_OF_PLACE);
    // A comment on an entry is about the entry's record, too; Attio lists it with the entry only.
    return 'recordId' in place ? held.filter((item) => item.entryId === null) : held;
  }
}
