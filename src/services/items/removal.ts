import { ITEM_NOUNS, type Item, type ItemLink } from '../../domain/items.ts';
import { closeAll } from '../conflicts/open.ts';
import type { Stores } from '../ports.ts';
import { changeOf } from './apply.ts';

/** Whose items are to go: a thing that is removed here, with those that were merged into it. */
export interface Removed {
  readonly recordIds: readonly string[];
  readonly entityIds: readonly string[];
}

/**
 * Takes away what hangs on a thing that is removed: its entries, notes, comments and tasks. What is about others too
 * loses the link alone.
 * @param erase whether their values go from all that is kept, too
 * @returns their ids, ours and Attio's
 */
export async function removeItemsOf(
  stores: Stores,
  removed: Removed,
  erase: boolean,
  at: string,
): Promise<string[]> {
  const isTheirs = ({ recordId, entityId }: ItemLink) =>
    (recordId !== null && removed.recordIds.includes(recordId)) ||
    (entityId !== null && removed.entityIds.includes(entityId));
  const about = await stores.items.about(removed.recordIds, removed.entityIds);
  const own = about.filter(({ links }) => links.every(isTheirs));
  const shared = about.filter(({ links }) => !links.every(isTheirs));
  await stores.items.put(
    shared.map((item) => ({ ...item, links: item.links.filter((link) => !isTheirs(link)) })),
  );
  const living = own.filter((item) => item.deletedAt === null);
  await stores.items.put(
    living.map((item) => ({ ...item, deletedAt: at, updatedAt: at, version: item.version + 1 })),
  );
  for (const [kind, ofKind] of Map.groupBy(living, (item) => item.kind)) {
    const ids = ofKind.map((item) => item.id);
    await closeAll(stores, ITEM_NOUNS[kind], ids, 'removed', at);
  }
  // Followers were never told of what Attio never had.
  const told = living.filter((item) => item.attioId !== null);
  await stores.changes.append(
    told.map((item) =>
      changeOf(item, 'deleted', { changed: [], at, data: { attioId: item.attioId }, source: 'local' }),
    ),
  );
  if (erase) await eraseItems(stores, own, at);
  return own.flatMap(({ id, attioId }) => (attioId === null ? [id] : [id, attioId]));
}

async function eraseItems(stores: Stores, items: readonly Item[], at: string): Promise<void> {
  for (const [kind, ofKind] of Map.groupBy(items, (item) => item.kind)) {
    const ids = ofKind.map((item) => item.id);
    await stores.erasure.eraseItems(kind, ids);
    await stores.outbox.cancelOf(kind, ids, at);
    await stores.items.removeAll(kind, ids);
  }
}
