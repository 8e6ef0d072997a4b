import type { Insertable, Selectable } from 'kysely';
import type { MirroredRecord, WrittenRecord } from '../domain/records.ts';
import { among, BulkInsert, inOrderOf, setToExcluded } from './bulk.ts';
import { chunks, type Handle, loadBy, parseJson } from './database.ts';
import type { RecordTable } from './schema.ts';

type State = Pick<MirroredRecord, 'recordId' | 'readAt' | 'hash' | 'deletedAt' | 'mergedInto' | 'hidden'>;
type StateRow = Pick<RecordTable, 'record_id' | 'read_at' | 'hash' | 'deleted_at' | 'merged_into'> & {
  hidden: 0 | 1;
};

const STATE_COLUMNS = ['record_id', 'read_at', 'hash', 'deleted_at', 'merged_into', 'hidden'] as const;

const CONTENT = [
  'created_at',
  'web_url',
  'values_json',
  'hash',
  'read_at',
  'deleted_at',
  'merged_into',
  'hidden',
] as const;

const RECORDS = new BulkInsert(
  'record',
  ['object', 'record_id', ...CONTENT],
  () =>
    `on conflict (object, record_id) do update set ${setToExcluded(CONTENT)} where excluded.read_at >= record.read_at`,
);

/** The mirror: one row per Attio record ever seen, living or gone. */
export class RecordsStore {
  readonly #db: Handle;

  constructor(db: Handle) {
    this.#db = db;
  }

  async states(object: string, recordIds: readonly string[]): Promise<Map<string, State>> {
    return loadBy(
      recordIds,
      (ids) =>
        this.#db
          .selectFrom('record')
          .select(STATE_COLUMNS)
          .where('object', '=', object)
          .where('record_id', 'in', among(this.#db, ids))
          .execute(),
      (row) => row.record_id,
      readState,
    );
  }

  async load(object: string, recordIds: readonly string[]): Promise<Map<string, MirroredRecord>> {
    return loadBy(
      recordIds,
      (ids) =>
        this.#db
          .selectFrom('record')
          .selectAll()
          .where('object', '=', object)
          .where('record_id', 'in', among(this.#db, ids))
          .execute(),
      (row) => row.record_id,
      readRecord,
    );
  }

  /** The staleness gate stands in the statement too, so that no reader of an old state can overwrite a newer one. */
  async upsert(records: readonly WrittenRecord[]): Promise<void> {
    const inOrder = inOrderOf(records, (record) => record.recordId);
    await RECORDS.run(this.#db, inOrder.map(writeRecord));
  }

  async touch(object: string, recordIds: readonly string[], readAt: string): Promise<void> {
    for (const part of chunks(recordIds)) {
      await this.#db
        .updateTable('record')
        .set({ read_at: readAt })
        .where('object', '=', object)
        .where('record_id', 'in', among(this.#db, part))
        .where('read_at', '<', readAt)
        .execute();
    }
  }

  async markGone(
    gone: readonly {
      object: string;
      recordId: string;
      readAt: string;
      deletedAt: string;
      mergedInto: string | null;
    }[],
  ): Promise<void> {
    for (const row of gone) {
      await this.#db
        .updateTable('record')
        .set({ read_at: row.readAt, deleted_at: row.deletedAt, merged_into: row.mergedInto })
        .where('object', '=', row.object)
        .where('record_id', '=', row.recordId)
        .execute();
    }
  }

  /** Hides a record, without its values, or shows it again as one that is gone until it is next read. */
  async setHidden(object: string, recordIds: readonly string[], hidden: boolean, at: string): Promise<void> {
    if (recordIds.length === 0) return;
    await this.#db
      .updateTable('record')
      .set(hidden ? { hidden: 1, deleted_at: at, values_json: '{}', hash: '', web_url: null } : { hidden: 0 })
      .where('object', '=', object)
      .where('record_id', 'in', recordIds)
      .execute();
  }

  async countLive(object: string): Promise<number> {
    const row = await this.#db
      .selectFrom('record')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('object', '=', object)
      .where('deleted_at', 'is', null)
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  async whereabouts(
    objects: readonly string[],
    recordId: string,
  ): Promise<Pick<MirroredRecord, 'object' | 'deletedAt' | 'mergedInto'> | null> {
    const row = await this.#db
      .selectFrom('record')
      .select(['object', 'deleted_at', 'merged_into'])
      .where('object', 'in', objects)
      .where('record_id', '=', recordId)
      .executeTakeFirst();
    if (row === undefined) return null;
    return { object: row.object, deletedAt: row.deleted_at, mergedInto: row.merged_into };
  }

  async liveIds(object: string, beforeReadAt: string, afterId: string, limit: number): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('record')
      .select('record_id')
      .where('object', '=', object)
      .where('deleted_at', 'is', null)
      .where('read_at', '<', beforeReadAt)
      .where('record_id', '>', afterId)
      .orderBy('record_id')
      .limit(limit)
      .execute();
    return rows.map((row) => row.record_id);
  }
}

function readState(row: StateRow): State {
  return {
    recordId: row.record_id,
    readAt: row.read_at,
    hash: row.hash,
    deletedAt: row.deleted_at,
    mergedInto: row.merged_into,
    hidden: row.hidden === 1,
  };
}

function readRecord(row: Selectable<RecordTable>): MirroredRecord {
  return {
    ...readState(row),
    object: row.object,
    createdAt: row.created_at,
    webUrl: row.web_url,
    values: parseJson(row.values_json),
  };
}

function writeRecord(record: WrittenRecord): Insertable<RecordTable> {
  return {
    object: record.object,
    record_id: record.recordId,
    created_at: record.createdAt,
    web_url: record.webUrl,
    values_json: record.valuesText ?? JSON.stringify(record.values),
    hash: record.hash,
    read_at: record.readAt,
    deleted_at: record.deletedAt,
    merged_into: record.mergedInto,
    hidden: record.hidden ? 1 : 0,
  };
}
