import type { Item, ItemKind, ItemSnapshot } from '../../domain/items.ts';
import type { OutboxRow } from '../../domain/outbox.ts';
import { ServiceError } from '../errors.ts';
import type { Stores } from '../ports.ts';
import { changeOf, tellItem } from './apply.ts';

type Row = OutboxRow<ItemKind>;

/**
 * What Attio has answered to a write is the written item from now on.
 *
 * Another may have been taken for it meanwhile: one that a webhook has made of it goes into this one; one of ours that is
 * yet to be made gives it back; of one of ours that is settled it is that one's.
 * @throws ServiceError `unavailable` when the written item is yet to be made after all
 */
export async function takeAttioId(stores: Stores, row: Row, answer: ItemSnapshot, at: string): Promise<void> {
  const { kind, attioId } = answer;
  const item = await stores.items.find(kind, row.entityId);
  if (item === undefined || item.attioId === attioId) return;
  const holder = (await stores.items.byAttioIds(kind, [attioId])).get(attioId);
  if (holder !== undefined) await release(stores, holder, row, at);
  const blank = { ...item, attioId, body: {}, hash: '', readAt: '', deletedAt: null, syncFailure: null };
  const isNewer = holder !== undefined && holder.readAt > answer.readAt;
  await stores.items.put([isNewer ? { ...blank, ...knowledgeOf(holder) } : blank]);
  if (isNewer && holder.deletedAt === null) await tellOfMaking(stores, item, holder, at);
  const isNotOurs = item.attioId !== null && item.attioId !== item.id && item.hash !== '';
  if (isNotOurs && item.deletedAt === null) await putBack(stores, item, item.attioId, at);
}

async function release(stores: Stores, holder: Item, row: Row, at: string): Promise<void> {
  const { kind } = holder;
  const what = { changed: [], at, data: { attioId: holder.attioId }, source: 'attio' as const };
  if (holder.id === holder.attioId) {
    await stores.items.remove(kind, holder.id);
    // Followers know it by that id, and are told of it by ours from now on.
    if (holder.deletedAt === null) await stores.changes.append([changeOf(holder, 'deleted', what)]);
    return;
  }
  const blank = { ...holder, attioId: null, body: {}, hash: '', readAt: '' };
  if (await isBeingMade(stores, holder)) return stores.items.put([{ ...blank, deletedAt: null }]);
  if (kind !== 'entries' || row.intent['allowDuplicate'] === true) {
    throw new ServiceError('unavailable', 'what this request has made was taken for another', {
      isolated: true,
    });
  }
  // Two of ours turn out to be the only entry of a record: two records were merged.
  await stores.items.put([{ ...blank, deletedAt: at, updatedAt: at, version: holder.version + 1 }]);
  await stores.changes.append([changeOf(holder, 'deleted', what)]);
}

async function isBeingMade(stores: Stores, { kind, id }: Item): Promise<boolean> {
  const rows = (await stores.outbox.pendingOf(kind, [id])).get(id) ?? [];
  return rows.some((row) => row.operation === 'create' && row.sentAt !== null);
}

/** An answer that was overtaken says less than what has been read since. */
function knowledgeOf({ body, hash, readAt, deletedAt, links, entryId, threadId, createdAt }: Item) {
  return { body, hash, readAt, deletedAt, links, entryId, threadId, createdAt };
}

async function tellOfMaking(stores: Stores, item: Item, holder: Item, at: string): Promise<void> {
  const made = { ...holder, id: item.id };
  const what = { changed: [], at, data: tellItem(made), source: 'local' as const };
  await stores.changes.append([changeOf(made, 'created', what)]);
}

/** What was taken for this item, and is none of ours. */
async function putBack(stores: Stores, item: Item, attioId: string, at: string): Promise<void> {
  const own = { ...item, id: attioId, attioId, syncFailure: null, requestKey: null };
  await stores.items.put([own]);
  const what = { changed: [], at, data: tellItem(own), source: 'attio' as const };
  await stores.changes.append([changeOf(own, 'created', what)]);
}
