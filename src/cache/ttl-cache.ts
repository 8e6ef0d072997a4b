import { LRUCache } from 'lru-cache';
import type { Look, Shared } from './shared.ts';
import type { SharedTier } from './shared-tier.ts';

/** HIT: from a cache, in time. MISS: loaded now. STALE: from memory, past its time, because loading failed. */
export type CacheResult = 'HIT' | 'MISS' | 'STALE';

export interface TtlCacheOptions {
  /** For the metric, and for what is shared. */
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
  /** Left out: what is known is known in this process alone. */
  readonly shared?: Sharing;
}

export interface Sharing {
  readonly tier: SharedTier;
  /** How long after its reading an entry is believed while other instances cannot reach us. */
  readonly aloneMs: number;
  /** Whether what may have changed elsewhere may still be served while loading fails. */
  readonly keepsDoubted: boolean;
}

interface Entry<V> {
  readonly value: V | null;
  /** The beginning of its reading: what has changed since may not be in it. */
  readonly readAt: number;
  readonly expiresAt: number;
}

interface Brought<V> {
  readonly value: V | null;
  /** Another instance had loaded it. */
  readonly found: boolean;
}

interface Flight<V> {
  readonly startedAt: number;
  promise: Promise<Brought<V>>;
  /** Invalidated while loading: what it brings may be older than the invalidation. */
  overtaken: boolean;
  /** One that nobody may join any more, and that still has readers. */
  readonly before: Flight<V> | null;
}

/** How often a read that was overtaken by invalidations loads anew before it takes what it has. */
const MAX_RELOADS = 5;

/**
 * A read-through cache in this process, in front of one that is shared when there is one.
 *
 * Concurrent misses for a key share one load. `invalidate` forgets the entry and the load in flight: later readers
 * load anew, and readers who already wait are given a fresh load as well, so nobody is served a value from before
 * the invalidation. A cache only ever makes things faster: nothing is decided by it.
 */
export class TtlCache<V extends {}> {
  readonly #options: TtlCacheOptions;
  readonly #entries: LRUCache<string, Entry<V>>;
  readonly #flights = new Map<string, Flight<V>>();
  readonly #shared: Shared | null;

  constructor(options: TtlCacheOptions) {
    this.#options = options;
    this.#entries = new LRUCache<string, Entry<V>>({
      maxSize: options.maxBytes,
      sizeCalculation: (entry, key) => key.length + JSON.stringify(entry.value).length + 1,
    });
    this.#shared =
      options.shared?.tier.join({
        name: options.name,
        aloneMs: options.shared.aloneMs,
        forget: (subject) => this.#doubt(this.keysOf(subject)),
        forgetAll: () => this.#doubt(new Set([...this.#entries.keys(), ...this.#flights.keys()])),
      }) ?? null;
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
    const held = this.#inTime(key);
    const entry = held === null || this.#isBelieved(held) ? held : await this.#caughtUp(key);
    if (entry !== null) return this.#seen(entry.value, 'HIT');
    try {
      const { value, found } = await this.#bringFresh(key, load);
      const seen = this.#seen(value, 'MISS');
      return found ? { value, result: 'HIT' } : seen;
    } catch (error) {
      // Looked up again: an invalidation during the load has taken it away.
      const old = this.#entries.get(key);
      if (old !== undefined && this.#isUsableStale(old) && mayServeStale(error))
        return this.#seen(old.value, 'STALE');
      throw error;
    }
  }

  /** What a read would be answered from memory; null when it would have to wait, or there is none such. */
  held(key: string): V | null {
    const entry = this.#inTime(key);
    if (entry === null || entry.value === null || !this.#isBelieved(entry)) return null;
    return this.#seen(entry.value, 'HIT').value;
  }

  /** What is in memory, in time or past it; null when there is nothing. Loads nothing, counts as no read. */
  peek(key: string): V | null {
    return this.#entries.peek(key)?.value ?? null;
  }

  /** The next read loads, in every instance; until that has worked the entry may still be served stale. */
  expire(key: string): void {
    this.#expireHere(key);
    this.#shared?.forget(this.subjectOf(key), [key]);
  }

  /** Forgets an entry, in every instance. */
  invalidate(key: string): void {
    this.#forgetHere(key);
    this.#shared?.forget(this.subjectOf(key), [key]);
  }

  /** Forgets a subject under whatever keys it is held, in every instance. */
  invalidateSubject(subject: string): void {
    const keys = [...this.keysOf(subject)];
    for (const key of keys) this.#forgetHere(key);
    this.#shared?.forget(subject, keys);
  }

  /** Forgets everything, in this process. */
  clear(): void {
    this.#entries.clear();
    for (const key of [...this.#flights.keys()]) this.#overtake(key);
  }

  /** What the instances call what a key is about. */
  protected subjectOf(key: string): string {
    return key;
  }

  /** The keys by which this process may hold a subject. */
  protected keysOf(subject: string): Iterable<string> {
    return [subject];
  }

  #inTime(key: string): Entry<V> | null {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.expiresAt > this.#options.now() ? entry : null;
  }

  /** What is left of an entry when what others have said until now has been heard. */
  async #caughtUp(key: string): Promise<Entry<V> | null> {
    await this.#shared?.catchUp();
    const entry = this.#inTime(key);
    return entry !== null && this.#isBelieved(entry) ? entry : null;
  }

  /** It may have changed elsewhere: the next read loads. */
  #doubt(keys: Iterable<string>): void {
    for (const key of keys) {
      if (this.#options.shared?.keepsDoubted === true) this.#expireHere(key);
      else this.#forgetHere(key);
    }
  }

  #forgetHere(key: string): void {
    this.#entries.delete(key);
    this.#overtake(key);
  }

  #expireHere(key: string): void {
    const entry = this.#entries.peek(key);
    if (entry !== undefined)
      this.#entries.set(key, { ...entry, expiresAt: Math.min(entry.expiresAt, this.#options.now()) });
    this.#overtake(key);
  }

  #overtake(key: string): void {
    let flight = this.#flights.get(key) ?? null;
    this.#flights.delete(key);
    for (; flight !== null; flight = flight.before) flight.overtaken = true;
  }

  async #bringFresh(key: string, load: () => Promise<V | null>): Promise<Brought<V>> {
    for (let reloads = 0; ; reloads += 1) {
      const flight = this.#joinable(key) ?? this.#take(key, load, reloads === 0);
      const brought = await flight.promise;
      if (!flight.overtaken || reloads === MAX_RELOADS) return brought;
    }
  }

  #joinable(key: string): Flight<V> | null {
    const flight = this.#flights.get(key);
    if (flight === undefined) return null;
    return this.#shared === null || this.#shared.mayJoin(flight.startedAt) ? flight : null;
  }

  /** @param looks whether to ask the shared tier first; it is not asked twice for one reader */
  #take(key: string, load: () => Promise<V | null>, looks: boolean): Flight<V> {
    const flight: Flight<V> = {
      startedAt: this.#options.now(),
      promise: Promise.resolve({ value: null, found: false }),
      overtaken: false,
      before: this.#flights.get(key) ?? null,
    };
    this.#flights.set(key, flight);
    flight.promise = this.#bring(key, load, flight, looks).finally(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    return flight;
  }

  async #bring(
    key: string,
    load: () => Promise<V | null>,
    flight: Flight<V>,
    looks: boolean,
  ): Promise<Brought<V>> {
    const { now, ttlMs: fullMs } = this.#options;
    let look: Look | null = null;
    if (looks && this.#shared !== null) look = await this.#shared.look(key, this.subjectOf(key));
    if (look?.found) {
      const value = look.found.value as V | null; // what `keep` was given, by this version
      this.#store(key, flight, { value, readAt: flight.startedAt }, Math.min(look.found.ttlMs, fullMs));
      return { value, found: true };
    }
    const readAt = now();
    const value = await load();
    const ttlMs = this.#ttlMsOf(value);
    if (this.#store(key, flight, { value, readAt }, ttlMs)) look?.keep(value, ttlMs);
    return { value, found: false };
  }

  /** @returns false when the flight has been overtaken, or another one has begun since */
  #store(key: string, flight: Flight<V>, entry: Omit<Entry<V>, 'expiresAt'>, ttlMs: number): boolean {
    if (this.#flights.get(key) !== flight) return false;
    this.#entries.set(key, { ...entry, expiresAt: this.#options.now() + ttlMs });
    return true;
  }

  /** Up to a tenth shorter than configured, never longer: entries that were loaded together do not end together. */
  #ttlMsOf(value: V | null): number {
    const { ttlMs, negativeTtlMs = ttlMs / 10, random } = this.#options;
    return (value === null ? negativeTtlMs : ttlMs) * (1 - random() / 10);
  }

  #isBelieved(entry: Entry<V>): boolean {
    return this.#shared?.believes(entry.readAt) ?? true;
  }

  #isUsableStale(entry: Entry<V>): boolean {
    const { staleMs, now, shared } = this.#options;
    if (entry.expiresAt + staleMs <= now()) return false;
    return shared?.keepsDoubted === true || this.#isBelieved(entry);
  }

  #seen(value: V | null, result: CacheResult): { value: V | null; result: CacheResult } {
    this.#options.onRead({ cache: this.#options.name, tier: 'memory', result });
    return { value, result };
  }
}
