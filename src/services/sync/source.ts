import type { Query } from '../../attio/resources/query.ts';
import type { RecordsResource } from '../../attio/resources/records.ts';
import type { AttioRecord } from '../../attio/types.ts';
import type { EntityKind } from '../../domain/entities.ts';
import type { RecordSnapshot, RecordValues } from '../../domain/records.ts';
import { askAttio } from '../attio-errors.ts';
import type { KeySlugs } from './mapping.ts';

/** One answer of Attio with records. */
export interface SourcePage {
  readonly snapshots: readonly RecordSnapshot[];
  /** Ids of records in the answer that could not be read. */
  readonly invalidIds: readonly string[];
  /** Records in the answer whose very id could not be read. */
  readonly unidentified: number;
  /** The instant the answer reflects. */
  readonly readAt: string;
  /** Records in the answer, readable or not. */
  readonly size: number;
}

/** Reads records from Attio for the sync. @throws ServiceError */
export interface RecordSource {
  /** Oldest first, which keeps offsets stable while records are added. */
  page(object: string, offset: number, limit: number, signal: AbortSignal): Promise<SourcePage>;
  byIds(object: string, recordIds: readonly string[], signal: AbortSignal): Promise<SourcePage>;
  /** The records that hold one of these keys. */
  byKeys(kind: EntityKind, keys: readonly string[], signal: AbortSignal): Promise<SourcePage>;
}

export class AttioRecordSource implements RecordSource {
  readonly #records: Pick<RecordsResource, 'query'>;
  readonly #keySlugs: KeySlugs;
  readonly #onInvalid: (object: string, issue: string) => void;

  /** @param deps.onInvalid told of each record that is not what Attio documents */
  constructor(deps: {
    records: Pick<RecordsResource, 'query'>;
    keySlugs: KeySlugs;
    onInvalid: (object: string, issue: string) => void;
  }) {
    this.#records = deps.records;
    this.#keySlugs = deps.keySlugs;
    this.#onInvalid = deps.onInvalid;
  }

  async page(object: string, offset: number, limit: number, signal: AbortSignal): Promise<SourcePage> {
    return this.#read(
      object,
      { sorts: [{ direction: 'asc', attribute: 'created_at' }], limit, offset },
      signal,
    );
  }

  async byIds(object: string, recordIds: readonly string[], signal: AbortSignal): Promise<SourcePage> {
    return this.#read(object, { filter: { record_id: { $in: recordIds } }, limit: recordIds.length }, signal);
  }

  async byKeys(kind: EntityKind, keys: readonly string[], signal: AbortSignal): Promise<SourcePage> {
    const conditions = keys.map((key) => ({ [this.#keySlugs[kind]]: key }));
    const filter = conditions.length === 1 ? conditions[0] : { $or: conditions };
    // While a key moves from one record to another, both may hold it for a moment.
    return this.#read(kind, { filter, limit: 2 * keys.length }, signal);
  }

  async #read(object: string, query: Query, signal: AbortSignal): Promise<SourcePage> {
    const { records, invalid, meta } = await askAttio(() => this.#records.query(object, query, { signal }));
    for (const { issue } of invalid) this.#onInvalid(object, issue);
    return {
      snapshots: records.map((record) => toSnapshot(object, record, meta.accurateAt)),
      invalidIds: invalid.flatMap(({ recordId }) => (recordId === null ? [] : [recordId])),
      unidentified: invalid.filter(({ recordId }) => recordId === null).length,
      readAt: meta.accurateAt,
      size: records.length + invalid.length,
    };
  }
}

/** A record as Attio answers it. @param readAt the instant that the answer reflects */
export function toSnapshot(object: string, record: AttioRecord, readAt: string): RecordSnapshot {
  return {
    object,
    recordId: record.id.record_id.toLowerCase(),
    createdAt: new Date(record.created_at).toISOString(),
    webUrl: record.web_url,
    values: record.values as RecordValues, // JSON, which the loose schemas of the gateway cannot say
    readAt,
  };
}
