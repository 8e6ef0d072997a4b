import type { CachedRecords } from '../attio/cached-records.ts';
import type { JsonObject } from '../domain/json.ts';
import { askAttio } from './attio-errors.ts';
import { ServiceError } from './errors.ts';
import type { SchemaService } from './schema.ts';

export type CacheAnswer = 'HIT' | 'MISS' | 'STALE';

interface FoundRecord {
  readonly record: JsonObject;
  readonly cache: CacheAnswer;
}

/** Attio's own records for internal systems, without spending Attio's limits on each reader. */
export class RecordsService {
  readonly #records: CachedRecords;
  readonly #schema: Pick<SchemaService, 'assertObject' | 'holdsObject'>;

  constructor(deps: { records: CachedRecords; schema: Pick<SchemaService, 'assertObject' | 'holdsObject'> }) {
    this.#records = deps.records;
    this.#schema = deps.schema;
  }

  /**
   * One record, as Attio answers it. What is in memory is answered at once.
   * @throws ServiceError `not_found`; `unavailable` when Attio is out of reach and nothing is cached
   */
  get(object: string, recordId: string): FoundRecord | Promise<FoundRecord> {
    const isKnown = this.#schema.holdsObject(object);
    const record = isKnown ? this.#records.held(object, recordId) : null;
    return record === null ? this.#find(object, recordId, isKnown) : { record, cache: 'HIT' };
  }

  async #find(object: string, recordId: string, isKnown: boolean): Promise<FoundRecord> {
    if (!isKnown) await this.#schema.assertObject(object);
    const ask = () => this.#records.get(object, recordId);
    const { record, cache } = await askAttio(ask, { wanted: 'The record' });
    if (record === null) throw new ServiceError('not_found', `Attio has no record of ${object} with this id`);
    return { record, cache };
  }

  /**
   * Attio's own query, passed through.
   * @param options.cache take an answer to the same question for as long as a record is cached
   * @throws ServiceError `refused` with Attio's words for a bad filter; `unavailable`
   */
  async query(
    object: string,
    body: JsonObject,
    options: { cache: boolean },
  ): Promise<{ records: JsonObject[]; cache: CacheAnswer | 'BYPASS' }> {
    await this.#schema.assertObject(object);
    return askAttio(
      async () => {
        if (options.cache) return this.#records.query(object, body);
        return { records: await this.#records.queryNow(object, body), cache: 'BYPASS' as const };
      },
      { forSender: true, wanted: 'The records' },
    );
  }
}
