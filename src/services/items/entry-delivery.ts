import { isAttioError } from '../../attio/errors.ts';
import type { EntriesResource } from '../../attio/resources/entries.ts';
import type { RecordsResource, WritableValues } from '../../attio/resources/records.ts';
import type { AttioResponse } from '../../attio/transport.ts';
import type { Entry } from '../../attio/types.ts';
import type { Item, ItemKind, ItemSnapshot } from '../../domain/items.ts';
import type { OutboxRow } from '../../domain/outbox.ts';
import type { RecordValues } from '../../domain/records.ts';
import type { ListsService } from '../lists.ts';
import { isEmptyPlan, planWrite, type WritePlan } from '../outbox/plan.ts';
import type { Attributes } from './shape.ts';
import { type ObjectNames, toEntrySnapshot } from './snapshots.ts';

export interface EntryDeliveryDeps {
  readonly entries: Pick<EntriesResource, 'get' | 'assert' | 'create' | 'update' | 'replace'>;
  readonly records: Pick<RecordsResource, 'entries'>;
  readonly lists: Pick<ListsService, 'attributesOf'>;
  readonly names: ObjectNames;
}

/** An entry as it is after a write, and what was decided on the way. */
export interface WrittenEntry {
  readonly snapshot: ItemSnapshot;
  readonly conflicts: WritePlan['conflicts'];
}

interface Timing {
  /** In Attio's clock. @unit ms */
  readonly acceptedAt: number;
  readonly heldBack: boolean;
}

/** A record's entries in a list that are looked at: more are duplicates upon duplicates. */
const MAX_ENTRIES = 1_000;

/**
 * Brings entries of lists over. One that is made as its parent's only one is looked for first and then asserted, which
 * Attio itself keeps from making a second one; a duplicate that was asked for is made by POST.
 */
export class EntryDelivery {
  readonly #deps: EntryDeliveryDeps;

  constructor(deps: EntryDeliveryDeps) {
    this.#deps = deps;
  }

  /** @throws AttioApiError; AttributeValueError; ServiceError */
  async make(
    row: OutboxRow<ItemKind>,
    item: Item,
    parent: { readonly object: string; readonly recordId: string },
    timing: Timing & { readonly duplicate: boolean; readonly markSent: () => Promise<void> },
    signal: AbortSignal,
  ): Promise<WrittenEntry> {
    const listId = item.listId ?? '';
    const attributes = await this.#deps.lists.attributesOf(listId);
    const standing = timing.duplicate ? null : await this.#entryOf(listId, parent, signal);
    if (standing !== null) return this.#write(row, listId, standing, attributes, timing, signal);
    const plan = planWrite({ row: { intent: row.intent, base: {} }, values: {}, attributes, ...timing });
    const values = { ...withoutEmpty(plan.exact), ...plan.set, ...plan.add };
    const created = { parentRecordId: parent.recordId, parentObject: parent.object, values };
    await timing.markSent();
    const answer = timing.duplicate
      ? await this.#deps.entries.create(listId, created, { signal })
      : await this.#deps.entries.assert(listId, created, { signal, resend: false });
    return { snapshot: await this.#seen(answer), conflicts: [] };
  }

  /** @throws AttioApiError `not_found` when it is gone; AttributeValueError */
  async change(
    row: OutboxRow<ItemKind>,
    listId: string,
    entryId: string,
    timing: Timing,
    signal: AbortSignal,
  ): Promise<WrittenEntry> {
    const attributes = await this.#deps.lists.attributesOf(listId);
    const standing = await this.#deps.entries.get(listId, entryId, { signal });
    return this.#write(row, listId, standing, attributes, timing, signal);
  }

  /** The entries of a record in a list. */
  async around(
    listId: string,
    parent: { readonly object: string; readonly recordId: string },
    signal: AbortSignal,
  ): Promise<ItemSnapshot[]> {
    const found: ItemSnapshot[] = [];
    for (const entryId of await this.#entryIds(listId, parent, signal)) {
      found.push(await this.#seen(await this.#deps.entries.get(listId, entryId, { signal })));
    }
    return found;
  }

  async #entryOf(
    listId: string,
    parent: { readonly object: string; readonly recordId: string },
    signal: AbortSignal,
  ): Promise<AttioResponse<Entry> | null> {
    for (const entryId of await this.#entryIds(listId, parent, signal)) {
      try {
        return await this.#deps.entries.get(listId, entryId, { signal });
      } catch (error) {
        // Deleted since it was listed.
        if (!isAttioError(error, 'not_found')) throw error;
      }
    }
    return null;
  }

  async #entryIds(
    listId: string,
    { object, recordId }: { readonly object: string; readonly recordId: string },
    signal: AbortSignal,
  ): Promise<string[]> {
    const { data } = await this.#deps.records.entries(object, recordId, { limit: MAX_ENTRIES, signal });
    return data.filter((entry) => entry.list_id.toLowerCase() === listId).map((entry) => entry.entry_id);
  }

  async #write(
    row: OutboxRow<ItemKind>,
    listId: string,
    standing: AttioResponse<Entry>,
    attributes: Attributes,
    timing: Timing,
    signal: AbortSignal,
  ): Promise<WrittenEntry> {
    const { entries } = this.#deps;
    const values = standing.data.entry_values as RecordValues; // JSON, which the loose schemas of the gateway cannot say
    const plan = planWrite({ row, values, attributes, ...timing });
    const entryId = standing.data.id.entry_id;
    const options = { signal, resend: false };
    if (isEmptyPlan(plan)) return { snapshot: await this.#seen(standing), conflicts: plan.conflicts };
    const exact = hasValues(plan.exact);
    const adding = exact ? plan.add : { ...plan.set, ...plan.add };
    let answer = standing;
    if (hasValues(adding)) answer = await entries.update(listId, entryId, adding, options);
    if (exact) answer = await entries.replace(listId, entryId, { ...plan.exact, ...plan.set }, options);
    return { snapshot: await this.#seen(answer), conflicts: plan.conflicts };
  }

  async #seen({ data, meta }: AttioResponse<Entry>): Promise<ItemSnapshot> {
    return toEntrySnapshot(data, meta.accurateAt, this.#deps.names);
  }
}

function hasValues(values: WritableValues): boolean {
  return Object.keys(values).length > 0;
}

function withoutEmpty<T>(values: Readonly<Record<string, readonly T[]>>): Record<string, readonly T[]> {
  return Object.fromEntries(Object.entries(values).filter(([, list]) => list.length > 0));
}
