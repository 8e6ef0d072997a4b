import type { JsonObject } from '../domain/json.ts';
import { TtlCache, type TtlCacheOptions } from './ttl-cache.ts';

const MAX_BYTES = 64 * 1024 * 1024;

/** How long a record that Attio will not give us may be served from memory. */
const STALE_MS = 24 * 60 * 60 * 1000;

/** Records as Attio reads them, by record id (ids are unique in a workspace, whatever the object). */
export class RecordCache extends TtlCache<JsonObject> {
  constructor(options: Pick<TtlCacheOptions, 'ttlMs' | 'now' | 'random' | 'onRead'>) {
    super({ ...options, name: 'record', staleMs: STALE_MS, maxBytes: MAX_BYTES });
  }
}

/** Answers of record queries, by object and canonical body; asked for explicitly, never invalidated, short-lived. */
export class QueryCache extends TtlCache<JsonObject> {
  constructor(options: Pick<TtlCacheOptions, 'ttlMs' | 'now' | 'random' | 'onRead'>) {
    super({ ...options, name: 'query', staleMs: 0, maxBytes: MAX_BYTES });
  }
}
