import type { Clock } from '../../domain/clock.ts';
import { CREATION, type EchoLine, MEMBERS } from '../../domain/echoes.ts';
import { ITEM_NOUNS, type Item, type ItemKind, type ItemSnapshot } from '../../domain/items.ts';
import type { OutboxRow } from '../../domain/outbox.ts';
import type { RecordValues } from '../../domain/records.ts';
import { settleByWrite, takeBackDecision } from '../conflicts/deciding.ts';
import { mustStillBeOpen, openIntents, recordConflicts } from '../conflicts/open.ts';
import { contentsOf, linesOf, membersOf } from '../echoes/lines.ts';
import type { ListsService } from '../lists.ts';
import type { Failure } from '../outbox/failure.ts';
import { letterOf } from '../outbox/going-back.ts';
import type { Waiters } from '../outbox/waiters.ts';
import type { OutboxEvents, Stores, UnitOfWork } from '../ports.ts';
import type { ItemApply } from './apply.ts';
import type { Met } from './fields.ts';
import { takeAttioId } from './identity.ts';
import { rebase } from './rebase.ts';
import { type Attributes, show } from './shape.ts';

export interface ItemSettlerDeps {
  readonly store: UnitOfWork;
  readonly apply: ItemApply;
  readonly lists: Pick<ListsService, 'attributesOf' | 'knownAttributesOf'>;
  readonly waiters: Waiters;
  readonly clock: Clock;
  readonly events: OutboxEvents;
}

type Row = OutboxRow<ItemKind>;

/** The item was removed here while the write was sent: nothing of its answer may be stored. */
class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

/** Commits how writes of items end: the outbox row, the item and what waits behind it change together. */
export class ItemSettler {
  readonly #deps: ItemSettlerDeps;

  constructor(deps: ItemSettlerDeps) {
    this.#deps = deps;
  }

  /** The write is in Attio. @param answer the item as it is now */
  async confirm(row: Row, item: Item, answer: ItemSnapshot, met: Met): Promise<void> {
    const { apply, lists, events } = this.#deps;
    const at = this.#now();
    const attributes = item.listId === null ? null : await lists.attributesOf(item.listId);
    let held = 0;
    try {
      await apply.apply(row.kind, [answer], {
        touchUnchanged: false,
        source: 'local',
        before: async (stores) => {
          await mustStillBeOpen(stores, met.conflicts);
          if (!(await stores.outbox.settle(row.id, 'done', at, null))) throw new CancelledError();
          await takeAttioId(stores, row, answer, at);
        },
        within: async (stores) => {
          const subject = { object: ITEM_NOUNS[row.kind], entityId: item.id, recordId: answer.attioId };
          held = await recordConflicts(stores, subject, met, at);
          await settleByWrite(stores, row, at);
          await stores.echoes.put(echoesOf(row, answer, attributes, at));
          await rebase(stores, row, answer, attributes, met.conflicts);
          // What was applied was older than what is mirrored, or the same: what is shown has one write less to show.
          await this.#showAgain(stores, row.kind, item.id, null);
          await leaveWithRemoved(stores, row, at);
        },
      });
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
      return this.#settled(row, 'cancelled');
    }
    for (const { decided, heldBy } of met.conflicts) {
      if (heldBy === null) events.conflictDecided(row.kind, decided, 1);
    }
    this.#settled(row, 'done', held);
  }

  /** Somebody deleted it in Attio: it stays deleted. Unless one who waits is told so, what was asked for is put on record. */
  async yieldToDeletion(row: Row, item: Item): Promise<void> {
    const { store, waiters, events } = this.#deps;
    const at = this.#now();
    const told = waiters.claim(row.id);
    const code = 'deleted_in_attio';
    const failure = { code, detail: `this ${ITEM_NOUNS[row.kind]} was deleted in Attio` };
    const noun = ITEM_NOUNS[row.kind];
    const values = { field: noun, base: null, local: row.intent, attio: null, wanted: row.intent };
    try {
      await store.transaction(async (stores) => {
        await stores.outbox.settle(row.id, 'refused', at, failure);
        if (told) return;
        const subject = { object: noun, entityId: item.id, recordId: item.attioId };
        const verdict = { decided: 'attio', status: 'resolved', reason: code, at } as const;
        await stores.conflicts.append([{ ...subject, ...values, ...verdict }]);
      });
    } catch (error) {
      waiters.dismiss(row.id);
      throw error;
    }
    if (!told) events.conflictDecided(row.kind, 'attio', 1);
    this.#settled(row, 'refused');
  }

  /** There is no such item here any more. */
  async drop(row: Row): Promise<void> {
    await this.#deps.store.outbox.settle(row.id, 'cancelled', this.#now(), null);
    this.#settled(row, 'cancelled');
  }

  /** Attio refuses the write for good, or has for too long. Whoever waits is told; if nobody does, a dead letter is left. */
  async refuse(row: Row, failure: Failure): Promise<void> {
    const { store, waiters, events } = this.#deps;
    const at = this.#now();
    const { code, detail, message, attio } = failure;
    const told = failure.kind === 'refused' && waiters.claim(row.id);
    let buried = false;
    try {
      await store.transaction(async (stores) => {
        if (!(await stores.outbox.settle(row.id, told ? 'refused' : 'dead', at, { code, detail }))) return;
        if (!told) await stores.outbox.bury(letterOf(row, failure, at));
        buried = !told;
        await takeBackDecision(stores, row);
        await (told
          ? this.#takeBack(stores, row)
          : this.#showAgain(stores, row.kind, row.entityId, { code, detail }));
      });
    } catch (error) {
      waiters.dismiss(row.id);
      throw error;
    }
    if (buried) events.writeBuried(row.kind, code);
    waiters.tell(row.id, { outcome: 'refused', message, attio });
    events.writeSettled(row.kind, told ? 'refused' : 'dead', this.#lagSeconds(row));
  }

  /** Whoever asked for it knows that it will not be: of what Attio never had nothing is left, unless a dead letter is. */
  async #takeBack(stores: Stores, row: Row): Promise<void> {
    const isUnmade = await isAlone(stores, row);
    const earlier = isUnmade ? await stores.outbox.lastFailureOf(row.kind, row.entityId) : null;
    if (isUnmade && earlier === null) return stores.items.remove(row.kind, row.entityId);
    await this.#showAgain(stores, row.kind, row.entityId, earlier);
  }

  /** A write that was given up is asked for again: what it asks for is shown again. */
  readonly showItem = async (stores: Stores, row: Pick<Row, 'kind' | 'entityId'>): Promise<void> => {
    const item = await stores.items.find(row.kind, row.entityId);
    if (item === undefined) return;
    await stores.items.put([{ ...item, syncFailure: null }]);
    await this.#showAgain(stores, row.kind, item.id, null);
  };

  /** @param failure of its last write; null: none */
  async #showAgain(stores: Stores, kind: ItemKind, id: string, failure: Item['syncFailure']): Promise<void> {
    const item = await stores.items.find(kind, id);
    if (item === undefined) return;
    const pending = (await stores.outbox.pendingOf(kind, [id])).get(id) ?? [];
    const open = (await openIntents(stores, ITEM_NOUNS[kind], [id])).get(id) ?? [];
    const shown = show(
      kind,
      item.body,
      [...open, ...pending.map((row) => row.intent)],
      this.#attributesOf(item),
    );
    // One that Attio never had goes on showing what was asked for.
    const isBlank = item.attioId === null && pending.length === 0;
    const isSame = isBlank || JSON.stringify(shown.shown) === JSON.stringify(item.shown);
    if (isSame && failure === null) return;
    const version = isSame ? item.version : item.version + 1;
    await stores.items.put([
      { ...item, ...(isBlank ? {} : shown), version, updatedAt: this.#now(), syncFailure: failure },
    ]);
  }

  #attributesOf({ listId }: Item): Attributes | null {
    return listId === null ? null : this.#deps.lists.knownAttributesOf(listId);
  }

  #settled(row: Row, outcome: 'done' | 'refused' | 'cancelled', held = 0): void {
    this.#deps.waiters.tell(row.id, { outcome: 'done', entityId: row.entityId, held });
    this.#deps.events.writeSettled(row.kind, outcome, this.#lagSeconds(row));
  }

  #lagSeconds(row: Row): number {
    return (this.#deps.clock.now() - Date.parse(row.acceptedAt)) / 1000;
  }

  #now(): string {
    return new Date(this.#deps.clock.now()).toISOString();
  }
}

/** It is in Attio, and about nobody but what was removed here meanwhile: nothing of it was taken in. */
async function leaveWithRemoved(stores: Stores, { kind, entityId }: Row, at: string): Promise<void> {
  const item = await stores.items.find(kind, entityId);
  const isUnseen = item !== undefined && item.attioId !== null && item.hash === '';
  if (!isUnseen || item.deletedAt !== null) return;
  await stores.items.put([{ ...item, deletedAt: at, updatedAt: at, version: item.version + 1 }]);
}

/** What webhooks will tell of: as it is now, which is as the write has left it. */
function echoesOf(row: Row, answer: ItemSnapshot, attributes: Attributes | null, at: string): EchoLine[] {
  const { kind, attioId, links, body } = answer;
  const contents = new Map(
    // The body of an entry is its values.
    attributes === null ? [] : contentsOf(attributes, body as RecordValues, Object.keys(row.intent)),
  );
  if (row.operation === 'create') contents.set(CREATION, null);
  else if (kind === 'tasks') contents.set(MEMBERS, membersOf({ links, body }));
  return linesOf({ kind, attioId }, contents, at);
}

/** Attio does not have it, and nothing else is asked of it now. */
async function isAlone(stores: Stores, row: Row): Promise<boolean> {
  const item = await stores.items.find(row.kind, row.entityId);
  const pending = (await stores.outbox.pendingOf(row.kind, [row.entityId])).get(row.entityId) ?? [];
  return item !== undefined && item.attioId === null && pending.length === 0;
}
