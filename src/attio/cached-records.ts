import type { QueryCache, RecordCache } from '../cache/record-cache.ts';
import type { CacheResult } from '../cache/ttl-cache.ts';
import { canonicalJson, type JsonObject } from '../domain/json.ts';
import { AttioApiError, isAttioError } from './errors.ts';
import type { Query } from './resources/query.ts';
import type { RecordsResource } from './resources/records.ts';
import type { AttioRecord } from './types.ts';

export interface CachedRead {
  /** Null: Attio has no such record. */
  readonly record: (AttioRecord & JsonObject) | null;
  readonly cache: CacheResult;
}

/**
 * Records as Attio answers them, at memory speed. For readers only: nothing that writes decides by it.
 */
export class CachedRecords {
  readonly #records: Pick<RecordsResource, 'get' | 'query'>;
  readonly #cache: RecordCache;
  readonly #queries: QueryCache;

  constructor(deps: {
    records: Pick<RecordsResource, 'get' | 'query'>;
    cache: RecordCache;
    queries: QueryCache;
  }) {
    this.#records = deps.records;
    this.#cache = deps.cache;
    this.#queries = deps.queries;
  }

  /** From memory; null when it would have to be waited for, or Attio has none such. */
  held(object: string, recordId: string): CachedRead['record'] {
    const key = this.#cache.keyOf(object, recordId);
    const held = key === null ? null : this.#cache.held(key);
    return held as CachedRead['record']; // what #load has put there
  }

  /** @throws AttioApiError when Attio is out of reach and nothing is cached */
  async get(object: string, recordId: string): Promise<CachedRead> {
    const key = this.#cache.keyOf(object, recordId);
    const load = () => this.#load(object, recordId);
    const { value, result } =
      key === null
        ? { value: await load(), result: 'MISS' as const }
        : await this.#cache.read(key, load, isOutage);
    return { record: value as CachedRead['record'], cache: result }; // what #load has put there
  }

  /** @throws AttioApiError */
  async query(
    object: string,
    query: Query & JsonObject,
  ): Promise<{ records: JsonObject[]; cache: CacheResult }> {
    const key = canonicalJson([object, query]);
    const { value, result } = await this.#queries.read(
      key,
      async () => ({ records: await this.queryNow(object, query) }),
      isOutage,
    );
    return { records: (value?.['records'] ?? []) as JsonObject[], cache: result }; // what was put there
  }

  /** @throws AttioApiError; kind `invalid_response` when a record of the answer is not what Attio documents */
  async queryNow(object: string, query: Query): Promise<JsonObject[]> {
    const { records, invalid } = await this.#records.query(object, query);
    const [odd] = invalid;
    if (odd === undefined) return records as JsonObject[]; // JSON, which the loose schemas cannot say
    const endpoint = 'POST /objects/{object}/records/query';
    throw new AttioApiError('invalid_response', { endpoint, cause: new Error(odd.issue) });
  }

  /** A record has changed: forget it in every instance, and what is on its way. */
  forget(recordId: string): void {
    this.#cache.invalidateSubject(recordId);
  }

  /** Answers to queries may name anybody. */
  forgetQueries(): void {
    this.#queries.clear();
  }

  async #load(object: string, recordId: string): Promise<JsonObject | null> {
    try {
      const { data } = await this.#records.get(object, recordId);
      return data as JsonObject; // JSON, which the loose schemas cannot say
    } catch (error) {
      if (isAttioError(error, 'not_found')) return null;
      throw error;
    }
  }
}

function isOutage(error: unknown): boolean {
  return error instanceof AttioApiError && !error.traits.final;
}
