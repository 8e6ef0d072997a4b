import type { Clock } from '../../domain/clock.ts';
import { IDEMPOTENCY_KEPT_MS, isLastingKey } from '../../domain/idempotency.ts';
import { ITEM_NOUNS, type Item, type ItemKind, type ItemLink, type ItemPlace } from '../../domain/items.ts';
import type { WriteBase, WriteIntent } from '../../domain/outbox.ts';
import { openIntents } from '../conflicts/open.ts';
import { ServiceError } from '../errors.ts';
import { survivorOfThing } from '../living.ts';
import type { Waiters } from '../outbox/waiters.ts';
import type { RecordRef, Stores, UnitOfWork } from '../ports.ts';
import { baseOf } from './fields.ts';
import { type Attributes, show } from './shape.ts';

/** What is to be made. */
export interface ItemCreation extends ItemPlace {
  readonly kind: ItemKind;
  readonly links: readonly ItemLink[];
  readonly intent: WriteIntent;
  /** Of the list, for an entry. */
  readonly attributes: Attributes | null;
  /** Of entries: what the parent has in the list already is changed instead. */
  readonly onePerParent: boolean;
  /** The entry that a comment is on, when Attio may not have it yet: our id. */
  readonly onEntry: string | null;
  readonly requestKey: string | null;
}

/** What is to be changed. */
export interface ItemChange {
  readonly kind: ItemKind;
  /** Ours or Attio's. */
  readonly id: string;
  /** Of the list that it must be in. */
  readonly listId: string | null;
  readonly intent: WriteIntent;
  readonly attributes: Attributes | null;
}

export interface ItemAcceptance {
  readonly write: { readonly create: ItemCreation } | { readonly change: ItemChange };
  /** Somebody will wait for it. */
  readonly expected: boolean;
}

export type ItemAccepted =
  | {
      readonly itemId: string;
      /** Null: there is nothing to bring to Attio. */
      readonly outboxId: number | null;
    }
  | { readonly refused: ServiceError };

interface Asked {
  readonly at: string;
  /** Somebody waits to be told how it ends. */
  readonly waitedFor: boolean;
}

interface Change extends Asked {
  /** `create`: it is to be made, if it turns out not to be there. */
  readonly operation: 'create' | 'update';
  readonly intent: WriteIntent;
  readonly attributes: Attributes | null;
}

/** Takes writes of items: the item is changed in the local database and the outbox has what Attio is to be told, in one transaction. */
export class ItemIntake {
  readonly #store: UnitOfWork;
  readonly #waiters: Waiters;
  readonly #clock: Clock;
  readonly #newId: () => string;

  constructor(deps: { store: UnitOfWork; waiters: Waiters; clock: Clock; newId: () => string }) {
    this.#store = deps.store;
    this.#waiters = deps.waiters;
    this.#clock = deps.clock;
    this.#newId = deps.newId;
  }

  /** All in one commit. One that cannot be taken is refused, and stops none of the others. */
  async accept(items: readonly ItemAcceptance[]): Promise<ItemAccepted[]> {
    const at = new Date(this.#clock.now()).toISOString();
    const accepted = await this.#store.transaction(async (stores) => {
      const results: ItemAccepted[] = [];
      for (const { write, expected } of items) {
        const asked = { at, waitedFor: expected };
        results.push(
          'create' in write
            ? await this.#create(stores, write.create, asked)
            : await this.#change(stores, write.change, asked),
        );
      }
      return results;
    });
    accepted.forEach((result, index) => {
      const awaited = items[index]?.expected === true && 'outboxId' in result && result.outboxId !== null;
      if (awaited) this.#waiters.expect(result.outboxId);
    });
    return accepted;
  }

  async #create(stores: Stores, creation: ItemCreation, asked: Asked): Promise<ItemAccepted> {
    const { at } = asked;
    const { kind, requestKey, intent, attributes } = creation;
    const before = requestKey === null ? undefined : await askedBefore(stores, kind, requestKey, at);
    if (before !== undefined) return { itemId: before.id, outboxId: await lastWriteOf(stores, before) };
    const standing = creation.onePerParent ? await entryOfParent(stores, creation) : undefined;
    if (standing !== undefined && !(await isGivenUp(stores, standing))) {
      return this.#put(stores, standing, { operation: 'create', intent, attributes, ...asked });
    }
    const afterId = await writeToAwait(stores, creation);
    if (afterId instanceof ServiceError) return { refused: afterId };
    const item: Item = {
      kind,
      id: standing?.id ?? this.#newId(),
      attioId: null,
      listId: creation.listId,
      entryId: creation.entryId,
      threadId: creation.threadId,
      links: creation.links,
      body: {},
      ...show(kind, {}, [intent], attributes),
      hash: '',
      readAt: '',
      version: (standing?.version ?? 0) + 1,
      createdAt: at,
      updatedAt: at,
      deletedAt: null,
      syncFailure: null,
      requestKey,
    };
    await stores.items.put([item]);
    const outboxId = await stores.outbox.add({
      operation: 'create',
      kind,
      entityId: item.id,
      key: null,
      intent,
      base: {},
      externalIdBefore: undefined,
      acceptedAt: at,
      afterId,
      batch: null,
      waitedFor: asked.waitedFor,
    });
    return { itemId: item.id, outboxId };
  }

  async #change(stores: Stores, change: ItemChange, asked: Asked): Promise<ItemAccepted> {
    const { kind, id, listId, intent, attributes } = change;
    const item = await stores.items.find(kind, id);
    if (item === undefined || (listId !== null && item.listId !== listId)) {
      return { refused: unknownItem(kind) };
    }
    if (item.deletedAt !== null) return { refused: deletedItem(kind, item.deletedAt) };
    if (await isGivenUp(stores, item)) return { refused: neverMade(item) };
    return this.#put(stores, item, { operation: 'update', intent, attributes, ...asked });
  }

  async #put(
    stores: Stores,
    item: Item,
    { operation, intent, attributes, at, waitedFor }: Change,
  ): Promise<ItemAccepted> {
    if (operation === 'update' && Object.keys(intent).length === 0) {
      return { itemId: item.id, outboxId: await lastWriteOf(stores, item) };
    }
    const pending = await stores.outbox.pendingOf(item.kind, [item.id]);
    const open = (await openIntents(stores, ITEM_NOUNS[item.kind], [item.id])).get(item.id) ?? [];
    const intents = [...open, ...(pending.get(item.id) ?? []).map((row) => row.intent)];
    const shown = show(item.kind, item.body, [...intents, intent], attributes);
    const isSame = JSON.stringify(shown.shown) === JSON.stringify(item.shown);
    const version = isSame ? item.version : item.version + 1;
    await stores.items.put([
      { ...item, ...shown, version, updatedAt: isSame ? item.updatedAt : at, syncFailure: null },
    ]);
    const base: WriteBase = item.attioId === null ? {} : baseOf(item, intent, attributes);
    const outboxId = await stores.outbox.add({
      operation,
      kind: item.kind,
      entityId: item.id,
      key: null,
      intent,
      base,
      externalIdBefore: undefined,
      acceptedAt: at,
      afterId: null,
      batch: null,
      waitedFor,
    });
    return { itemId: item.id, outboxId };
  }
}

/** What the same request has made. A caller's key is good for a day: what it made before that is let go. */
async function askedBefore(
  stores: Stores,
  kind: ItemKind,
  requestKey: string,
  at: string,
): Promise<Item | undefined> {
  const asked = await stores.items.findByRequest(kind, requestKey);
  if (asked === undefined || isLastingKey(requestKey)) return asked;
  if (Date.parse(at) - Date.parse(asked.createdAt) < IDEMPOTENCY_KEPT_MS) return asked;
  await stores.items.put([{ ...asked, requestKey: null }]);
  return undefined;
}

async function lastWriteOf(stores: Stores, item: Item): Promise<number | null> {
  const pending = (await stores.outbox.pendingOf(item.kind, [item.id])).get(item.id);
  return pending?.at(-1)?.id ?? null;
}

async function entryOfParent(stores: Stores, { links, listId }: ItemCreation): Promise<Item | undefined> {
  const [link] = links;
  if (link === undefined || listId === null) return undefined;
  const record: RecordRef = { recordId: link.recordId, entityId: link.entityId };
  const [first] = await stores.items.list('entries', { listId, record }, '', 1);
  return first;
}

/** Attio does not have it, and nothing is on its way that would make it. */
async function isGivenUp(stores: Stores, item: Item): Promise<boolean> {
  return item.attioId === null && (await lastWriteOf(stores, item)) === null;
}

/** The write that must come first: of a record, or an entry, that is yet to be made. The others are waited for when it is sent. */
async function writeToAwait(stores: Stores, creation: ItemCreation): Promise<number | null | ServiceError> {
  if (creation.onEntry !== null) {
    const pending = await stores.outbox.pendingOf('entries', [creation.onEntry]);
    const last = pending.get(creation.onEntry)?.at(-1);
    if (last !== undefined) return last.id;
  }
  for (const link of creation.links) {
    if (link.recordId !== null || link.entityId === null) continue;
    const last = await pendingMaking(stores, link.object, link.entityId);
    return (
      last ??
      new ServiceError(
        'refused',
        `the ${link.object} record that it is about is not in Attio, and was given up`,
      )
    );
  }
  return null;
}

async function pendingMaking(stores: Stores, object: string, entityId: string): Promise<number | null> {
  const kind = object as 'people'; // of one of the objects whose things have ids of ours
  const entity = await survivorOfThing(stores.entities, kind, entityId);
  if (entity === undefined) return null;
  return (await stores.outbox.pendingOf(kind, [entity.id])).get(entity.id)?.at(-1)?.id ?? null;
}

const NOUNS: Readonly<Record<ItemKind, string>> = {
  entries: 'entry in this list',
  notes: 'note',
  tasks: 'task',
  comments: 'comment',
};

export function unknownItem(kind: ItemKind): ServiceError {
  return new ServiceError('not_found', `there is no ${NOUNS[kind]} with this id`);
}

function neverMade({ kind, syncFailure }: Item): ServiceError {
  const reason = syncFailure === null ? '' : `: ${syncFailure.detail}`;
  return new ServiceError(
    'refused',
    `this ${NOUNS[kind]} was never made in Attio${reason}. Replay its dead letter, or send it anew with POST`,
  );
}

export function deletedItem(kind: ItemKind, deletedAt: string): ServiceError {
  return new ServiceError('gone', `this ${NOUNS[kind]} was deleted at ${deletedAt}`);
}
