import { isAttioError } from '../../attio/errors.ts';
import type { Clock } from '../../domain/clock.ts';
import type { ConflictRules } from '../../domain/conflict-policies.ts';
import { ITEM_NOUNS, type Item, type ItemKind, type ItemSnapshot } from '../../domain/items.ts';
import { isItemRow, type OutboxRow, type WriteRow } from '../../domain/outbox.ts';
import { openByField } from '../conflicts/open.ts';
import { ServiceError } from '../errors.ts';
import type { Failure } from '../outbox/failure.ts';
import type { PlanContext } from '../outbox/plan.ts';
import type { Courier } from '../outbox/worker.ts';
import type { ConflictStore, EntityStore, ItemStore, OutboxStore } from '../ports.ts';
import type { EntryDelivery } from './entry-delivery.ts';
import { type Met, NOTHING_MET, planMembers } from './fields.ts';
import type { ItemGone } from './gone.ts';
import { recordOf } from './parents.ts';
import { isSameThing } from './recognise.ts';
import type { ItemRequests, LinkedRecords, Making } from './requests.ts';
import type { ItemSettler } from './settler.ts';

export interface ItemCourierDeps {
  readonly items: ItemStore;
  readonly entities: Pick<EntityStore, 'find'>;
  readonly outbox: Pick<OutboxStore, 'markSent' | 'pendingOf'>;
  readonly conflicts: Pick<ConflictStore, 'openOf'>;
  readonly rules: ConflictRules;
  readonly requests: ItemRequests;
  readonly entries: EntryDelivery;
  readonly settler: ItemSettler;
  readonly gone: ItemGone;
  readonly members: { idOf(email: string, path: string): Promise<string> };
  readonly clock: Clock;
  /** What Attio's clock shows at an instant of ours. */
  readonly attioTime: (ms: number) => number;
  /** A write that is older was not sent at once. */
  readonly heldBackAfterMs: number;
  /** Attio lacks a record that a write refers to: what we hold of it is looked at again. */
  readonly lookAgain: (object: string, recordId: string) => Promise<void>;
}

type Row = OutboxRow<ItemKind>;

interface Written extends Met {
  readonly snapshot: ItemSnapshot;
}

/**
 * Brings writes of entries, notes, tasks and comments to Attio.
 *
 * Attio takes no key by which it would know a request again, and making is not repeatable. So that a request is about to
 * be sent is stored first; when its answer was not heard, for whatever reason, what it may have made is looked for before
 * it is sent again.
 */
export class ItemCourier implements Courier {
  readonly #deps: ItemCourierDeps;

  constructor(deps: ItemCourierDeps) {
    this.#deps = deps;
  }

  async deliver(row: WriteRow, signal: AbortSignal): Promise<void> {
    if (!isItemRow(row)) return;
    const item = await this.#deps.items.find(row.kind, row.entityId);
    if (item === undefined) return this.#deps.settler.drop(row);
    const written =
      row.operation === 'create' ? this.#bring(row, item, signal) : this.#change(row, item, signal);
    const answer = await written;
    if (answer === null) return this.#deps.settler.yieldToDeletion(row, item);
    await this.#deps.settler.confirm(row, item, answer.snapshot, answer);
  }

  async refuse(row: WriteRow, failure: Failure): Promise<void> {
    if (isItemRow(row)) await this.#deps.settler.refuse(row, failure);
  }

  /** Makes it, or changes what is there already. @returns null when somebody has deleted it */
  async #bring(row: Row, item: Item, signal: AbortSignal): Promise<Written | null> {
    const isThere = item.attioId !== null;
    if (row.kind !== 'entries') {
      // It was made, recognised, and deleted, before its answer was heard.
      return isThere && item.deletedAt !== null ? null : this.#make(row, item, signal);
    }
    const changed = isThere ? await this.#change(row, item, signal) : null;
    if (changed !== null || (isThere && isDuplicate(row))) return changed;
    return this.#make(row, { ...item, attioId: null }, signal);
  }

  async #make(row: Row, item: Item, signal: AbortSignal): Promise<Written> {
    const records = await this.#recordsOf(item);
    try {
      return await this.#makeWith(row, item, records, signal);
    } catch (error) {
      if (!isAttioError(error, 'value_not_found', 'not_found')) throw error;
      // A merge or a deletion that we have not heard of.
      for (const { object, recordId } of records) await this.#deps.lookAgain(object, recordId);
      const now = await this.#recordsOf(item);
      if (JSON.stringify(now) === JSON.stringify(records)) throw error;
      return this.#makeWith(row, item, now, signal);
    }
  }

  async #makeWith(row: Row, item: Item, records: LinkedRecords, signal: AbortSignal): Promise<Written> {
    const making = await this.#making(row, item, records);
    const made = row.sentAt === null && item.attioId === null ? null : await this.#find(row, making, signal);
    if (made !== null) return { snapshot: made, ...NOTHING_MET };
    const markSent = () => this.#deps.outbox.markSent(row.id, this.#attioNow());
    if (row.kind === 'entries') {
      const [parent] = records;
      if (parent === undefined) throw new ServiceError('refused', 'an entry must be of a record');
      const sent = { ...row, intent: withoutAddress(row.intent) };
      return this.#deps.entries.make(
        sent,
        item,
        parent,
        { context: await this.#context(row), duplicate: isDuplicate(row), markSent },
        signal,
      );
    }
    await markSent();
    return { snapshot: await this.#deps.requests.make(making, signal), ...NOTHING_MET };
  }

  /** What an earlier try of this request has made, if it has. */
  async #find(row: Row, making: Making, signal: AbortSignal): Promise<ItemSnapshot | null> {
    const { item, records, entryId } = making;
    const [parent] = records;
    // One that is its parent's only one is looked for anyway.
    if (row.kind === 'entries' && !isDuplicate(row)) return null;
    const around =
      row.kind === 'entries' && parent !== undefined
        ? await this.#deps.entries.around(item.listId ?? '', parent, signal)
        : await this.#deps.requests.around(making, signal);
    const links = records.map((record) => ({ ...record, entityId: null }));
    const sought = { ...item, links, entryId, creation: row };
    const candidates = around.filter((snapshot) => isSameThing(sought, snapshot));
    const holders = await this.#deps.items.byAttioIds(
      row.kind,
      candidates.map((snapshot) => snapshot.attioId),
    );
    const free = candidates.find((snapshot) => isFree(holders.get(snapshot.attioId), item));
    return free ?? this.#recognised(item, signal);
  }

  /** A task that a webhook was recognised by stays it, also when the records that it was about have gone since. */
  async #recognised({ kind, attioId }: Item, signal: AbortSignal): Promise<ItemSnapshot | null> {
    if (kind !== 'tasks' || attioId === null) return null;
    try {
      return await this.#deps.requests.task(attioId, signal);
    } catch (error) {
      if (!isAttioError(error, 'not_found')) throw error;
      return null;
    }
  }

  /** @returns null when somebody has deleted it */
  async #change(row: Row, item: Item, signal: AbortSignal): Promise<Written | null> {
    const { attioId } = item;
    if (attioId === null) {
      throw new ServiceError('refused', item.syncFailure?.detail ?? 'it was never made in Attio');
    }
    try {
      if (row.kind === 'entries') {
        const intent = withoutAddress(row.intent);
        return await this.#deps.entries.change(
          { ...row, intent },
          item.listId ?? '',
          attioId,
          await this.#context(row),
          signal,
        );
      }
      return await this.#changeTask(row, attioId, signal);
    } catch (error) {
      if (!isAttioError(error, 'not_found')) throw error;
      await this.#deps.gone.settle(row.kind, [{ attioId, readAt: this.#attioNow(9) }]);
      return null;
    }
  }

  async #changeTask(row: Row, taskId: string, signal: AbortSignal): Promise<Written> {
    const { requests } = this.#deps;
    const standing = await requests.task(taskId, signal);
    const { send, ...met } = planMembers(row, standing.body, await this.#context(row));
    if (Object.keys(send).length === 0) return { snapshot: standing, ...met };
    return { snapshot: await requests.changeTask(taskId, send, signal), ...met };
  }

  async #making(row: Row, item: Item, records: LinkedRecords): Promise<Making> {
    const onEntry = row.intent['onEntry'];
    const entry = typeof onEntry === 'string' ? await this.#deps.items.find('entries', onEntry) : undefined;
    if (typeof onEntry === 'string' && entry?.attioId == null) {
      throw await this.#unmade('entries', onEntry, 'the entry that it is on');
    }
    const entryId = entry?.attioId ?? item.entryId;
    return { item, intent: await this.#withAuthor(row), records, entryId };
  }

  /** Whose address could not be looked up when the comment was accepted. */
  async #withAuthor(row: Row): Promise<Row['intent']> {
    const author = row.intent['author'];
    const email = author !== null && typeof author === 'object' && 'email' in author ? author['email'] : null;
    if (typeof email !== 'string') return row.intent;
    const id = await this.#deps.members.idOf(email, '/authorEmail');
    return { ...row.intent, author: { type: 'workspace-member', id } };
  }

  /** @throws ServiceError `unavailable` while one of them is yet to be made; `refused` when it never will be */
  async #recordsOf(item: Item): Promise<LinkedRecords> {
    const records: { object: string; recordId: string }[] = [];
    for (const link of item.links) {
      const { object, recordId } = await recordOf(this.#deps.entities, link);
      if (recordId === null)
        throw await this.#unmade(object, link.entityId ?? '', 'a record that it is about');
      records.push({ object, recordId });
    }
    return records;
  }

  async #unmade(kind: string, id: string, what: string): Promise<ServiceError> {
    const pending = await this.#deps.outbox.pendingOf(kind as 'people', [id]); // whichever kind it is of
    if ((pending.get(id) ?? []).length === 0) {
      return new ServiceError('refused', `${what} could not be made in Attio`);
    }
    return new ServiceError('unavailable', `${what} comes first`, { isolated: true });
  }

  async #context(row: Row): Promise<PlanContext> {
    const { clock, attioTime, heldBackAfterMs, conflicts, rules } = this.#deps;
    const acceptedAt = Date.parse(row.acceptedAt);
    const heldBack = row.attempts > 0 || clock.now() - acceptedAt > heldBackAfterMs;
    const isDecided = (row.conflictId ?? null) !== null;
    const open = isDecided ? new Map() : await openByField(conflicts, ITEM_NOUNS[row.kind], row.entityId);
    return { acceptedAt: attioTime(acceptedAt), heldBack, rules, open, goneSince: new Map() };
  }

  #attioNow(digits: 3 | 9 = 3): string {
    const iso = new Date(this.#deps.attioTime(this.#deps.clock.now())).toISOString();
    return digits === 9 ? iso.replace('Z', '000000Z') : iso;
  }
}

/** Nobody's, this item's, or one that a webhook has made a thing of its own. */
function isFree(holder: Item | undefined, item: Item): boolean {
  return holder === undefined || holder.id === item.id || holder.id === holder.attioId;
}

/** An entry that its record may have beside others. */
function isDuplicate(row: Row): boolean {
  return row.intent['allowDuplicate'] === true;
}

function withoutAddress({ allowDuplicate: _, ...intent }: Row['intent']): Row['intent'] {
  return intent;
}
