import { ITEM_NOUNS, type Item, type ItemKind } from '../../domain/items.ts';
import { type SyncState, syncStateOf, writtenStateOf } from '../../domain/sync-state.ts';
import type { Synced, Written } from '../inputs.ts';
import type { ConflictStore, ItemFilter, ItemStore, OutboxStore, Page } from '../ports.ts';
import type { ItemHead } from './inputs.ts';
import { deletedItem, unknownItem } from './intake.ts';
import type { ItemProgress } from './writer.ts';

export interface ItemsDeps {
  readonly items: ItemStore;
  readonly outbox: Pick<OutboxStore, 'pendingAmong'>;
  readonly conflicts: Pick<ConflictStore, 'openAmong'>;
}

/** What is asked of a list, beside its filter. */
export interface PageQuery {
  /** Continue after this id. */
  readonly after?: string;
  readonly limit: number;
}

/** Reads items of one kind from the local database; never asks Attio. */
export class Items {
  readonly #kind: ItemKind;
  readonly #deps: ItemsDeps;

  constructor(kind: ItemKind, deps: ItemsDeps) {
    this.#kind = kind;
    this.#deps = deps;
  }

  /** @param id ours or Attio's @throws ServiceError `not_found`, `gone` */
  async get(id: string): Promise<{ item: Item; sync: SyncState }> {
    const item = await this.#deps.items.find(this.#kind, id);
    if (item === undefined) throw unknownItem(this.#kind);
    if (item.deletedAt !== null) throw deletedItem(this.#kind, item.deletedAt);
    const [state] = await this.#states([item]);
    return { item, sync: state as SyncState }; // one for each item
  }

  /** An item after a write of it. `isDone`: this one is in Attio, whatever others wait behind it. */
  async written({ itemId, isDone, held }: ItemProgress): Promise<{ item: Item; sync: SyncState }> {
    const { item, sync } = await this.get(itemId);
    if (!isDone) return { item, sync };
    const { attioId: recordId } = item;
    return { item, sync: writtenStateOf({ recordId, conflicts: sync.conflicts ?? 0 }, held) };
  }

  async page(
    filter: ItemFilter,
    { after = '', limit }: PageQuery,
  ): Promise<Page<{ item: Item; sync: SyncState }, string>> {
    const found = await this.#deps.items.list(this.#kind, filter, after, limit + 1);
    const items = found.slice(0, limit);
    const states = await this.#states(items);
    return {
      rows: items.map((item, index) => ({ item, sync: states[index] as SyncState })), // one for each item
      next: found.length > limit ? (items.at(-1)?.id ?? null) : null,
    };
  }

  async #states(items: readonly Item[]): Promise<SyncState[]> {
    const ids = items.map((item) => item.id);
    const pending = await this.#deps.outbox.pendingAmong(this.#kind, ids);
    const open = await this.#deps.conflicts.openAmong(ITEM_NOUNS[this.#kind], ids);
    return items.map(({ id, attioId: recordId, syncFailure: failure }) =>
      syncStateOf({ recordId, failure, isPending: pending.has(id), conflicts: open.get(id) ?? 0 }),
    );
  }
}

export function headOf(item: Item): ItemHead {
  const { id, attioId, version, createdAt, updatedAt, deletedAt } = item;
  return { id, attioId, version, createdAt, updatedAt, deletedAt };
}

/** The same with the item put in another form. */
export function shaped<T>(one: { item: Item; sync: SyncState }, toView: (item: Item) => T): Written<T> {
  return { thing: toView(one.item), sync: one.sync };
}

export function shapedPage<T>(
  page: Page<{ item: Item; sync: SyncState }, string>,
  toView: (item: Item) => T,
): Page<Synced<T>, string> {
  return { rows: page.rows.map((row) => shaped(row, toView)), next: page.next };
}
