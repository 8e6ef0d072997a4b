import { LRUCache } from 'lru-cache';

/** HIT: from memory, in time. MISS: loaded now. STALE: from memory, past its time, because loading failed. */
export type CacheResult = 'HIT' | 'MISS' | 'STALE';

export interface TtlCacheOptions {
  /** For the metric. */
  readonly name: string;
  readonly ttlMs: number;
  /** How long "there is none" is believed. @default ttlMs / 10 */
  readonly negativeTtlMs?: number;
  /** How long past its time an entry may still be served while loading fails. */
  readonly staleMs: number;
  /** Bound on the sum of the entries' JSON lengths. */
  readonly maxBytes: number;
  readonly now: () => number;
  /** 0 ≤ x < 1: spreads the ends of entries that were loaded together. */
  readonly random: () => number;
  readonly onRead: (read: { cache: string; tier: 'memory'; result: CacheResult }) => void;
}

interface Entry<V> {
  readonly value: V | null;
  readonly expiresAt: number;
}

interface Flight<V> {
  readonly promise: Promise<V | null>;
  /** Invalidated while loading: what it brings may be older than the invalidation. */
  overtaken: boolean;
}

/** How often a read that was overtaken by invalidations loads anew before it takes what it has. */
const MAX_RELOADS = 5;

/**
 * A read-through cache in this process.
 *
 * Concurrent misses for a key share one load. `invalidate` forgets the entry and the load in flight: later readers
 * load anew, and readers who already wait are given a fresh load as well, so nobody is served a value from before
 * the invalidation. A cache only ever makes things faster: nothing is decided by it.
 */
export class TtlCache<V extends {}> {
  readonly #options: TtlCacheOptions;
  readonly #entries: LRUCache<string, Entry<V>>;
  readonly #flights = new Map<string, Flight<V>>();

  constructor(options: TtlCacheOptions) {
    this.#options = options;
    this.#entries = new LRUCache<string, Entry<V>>({
      maxSize: options.maxBytes,
      sizeCalculation: (entry, key) => key.length + JSON.stringify(entry.value).length + 1,
    });
  }

  /**
   * @param load brings the value; null when there is none
   * @param mayServeStale whether an error of `load` allows an entry past its time
   * @throws the error of `load`
   */
  async read(
    key: string,
    load: () => Promise<V | null>,
    mayServeStale: (error: unknown) => boolean,
  ): Promise<{ value: V | null; result: CacheResult }> {
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.expiresAt > this.#options.now()) return this.#seen(entry.value, 'HIT');
    try {
      return this.#seen(await this.#loadFresh(key, load), 'MISS');
    } catch (error) {
      // Looked up again: an invalidation during the load has taken it away.
      const held = this.#entries.get(key);
      if (held !== undefined && this.#usableStale(held) && mayServeStale(error))
        return this.#seen(held.value, 'STALE');
      throw error;
    }
  }

  /** What is in memory, in time or past it; null when there is nothing. Loads nothing, counts as no read. */
  peek(key: string): V | null {
    return this.#entries.peek(key)?.value ?? null;
  }

  /** The next read loads; until that has worked the entry may still be served stale. */
  expire(key: string): void {
    const entry = this.#entries.peek(key);
    if (entry !== undefined)
      this.#entries.set(key, { ...entry, expiresAt: Math.min(entry.expiresAt, this.#options.now()) });
    this.#overtake(key);
  }

  invalidate(key: string): void {
    this.#entries.delete(key);
    this.#overtake(key);
  }

  clear(): void {
    this.#entries.clear();
    for (const key of [...this.#flights.keys()]) this.#overtake(key);
  }

  #overtake(key: string): void {
    const flight = this.#flights.get(key);
    if (flight === undefined) return;
    flight.overtaken = true;
    this.#flights.delete(key);
  }

  async #loadFresh(key: string, load: () => Promise<V | null>): Promise<V | null> {
    for (let reloads = 0; ; reloads += 1) {
      const flight = this.#flights.get(key) ?? this.#take(key, load);
      const value = await flight.promise;
      if (!flight.overtaken || reloads === MAX_RELOADS) return value;
    }
  }

  #take(key: string, load: () => Promise<V | null>): Flight<V> {
    const flight: Flight<V> = { promise: load(), overtaken: false };
    this.#flights.set(key, flight);
    flight.promise.then(
      (value) => {
        if (!flight.overtaken) this.#store(key, value);
        this.#land(key, flight);
      },
      () => this.#land(key, flight),
    );
    return flight;
  }

  #land(key: string, flight: Flight<V>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  #store(key: string, value: V | null): void {
    const { ttlMs, negativeTtlMs = ttlMs / 10, random, now } = this.#options;
    const fullMs = value === null ? negativeTtlMs : ttlMs;
    // Up to a tenth shorter, never longer: entries that were loaded together do not end together.
    this.#entries.set(key, { value, expiresAt: now() + fullMs * (1 - random() / 10) });
  }

  #usableStale(entry: Entry<V>): boolean {
    return entry.expiresAt + this.#options.staleMs > this.#options.now();
  }

  #seen(value: V | null, result: CacheResult): { value: V | null; result: CacheResult } {
    this.#options.onRead({ cache: this.#options.name, tier: 'memory', result });
    return { value, result };
  }
}
