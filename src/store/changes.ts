import type { Selectable } from 'kysely';
import type { Change, ChangeType, NewChange } from '../domain/changes.ts';
import { BulkInsert } from './bulk.ts';
import { type Handle, onDisk, parseJson } from './database.ts';
import type { ChangeTable } from './schema.ts';

const CHANGES = new BulkInsert('change', [
  'type',
  'object',
  'id',
  'merged_id',
  'source',
  'changed_json',
  'at',
  'data_json',
]);

/** The change feed: what happened to the mirror, in commit order. */
export class ChangesStore {
  readonly #db: Handle;

  constructor(db: Handle) {
    this.#db = db;
  }

  /**
   * Only inside of `transaction(db, work)`, whose lock has changes numbered in the order of their commits: without it a
   * reader could pass over one that commits late.
   */
  async append(changes: readonly NewChange[]): Promise<void> {
    if (!this.#db.isTransaction) throw new Error('changes are appended inside of a transaction only');
    await CHANGES.run(this.#db, changes.map(writeChange));
  }

  /** On the disk: a follower that has seen a change which is lost in a crash would miss the one that gets its number. */
  async after(seq: number, limit: number): Promise<Change[]> {
    const rows = await this.#db
      .selectFrom('change')
      .selectAll()
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(limit)
      .execute();
    if (rows.length > 0) await onDisk(this.#db);
    return rows.map(readChange);
  }

  /** On the disk, as by `after`. */
  async get(seq: number): Promise<Change | undefined> {
    const row = await this.#db.selectFrom('change').selectAll().where('seq', '=', seq).executeTakeFirst();
    if (row === undefined) return undefined;
    await onDisk(this.#db);
    return readChange(row);
  }

  /** The number of the latest change, on the disk as by `after`. */
  async latest(): Promise<number> {
    const { newest } = await this.bounds();
    await onDisk(this.#db);
    return newest;
  }

  /** A full sync of the scope has ended: what comes after it in the feed is news. Only the first one counts. */
  async noteFullSync(scope: string): Promise<void> {
    const { newest } = await this.bounds();
    await this.#db
      .insertInto('first_sync')
      .values({ scope, after_seq: newest })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  async bounds(): Promise<{ prunedThrough: number; newest: number }> {
    const { pruned_through: prunedThrough } = await this.#db
      .selectFrom('change_feed')
      .select('pruned_through')
      .executeTakeFirstOrThrow();
    const { newest } = await this.#db
      .selectFrom('change')
      .select((eb) => eb.fn.max('seq').as('newest'))
      .executeTakeFirstOrThrow();
    // What is older than the feed, and kept for those that it is yet to be told to, is not of it any more.
    return { prunedThrough, newest: Math.max(newest ?? 0, prunedThrough) };
  }
}

function readChange(row: Selectable<ChangeTable>): Change {
  return {
    seq: row.seq,
    type: row.type as ChangeType, // written from a NewChange
    object: row.object,
    id: row.id,
    ...(row.merged_id === null ? {} : { mergedId: row.merged_id }),
    source: row.source as Change['source'], // written from a NewChange
    changed: parseJson(row.changed_json),
    at: row.at,
    data: parseJson(row.data_json),
  };
}

function writeChange(change: NewChange): Omit<ChangeTable, 'seq'> {
  return {
    type: change.type,
    object: change.object,
    id: change.id,
    merged_id: change.mergedId ?? null,
    source: change.source,
    changed_json: JSON.stringify(change.changed),
    at: change.at,
    data_json: JSON.stringify(change.data),
  };
}
