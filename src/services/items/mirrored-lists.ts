import type { AttioClient } from '../../attio/client.ts';
import { instantFromMs } from '../../attio/instant.ts';
import type { Clock } from '../../domain/clock.ts';
import { askAttio } from '../attio-errors.ts';
import { ServiceError } from '../errors.ts';
import type { ListsService } from '../lists.ts';
import type { ItemStore } from '../ports.ts';
import type { ItemGone } from './gone.ts';

/** A list that the workspace did not know is asked for again at most this often. */
const ASK_AGAIN_MS = 30_000;
/** Unknown lists remembered; deliveries are signed, so there are few. */
const MAX_UNKNOWN = 1_000;

/** How long Attio is given to agree with its own event. */
const SECOND_LOOK_MS = 2_000;

/** Entries marked as gone per transaction. */
const GONE_PER_TRANSACTION = 200;

/** Later than every instant. */
const ANY_TIME = '9999';

/** Reads of entries that were sent before their list was found to be gone may reflect a little more than that. */
const MARGIN_MS = 1_000;

type Client = Pick<AttioClient, 'lists' | 'attioTime'>;

/** Which lists are mirrored, as Attio has them now: what the schema cache holds may be old, and must not lose an event. */
export class MirroredLists {
  readonly #client: Client;
  readonly #lists: Pick<ListsService, 'byId' | 'isMirrored' | 'changed'>;
  readonly #items: Pick<ItemStore, 'liveIds'>;
  readonly #gone: ItemGone;
  readonly #clock: Clock;
  readonly #unknownSince = new Map<string, number>();
  readonly #closed = new AbortController();

  constructor(deps: {
    client: Client;
    lists: Pick<ListsService, 'byId' | 'isMirrored' | 'changed'>;
    items: Pick<ItemStore, 'liveIds'>;
    gone: ItemGone;
    clock: Clock;
  }) {
    this.#client = deps.client;
    this.#lists = deps.lists;
    this.#items = deps.items;
    this.#gone = deps.gone;
    this.#clock = deps.clock;
  }

  /** @returns null when the workspace has none such @throws ServiceError `unavailable` */
  async isMirrored(listId: string): Promise<boolean | null> {
    const known = await this.#lists.byId(listId);
    if (known !== null) return this.#lists.isMirrored(known);
    const now = this.#clock.now();
    if (now - (this.#unknownSince.get(listId) ?? Number.NEGATIVE_INFINITY) < ASK_AGAIN_MS) return null;
    if (await this.#isThere(listId)) {
      await this.#lists.changed();
      const found = await this.#lists.byId(listId);
      if (found !== null) return this.#lists.isMirrored(found);
    }
    if (this.#unknownSince.size >= MAX_UNKNOWN) this.#unknownSince.clear();
    this.#unknownSince.set(listId, now);
    return null;
  }

  /**
   * A list was deleted, or so an event says. When Attio has it no more, its entries are gone.
   * @throws ServiceError `unavailable`
   */
  async deleted(listId: string): Promise<void> {
    await this.#lists.changed();
    if (await this.#isThere(listId)) {
      await this.#clock.sleep(SECOND_LOOK_MS, this.#closed.signal);
      if (await this.#isThere(listId)) return;
    }
    await this.#markEntriesGone(listId);
  }

  close(): void {
    this.#closed.abort(new Error('closing'));
  }

  async #markEntriesGone(listId: string): Promise<void> {
    const readAt = instantFromMs(this.#client.attioTime(this.#clock.now()) + MARGIN_MS);
    for (let afterId = ''; ; ) {
      const scope = { kind: 'entries', listId } as const;
      const ids = await this.#items.liveIds(scope, ANY_TIME, afterId, GONE_PER_TRANSACTION);
      const last = ids.at(-1);
      if (last === undefined) return;
      await this.#gone.settle(
        'entries',
        ids.map((attioId) => ({ attioId, readAt })),
      );
      afterId = last;
    }
  }

  async #isThere(listId: string): Promise<boolean> {
    const { signal } = this.#closed;
    try {
      await askAttio(() => this.#client.lists.get(listId, { signal }));
      return true;
    } catch (error) {
      if (error instanceof ServiceError && error.kind === 'not_found') return false;
      throw error;
    }
  }
}
