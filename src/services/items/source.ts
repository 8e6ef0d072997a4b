import type { AttioClient } from '../../attio/client.ts';
import { type AttioErrorKind, isAttioError } from '../../attio/errors.ts';
import { instantFromMs } from '../../attio/instant.ts';
import type { EntryPage } from '../../attio/resources/entries.ts';
import type { AttioResponse } from '../../attio/transport.ts';
import type { Comment, Entry, Note, Task } from '../../attio/types.ts';
import type { Clock } from '../../domain/clock.ts';
import type { ItemKind, ItemScope, ItemSnapshot } from '../../domain/items.ts';
import { normalizeUuid } from '../../domain/webhook-events.ts';
import { askAttio, fromAttio } from '../attio-errors.ts';
import {
  type ObjectNames,
  toCommentSnapshot,
  toEntrySnapshot,
  toNoteSnapshot,
  toTaskSnapshot,
} from './snapshots.ts';

/** What one or several answers of Attio said about items. */
export interface ItemPage {
  readonly snapshots: readonly ItemSnapshot[];
  /** Ids of items in the answer that could not be read. */
  readonly invalidIds: readonly string[];
  /** Items in the answer whose very id could not be read. */
  readonly unidentified: number;
  /** The instant the answer reflects; of several, the earliest. */
  readonly readAt: string;
  /** Items in the answer, readable or not. */
  readonly size: number;
}

/** Reads items from Attio for the mirror. @throws ServiceError */
export interface ItemSource {
  /** Oldest first. Comments have no pages: Attio lists their threads by record or entry only. */
  page(scope: ItemScope, offset: number, limit: number, signal: AbortSignal): Promise<ItemPage>;
  /** Each that is not in the answer is not in Attio. */
  byIds(scope: ItemScope, attioIds: readonly string[], signal: AbortSignal): Promise<ItemPage>;
  /** Comments of one record or entry. */
  commentsOf(place: ThreadsPlace, signal: AbortSignal): Promise<readonly ItemSnapshot[]>;
}

/** What threads are on. */
export type ThreadsPlace =
  | { readonly object: string; readonly recordId: string }
  | { readonly listId: string; readonly entryId: string };

type Client = Pick<AttioClient, 'entries' | 'notes' | 'tasks' | 'comments' | 'threads' | 'attioTime'>;

/** One item, or the instant at which it was not there. */
type Found = { readonly snapshot: ItemSnapshot } | { readonly absentAt: string };

/** From how many on one query is less than as many looks. */
const QUERY_FROM = 5;

/** Looks under way at once, so that others have their turn. */
const LOOKS_AT_ONCE = 4;

/** Attio limits this one endpoint to ten requests a second. */
const NOTE_PAGE_EVERY_MS = 110;

const THREADS_PER_PAGE = 50;

const REFUSED_FILTER: readonly AttioErrorKind[] = ['filter_error', 'validation', 'value_not_found'];

export class AttioItemSource implements ItemSource {
  readonly #client: Client;
  readonly #names: ObjectNames;
  readonly #clock: Clock;
  readonly #onInvalid: (kind: ItemKind, issue: string) => void;
  /** Attio documents no filter by the id of an entry: where it refuses one, it is not asked again. */
  #filtersById = true;
  #notePageAt = Number.NEGATIVE_INFINITY;

  /** @param deps.onInvalid told of each item that is not what Attio documents */
  constructor(deps: {
    client: Client;
    names: ObjectNames;
    clock: Clock;
    onInvalid: (kind: ItemKind, issue: string) => void;
  }) {
    this.#client = deps.client;
    this.#names = deps.names;
    this.#clock = deps.clock;
    this.#onInvalid = deps.onInvalid;
  }

  async page(scope: ItemScope, offset: number, limit: number, signal: AbortSignal): Promise<ItemPage> {
    const at = { offset, limit, signal };
    switch (scope.kind) {
      case 'entries': {
        const sorts = [{ direction: 'asc', attribute: 'created_at' }] as const;
        const query = { sorts, offset, limit };
        const list = scope.listId ?? '';
        return this.#entries(await askAttio(() => this.#client.entries.query(list, query, { signal })));
      }
      case 'notes':
        await this.#paceNotes(signal);
        return this.#listed(await askAttio(() => this.#client.notes.list(at)), toNoteSnapshot);
      case 'tasks':
        return this.#listed(await askAttio(() => this.#client.tasks.list({}, at)), toTaskSnapshot);
      case 'comments':
        throw new Error('comments have no pages');
    }
  }

  async byIds(scope: ItemScope, attioIds: readonly string[], signal: AbortSignal): Promise<ItemPage> {
    if (scope.kind === 'entries' && attioIds.length >= QUERY_FROM && this.#filtersById) {
      return this.#entriesByIds(scope, attioIds, signal);
    }
    return this.#lookAtEach(scope, attioIds, signal);
  }

  async commentsOf(place: ThreadsPlace, signal: AbortSignal): Promise<readonly ItemSnapshot[]> {
    const filter = 'recordId' in place ? place : { list: place.listId, entryId: place.entryId };
    const snapshots: ItemSnapshot[] = [];
    for (let offset = 0; ; offset += THREADS_PER_PAGE) {
      const at = { offset, limit: THREADS_PER_PAGE, signal };
      const { data, meta } = await askAttio(() => this.#client.threads.list(filter, at));
      const comments = data.flatMap((thread) => thread.comments);
      snapshots.push(
        ...(await Promise.all(comments.map((one) => toCommentSnapshot(one, meta.accurateAt, this.#names)))),
      );
      if (data.length < THREADS_PER_PAGE) return snapshots;
    }
  }

  /** What the query does not show is looked for by itself: that a filter finds nothing proves nothing. */
  async #entriesByIds(scope: ItemScope, attioIds: readonly string[], signal: AbortSignal): Promise<ItemPage> {
    const queried = await this.#queryEntries(scope, attioIds, signal);
    if (queried === null) return this.#lookAtEach(scope, attioIds, signal);
    const wanted = new Set(attioIds);
    const snapshots = queried.snapshots.filter((snapshot) => wanted.has(snapshot.attioId));
    const shown = new Set([...snapshots.map((snapshot) => snapshot.attioId), ...queried.invalidIds]);
    const rest = attioIds.filter((id) => !shown.has(id));
    if (rest.length === 0) return { ...queried, snapshots };
    const looked = await this.#lookAtEach(scope, rest, signal);
    return {
      snapshots: [...snapshots, ...looked.snapshots],
      invalidIds: queried.invalidIds,
      unidentified: 0,
      readAt: earliest([queried.readAt, looked.readAt]),
      size: queried.size + looked.size,
    };
  }

  /** @returns null when Attio does not take the filter */
  async #queryEntries(
    { listId }: ItemScope,
    attioIds: readonly string[],
    signal: AbortSignal,
  ): Promise<ItemPage | null> {
    const query = { filter: { entry_id: { $in: attioIds } }, limit: attioIds.length };
    try {
      return await this.#entries(await this.#client.entries.query(listId ?? '', query, { signal }));
    } catch (error) {
      if (isAttioError(error, 'not_found')) return null;
      if (!isAttioError(error, ...REFUSED_FILTER)) throw fromAttio(error);
      this.#filtersById = false;
      return null;
    }
  }

  async #entries({ entries, invalid, meta }: EntryPage): Promise<ItemPage> {
    for (const { issue } of invalid) this.#onInvalid('entries', issue);
    return {
      snapshots: await Promise.all(
        entries.map((entry) => toEntrySnapshot(entry, meta.accurateAt, this.#names)),
      ),
      invalidIds: invalid.flatMap(({ entryId }) => (entryId === null ? [] : [normalizeUuid(entryId)])),
      unidentified: invalid.filter(({ entryId }) => entryId === null).length,
      readAt: meta.accurateAt,
      size: entries.length + invalid.length,
    };
  }

  async #listed<T>(
    { data, meta }: AttioResponse<T[]>,
    toSnapshot: (item: T, readAt: string, names: ObjectNames) => Promise<ItemSnapshot>,
  ): Promise<ItemPage> {
    const snapshots = await Promise.all(data.map((item) => toSnapshot(item, meta.accurateAt, this.#names)));
    return whole(snapshots, meta.accurateAt);
  }

  async #lookAtEach(scope: ItemScope, attioIds: readonly string[], signal: AbortSignal): Promise<ItemPage> {
    const found: Found[] = [];
    const failures: unknown[] = [];
    const ids = attioIds.values();
    const look = async () => {
      for (const id of ids) {
        found.push(await this.#lookAt(scope, id, signal));
        if (failures.length > 0) return;
      }
    };
    // One that fails stops the others from beginning a look, not from ending one.
    const lookers = Array.from({ length: LOOKS_AT_ONCE }, look);
    await Promise.all(lookers.map((looker) => looker.catch((error: unknown) => failures.push(error))));
    if (failures.length > 0) throw failures[0];
    const snapshots = found.flatMap((one) => ('snapshot' in one ? [one.snapshot] : []));
    const absentAt = found.flatMap((one) => ('absentAt' in one ? [one.absentAt] : []));
    return whole(snapshots, earliest([...snapshots.map((snapshot) => snapshot.readAt), ...absentAt]));
  }

  async #lookAt(scope: ItemScope, id: string, signal: AbortSignal): Promise<Found> {
    // An absence is told without the instant that it reflects; it is none before the question.
    const absentAt = instantFromMs(this.#client.attioTime(this.#clock.now()));
    try {
      return { snapshot: await this.#get(scope, id, signal) };
    } catch (error) {
      if (isAttioError(error, 'not_found')) return { absentAt };
      throw fromAttio(error);
    }
  }

  async #get({ kind, listId }: ItemScope, id: string, signal: AbortSignal): Promise<ItemSnapshot> {
    const { entries, notes, tasks, comments } = this.#client;
    switch (kind) {
      case 'entries':
        return this.#one<Entry>(await entries.get(listId ?? '', id, { signal }), toEntrySnapshot);
      case 'notes':
        return this.#one<Note>(await notes.get(id, { signal }), toNoteSnapshot);
      case 'tasks':
        return this.#one<Task>(await tasks.get(id, { signal }), toTaskSnapshot);
      case 'comments':
        return this.#one<Comment>(await comments.get(id, { signal }), toCommentSnapshot);
    }
  }

  #one<T>(
    { data, meta }: AttioResponse<T>,
    toSnapshot: (item: T, readAt: string, names: ObjectNames) => Promise<ItemSnapshot>,
  ): Promise<ItemSnapshot> {
    return toSnapshot(data, meta.accurateAt, this.#names);
  }

  async #paceNotes(signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    const startAt = Math.max(now, this.#notePageAt + NOTE_PAGE_EVERY_MS);
    this.#notePageAt = startAt;
    if (startAt > now) await this.#clock.sleep(startAt - now, signal);
  }
}

function whole(snapshots: readonly ItemSnapshot[], readAt: string): ItemPage {
  return { snapshots, invalidIds: [], unidentified: 0, readAt, size: snapshots.length };
}

function earliest(instants: readonly string[]): string {
  return instants.toSorted()[0] ?? '';
}
