import type { Clock } from '../../domain/clock.ts';
import { ITEM_KINDS, type Item } from '../../domain/items.ts';
import { isOutage } from '../errors.ts';
import type { ItemFilter, ItemStore } from '../ports.ts';
import type { ItemRefresh } from './refresh.ts';

/** What items hang on. */
export type Support = { readonly recordId: string } | { readonly entryId: string };

/** Supports that wait; a full sync finds what is dropped beyond them. */
const MAX_WAITING = 10_000;
const AT_ONCE = 20;
const ITEMS_PER_STEP = 200;
const TRIES = 5;
const PAUSE_MS = 5_000;

/**
 * Looks again, in the background, at what hangs on something that is gone or has become another: Attio deletes notes,
 * entries and comments with their record, and need not tell. What a stop cuts off, the next full sync finds.
 */
export class Dependents {
  readonly #items: Pick<ItemStore, 'list'>;
  readonly #refresh: Pick<ItemRefresh, 'lookAgain'>;
  readonly #clock: Clock;
  readonly #unexpected: (where: string, error: unknown) => void;
  readonly #waiting = new Map<string, { readonly support: Support; readonly tries: number }>();
  readonly #closed = new AbortController();
  #running: Promise<void> | null = null;

  constructor(deps: {
    items: Pick<ItemStore, 'list'>;
    refresh: Pick<ItemRefresh, 'lookAgain'>;
    clock: Clock;
    events: { unexpected(where: string, error: unknown): void };
  }) {
    this.#items = deps.items;
    this.#refresh = deps.refresh;
    this.#clock = deps.clock;
    this.#unexpected = (where, error) => deps.events.unexpected(where, error);
  }

  /** Never throws, and does not wait. */
  lookAgain(supports: readonly Support[]): void {
    for (const support of supports) this.#add(support, TRIES);
  }

  /** Resolves when what is under way has ended. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('closing'));
    await this.#running;
  }

  #add(support: Support, tries: number): void {
    if (this.#closed.signal.aborted || this.#waiting.size >= MAX_WAITING) return;
    this.#waiting.set(JSON.stringify(support), { support, tries });
    this.#running ??= this.#runAll();
  }

  async #runAll(): Promise<void> {
    // Whoever adds several at once has them looked at together.
    await Promise.resolve();
    while (this.#waiting.size > 0 && !this.#closed.signal.aborted) {
      const batch = [...this.#waiting].slice(0, AT_ONCE);
      for (const [key] of batch) this.#waiting.delete(key);
      const outages = await Promise.all(batch.map(([, { support, tries }]) => this.#lookAt(support, tries)));
      if (outages.includes(true)) await this.#clock.sleep(PAUSE_MS, this.#closed.signal).catch(() => {});
    }
    this.#running = null;
  }

  /** @returns whether an outage was met */
  async #lookAt(support: Support, tries: number): Promise<boolean> {
    try {
      for (const kind of ITEM_KINDS) {
        for await (const items of this.#on(kind, support)) await this.#lookAtItems(items);
      }
      return false;
    } catch (error) {
      if (this.#closed.signal.aborted) return false;
      if (!isOutage(error)) this.#unexpected('what hangs on a record', error);
      else if (tries > 1) this.#add(support, tries - 1);
      return isOutage(error);
    }
  }

  async *#on(kind: Item['kind'], support: Support): AsyncGenerator<Item[]> {
    const filter: ItemFilter =
      'recordId' in support
        ? { record: { recordId: support.recordId, entityId: null } }
        : { entryIds: [support.entryId] };
    for (let afterId = ''; ; ) {
      const items = await this.#items.list(kind, filter, afterId, ITEMS_PER_STEP);
      if (items.length > 0) yield items;
      if (items.length < ITEMS_PER_STEP) return;
      afterId = items.at(-1)?.id ?? afterId;
    }
  }

  async #lookAtItems(items: readonly Item[]): Promise<void> {
    const looks = items.map(async ({ kind, attioId, listId }) => {
      if (attioId === null) return;
      await this.#refresh.lookAgain({ kind, listId: kind === 'entries' ? listId : null }, attioId);
    });
    const ended = await Promise.allSettled(looks);
    const failed = ended.find((look) => look.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}
