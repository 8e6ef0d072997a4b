import type { Item, ItemKind } from '../../domain/items.ts';
import type { SyncState } from '../../domain/sync-state.ts';
import type { Synced, Written } from '../inputs.ts';
import type { ItemFilter, ItemStore, OutboxStore, Page } from '../ports.ts';
import type { ItemHead } from './inputs.ts';
import { deletedItem, unknownItem } from './intake.ts';

export interface ItemsDeps {
  readonly items: ItemStore;
  readonly outbox: Pick<OutboxStore, 'pendingAmong'>;
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
    const pending = await this.#deps.outbox.pendingAmong(this.#kind, [item.id]);
    return { item, sync: stateOf(item, pending.has(item.id)) };
  }

  /** An item after a write of it. `isDone`: this one is in Attio, whatever others wait behind it. */
  async written(write: {
    readonly itemId: string;
    readonly isDone: boolean;
  }): Promise<{ item: Item; sync: SyncState }> {
    const { item, sync } = await this.get(write.itemId);
    return { item, sync: write.isDone ? { status: 'synced', recordId: item.attioId } : sync };
  }

  async page(
    filter: ItemFilter,
    { after = '', limit }: PageQuery,
  ): Promise<Page<{ item: Item; sync: SyncState }, string>> {
    const found = await this.#deps.items.list(this.#kind, filter, after, limit + 1);
    const items = found.slice(0, limit);
    const pending = await this.#deps.outbox.pendingAmong(
      this.#kind,
      items.map((item) => item.id),
    );
    return {
      rows: items.map((item) => ({ item, sync: stateOf(item, pending.has(item.id)) })),
      next: found.length > limit ? (items.at(-1)?.id ?? null) : null,
    };
  }
}

function stateOf(item: Item, isPending: boolean): SyncState {
  if (isPending) return { status: 'pending' };
  if (item.syncFailure !== null) return { status: 'failed', ...item.syncFailure };
  return { status: 'synced', recordId: item.attioId };
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
