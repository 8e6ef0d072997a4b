import type { Expression, SqlBool } from 'kysely';
import type { Item, ItemKind, ItemScope } from '../domain/items.ts';
import { chunks, type Handle } from './database.ts';
import {
  conditions,
  type ItemBuilder,
  type ItemFilter,
  isAboutAny,
  type RecordRef,
  refChunks,
} from './item-filters.ts';
import { linkRows, readItem, writeItem } from './item-rows.ts';
import { type StageTotal, stageTotals } from './item-totals.ts';
import type { ItemLinkTable, ItemTable } from './schema.ts';

type State = Pick<Item, 'id' | 'readAt' | 'hash' | 'deletedAt'> & { readonly attioId: string };

/** Entries of lists, notes, tasks and comments: one row each, living or gone, with the records that they are about. */
export class ItemsStore {
  readonly #db: Handle;

  constructor(db: Handle) {
    this.#db = db;
  }

  async states(kind: ItemKind, attioIds: readonly string[]): Promise<Map<string, State>> {
    const found = new Map<string, State>();
    for (const part of chunks(attioIds)) {
      const rows = await this.#db
        .selectFrom('item')
        .select(['id', 'attio_id', 'read_at', 'hash', 'deleted_at'])
        .where('kind', '=', kind)
        .where('attio_id', 'in', part)
        .execute();
      for (const { id, attio_id: attioId, read_at: readAt, hash, deleted_at: deletedAt } of rows) {
        if (attioId !== null) found.set(attioId, { id, attioId, readAt, hash, deletedAt });
      }
    }
    return found;
  }

  async byAttioIds(kind: ItemKind, attioIds: readonly string[]): Promise<Map<string, Item>> {
    const items = await this.#load(attioIds, (eb, part) =>
      eb.and([eb('kind', '=', kind), eb('attio_id', 'in', part)]),
    );
    return new Map(items.flatMap((item) => (item.attioId === null ? [] : [[item.attioId, item]])));
  }

  /** Which of these ids of Attio's are of items that were made anew there: they bear another one since. */
  async outlived(kind: ItemKind, attioIds: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    for (const part of chunks(attioIds)) {
      const rows = await this.#db
        .selectFrom('item')
        .select('id')
        .where('kind', '=', kind)
        .where('id', 'in', part)
        .where((eb) => eb.or([eb('attio_id', 'is', null), eb('attio_id', '!=', eb.ref('id'))]))
        .execute();
      for (const { id } of rows) found.add(id);
    }
    return found;
  }

  /** By our id or Attio's. */
  async find(kind: ItemKind, id: string): Promise<Item | undefined> {
    return this.#one((eb) =>
      eb.and([eb('kind', '=', kind), eb.or([eb('id', '=', id), eb('attio_id', '=', id)])]),
    );
  }

  async findByRequest(kind: ItemKind, requestKey: string): Promise<Item | undefined> {
    return this.#one((eb) => eb.and([eb('kind', '=', kind), eb('request_key', '=', requestKey)]));
  }

  /** Living ones in the order of their ids. */
  async list(kind: ItemKind, filter: ItemFilter, afterId: string, limit: number): Promise<Item[]> {
    const rows = await this.#db
      .selectFrom('item')
      .selectAll()
      .where('kind', '=', kind)
      .where('deleted_at', 'is', null)
      .where('id', '>', afterId)
      .where((eb) => eb.and(conditions(eb, kind, filter)))
      .orderBy('id')
      .limit(limit)
      .execute();
    return this.#withLinks(rows);
  }

  /** Living ones that Attio is not known to have, and that are about one of these records. */
  async unlinked(kind: ItemKind, records: readonly RecordRef[]): Promise<Item[]> {
    const rows = new Map<string, ItemTable>();
    for (const refs of refChunks(records)) {
      const found = await this.#unlinked(kind)
        .where((eb) => isAboutAny(eb, refs))
        .execute();
      for (const row of found) rows.set(row.id, row);
    }
    return this.#withLinks([...rows.values()].sort(byAge).slice(0, MAX_UNLINKED));
  }

  /** Living tasks that are about no record and that Attio is not known to have. */
  async unlinkedAboutNothing(kind: ItemKind): Promise<Item[]> {
    const rows = await this.#unlinked(kind)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('item_link')
              .select('item_link.item_id')
              .whereRef('item_link.kind', '=', 'item.kind')
              .whereRef('item_link.item_id', '=', 'item.id'),
          ),
        ),
      )
      .execute();
    return this.#withLinks(rows);
  }

  /** All, living or gone, that are about one of these records, or of the things with these ids. */
  async about(recordIds: readonly string[], entityIds: readonly string[]): Promise<Item[]> {
    const found = new Map<string, { kind: string; item_id: string }>();
    const note = (rows: { kind: string; item_id: string }[]) => {
      for (const row of rows) found.set(`${row.kind}/${row.item_id}`, row);
    };
    for (const part of chunks(recordIds)) {
      const links = this.#db.selectFrom('item_link').select(['kind', 'item_id']);
      note(await links.where('record_id', 'in', part).execute());
    }
    for (const part of chunks(entityIds)) {
      const links = this.#db.selectFrom('item_link').select(['kind', 'item_id']);
      note(await links.where('entity_id', 'in', part).execute());
    }
    const items: Item[] = [];
    for (const [kind, rows] of Map.groupBy(found.values(), (row) => row.kind)) {
      const ids = rows.map((row) => row.item_id);
      items.push(
        ...(await this.#load(ids, (eb, part) => eb.and([eb('kind', '=', kind), eb('id', 'in', part)]))),
      );
    }
    return items;
  }

  /** How many living entries of a list are in each stage, and what their values add up to, by currency. */
  async stageTotals(listId: string): Promise<StageTotal[]> {
    return stageTotals(this.#db, listId);
  }

  /** Whole rows, with their links. */
  async put(items: readonly Item[]): Promise<void> {
    for (const part of chunks(items, ITEMS_PER_STATEMENT)) {
      await this.#putRows(part);
      await this.#putLinks(part);
    }
  }

  async remove(kind: ItemKind, id: string): Promise<void> {
    await this.removeAll(kind, [id]);
  }

  async removeAll(kind: ItemKind, ids: readonly string[]): Promise<void> {
    for (const part of chunks(ids)) {
      await this.#db.deleteFrom('item_link').where('kind', '=', kind).where('item_id', 'in', part).execute();
      await this.#db.deleteFrom('item').where('kind', '=', kind).where('id', 'in', part).execute();
    }
  }

  async touch(kind: ItemKind, attioIds: readonly string[], readAt: string): Promise<void> {
    for (const part of chunks(attioIds)) {
      await this.#db
        .updateTable('item')
        .set({ read_at: readAt })
        .where('kind', '=', kind)
        .where('attio_id', 'in', part)
        .where('read_at', '<', readAt)
        .execute();
    }
  }

  async countLive({ kind, listId }: ItemScope): Promise<number> {
    let query = this.#db
      .selectFrom('item')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('kind', '=', kind)
      .where('attio_id', 'is not', null)
      .where('deleted_at', 'is', null);
    if (listId !== null) query = query.where('list_id', '=', listId);
    return Number((await query.executeTakeFirstOrThrow()).count);
  }

  /** Attio ids of living items last read before `readAt`, in their order, from after `afterId`. */
  async liveIds(
    { kind, listId }: ItemScope,
    beforeReadAt: string,
    afterId: string,
    limit: number,
  ): Promise<string[]> {
    let query = this.#db
      .selectFrom('item')
      .select('attio_id')
      .where('kind', '=', kind)
      .where('attio_id', '>', afterId)
      .where('deleted_at', 'is', null)
      .where('read_at', '<', beforeReadAt);
    if (listId !== null) query = query.where('list_id', '=', listId);
    const rows = await query.orderBy('attio_id').limit(limit).execute();
    return rows.flatMap(({ attio_id: id }) => (id === null ? [] : [id]));
  }

  /** What was about a record that was merged away is about the survivor. */
  async relink(deadRecordId: string, survivorRecordId: string, entityId: string | null): Promise<void> {
    await this.#db
      .updateTable('item_link')
      .set({ record_id: survivorRecordId, entity_id: entityId })
      .where('record_id', '=', deadRecordId)
      .execute();
  }

  async relinkThing(fromId: string, intoId: string): Promise<void> {
    await this.#db
      .updateTable('item_link')
      .set({ entity_id: intoId })
      .where('entity_id', '=', fromId)
      .execute();
  }

  #unlinked(kind: ItemKind) {
    return this.#db
      .selectFrom('item')
      .selectAll()
      .where('kind', '=', kind)
      .where('attio_id', 'is', null)
      .where('deleted_at', 'is', null)
      .orderBy('created_at')
      .limit(MAX_UNLINKED);
  }

  async #one(condition: (eb: ItemBuilder) => Expression<SqlBool>): Promise<Item | undefined> {
    const row = await this.#db.selectFrom('item').selectAll().where(condition).executeTakeFirst();
    return row === undefined ? undefined : (await this.#withLinks([row]))[0];
  }

  async #load(
    keys: readonly string[],
    condition: (eb: ItemBuilder, part: string[]) => Expression<SqlBool>,
  ): Promise<Item[]> {
    const items: Item[] = [];
    for (const part of chunks(keys)) {
      const rows = await this.#db
        .selectFrom('item')
        .selectAll()
        .where((eb) => condition(eb, part))
        .execute();
      items.push(...(await this.#withLinks(rows)));
    }
    return items;
  }

  async #withLinks(rows: readonly ItemTable[]): Promise<Item[]> {
    const links = new Map<string, ItemLinkTable[]>();
    for (const part of chunks(rows)) {
      const found = await this.#db
        .selectFrom('item_link')
        .selectAll()
        .where('kind', 'in', [...new Set(part.map((row) => row.kind))])
        .where(
          'item_id',
          'in',
          part.map((row) => row.id),
        )
        .orderBy('position')
        .execute();
      for (const link of found) {
        const key = `${link.kind}/${link.item_id}`;
        links.set(key, [...(links.get(key) ?? []), link]);
      }
    }
    return rows.map((row) => readItem(row, links.get(`${row.kind}/${row.id}`) ?? []));
  }

  async #putRows(items: readonly Item[]): Promise<void> {
    await this.#db
      .insertInto('item')
      .values(items.map(writeItem))
      .onConflict((conflict) =>
        conflict.columns(['kind', 'id']).doUpdateSet((eb) => ({
          attio_id: eb.ref('excluded.attio_id'),
          list_id: eb.ref('excluded.list_id'),
          entry_id: eb.ref('excluded.entry_id'),
          thread_id: eb.ref('excluded.thread_id'),
          stage: eb.ref('excluded.stage'),
          amount: eb.ref('excluded.amount'),
          currency_code: eb.ref('excluded.currency_code'),
          is_completed: eb.ref('excluded.is_completed'),
          body_json: eb.ref('excluded.body_json'),
          shown_json: eb.ref('excluded.shown_json'),
          hash: eb.ref('excluded.hash'),
          read_at: eb.ref('excluded.read_at'),
          version: eb.ref('excluded.version'),
          created_at: eb.ref('excluded.created_at'),
          updated_at: eb.ref('excluded.updated_at'),
          deleted_at: eb.ref('excluded.deleted_at'),
          sync_failure_json: eb.ref('excluded.sync_failure_json'),
          request_key: eb.ref('excluded.request_key'),
        })),
      )
      .execute();
  }

  async #putLinks(items: readonly Item[]): Promise<void> {
    for (const [kind, ofKind] of Map.groupBy(items, (item) => item.kind)) {
      await this.#db
        .deleteFrom('item_link')
        .where('kind', '=', kind)
        .where(
          'item_id',
          'in',
          ofKind.map((item) => item.id),
        )
        .execute();
    }
    for (const part of chunks(items.flatMap(linkRows))) {
      await this.#db.insertInto('item_link').values(part).execute();
    }
  }
}

/** Nineteen parameters each. */
const ITEMS_PER_STATEMENT = 200;

/** What waits to be made of one record at once is far below; the rest is looked at when these have gone. */
const MAX_UNLINKED = 1_000;

function byAge(a: ItemTable, b: ItemTable): number {
  if (a.created_at === b.created_at) return 0;
  return a.created_at < b.created_at ? -1 : 1;
}
