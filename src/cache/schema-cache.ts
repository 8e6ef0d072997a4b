import type { JsonObject } from '../domain/json.ts';
import type { SharedTier } from './shared-tier.ts';
import { TtlCache, type TtlCacheOptions } from './ttl-cache.ts';

const MAX_BYTES = 16 * 1024 * 1024;

/** A workspace's schema changes rarely and is needed for everything: an old one beats none. */
const STALE_MS = 7 * 24 * 60 * 60 * 1000;

/** While other instances cannot reach us: definitions are many, and Attio's budget is one for all instances. */
const ALONE_MS = 10_000;

/** A list of definitions, such as the workspace's objects or an object's attributes. */
export interface Definitions {
  readonly items: readonly JsonObject[];
}

export class SchemaCache extends TtlCache<Definitions> {
  constructor(
    options: Pick<TtlCacheOptions, 'ttlMs' | 'now' | 'random' | 'onRead'> & { tier?: SharedTier | null },
  ) {
    const { tier = null, ...rest } = options;
    const shared = tier === null ? {} : { shared: { tier, aloneMs: ALONE_MS, keepsDoubted: true } };
    super({ ...rest, ...shared, name: 'schema', staleMs: STALE_MS, maxBytes: MAX_BYTES });
  }
}
