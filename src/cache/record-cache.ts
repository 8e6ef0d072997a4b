import type { JsonObject } from '../domain/json.ts';
import type { SharedTier } from './shared-tier.ts';
import { TtlCache, type TtlCacheOptions } from './ttl-cache.ts';

const MAX_BYTES = 64 * 1024 * 1024;

/** How long a record that Attio will not give us may be served from memory. */
const STALE_MS = 24 * 60 * 60 * 1000;

/** While other instances cannot reach us, an old record is served no longer than they promise: a second. */
const ALONE_MS = 900;

/** More than any workspace has; they are given by callers. */
const MAX_OBJECTS = 200;

/**
 * Records as Attio reads them, by object and record id. Ids are unique in a workspace, whatever the object, and
 * webhooks name objects by id and we by slug: a record is forgotten under every slug that this process has read by.
 */
export class RecordCache extends TtlCache<JsonObject> {
  readonly #objects = new Set<string>();

  constructor(
    options: Pick<TtlCacheOptions, 'ttlMs' | 'now' | 'random' | 'onRead'> & { tier?: SharedTier | null },
  ) {
    const { tier = null, ...rest } = options;
    const shared = tier === null ? {} : { shared: { tier, aloneMs: ALONE_MS, keepsDoubted: false } };
    super({ ...rest, ...shared, name: 'record', staleMs: STALE_MS, maxBytes: MAX_BYTES });
  }

  /**
   * The key of a record; null: this object's are not cached, being one too many. None is ever left out again: what is
   * held under a slug that is forgotten would survive its webhook.
   */
  keyOf(object: string, recordId: string): string | null {
    if (!this.#objects.has(object) && this.#objects.size >= MAX_OBJECTS) return null;
    this.#objects.add(object);
    return `${object}/${recordId}`;
  }

  protected override subjectOf(key: string): string {
    return key.slice(key.indexOf('/') + 1);
  }

  protected override keysOf(recordId: string): Iterable<string> {
    return [...this.#objects].map((object) => `${object}/${recordId}`);
  }
}

/** Answers of record queries, by object and canonical body; asked for explicitly, never invalidated, short-lived. */
export class QueryCache extends TtlCache<JsonObject> {
  constructor(options: Pick<TtlCacheOptions, 'ttlMs' | 'now' | 'random' | 'onRead'>) {
    super({ ...options, name: 'query', staleMs: 0, maxBytes: MAX_BYTES });
  }
}
