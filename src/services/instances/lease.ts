import type { Clock } from '../../domain/clock.ts';
import { elapsedMs, type Mark, mark } from './stopwatch.ts';

/** Leases of the instances that share a database, by the database's clock. */
export interface LeaseStore {
  register(id: string, leaseMs: number): Promise<void>;
  /** @returns whether the lease is still there, now for as long again; how many are with it; and whose have run out */
  renew(
    id: string,
    leaseMs: number,
  ): Promise<{ isHeld: boolean; present: number; expired: readonly string[] }>;
  /** What those had in hand whose lease has run out is free. @returns whether there was one */
  takeOver(ids: readonly string[], at: string): Promise<boolean>;
  /** What we had in hand is free. */
  release(id: string, at: string): Promise<void>;
}

export interface LeaseOptions {
  /** How long an instance may say nothing before the others take over what it has in hand. */
  readonly leaseMs: number;
  readonly heartbeatMs: number;
}

export interface LeaseDeps {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly options: LeaseOptions;
  /** It was taken away: what is in hand is others' now. */
  readonly onLost: () => void;
  /** There is one again: work goes on. */
  readonly onHeld: () => void;
  /** So many have a lease, with this one. */
  readonly onPresent: (count: number) => void;
  /** What another one had in hand is free. */
  readonly onTakenOver: (count: number) => void;
  readonly onError: (error: unknown) => void;
}

/** Of the lease: what is checked to be within it is done a moment later, and clocks do not run alike. */
const MARGIN = 0.2;

/**
 * That this instance is there, told to the others by one row that it renews again and again.
 *
 *   held ── no renewal for most of the lease ──► doubtful ── renewed: nobody has taken it ──► held
 *                                                  └─ the row is gone ──► lost ── a new id ──► held
 *
 * held: what is in hand here is in nobody else's. doubtful: it may be, so nothing is taken in hand and nothing is written
 * to Attio. lost: it is; the next work is done under another id, so that nothing of the old can pass for it.
 */
export class InstanceLease {
  readonly #deps: LeaseDeps;
  readonly #stopped = new AbortController();
  #id: string;
  /** When the last renewal that came through was sent: the lease cannot have begun earlier. Null: there is none. */
  #renewed: Mark | null = null;
  #beating: Promise<void> | null = null;

  constructor(deps: LeaseDeps) {
    this.#deps = deps;
    this.#id = deps.newId();
  }

  get id(): string {
    return this.#id;
  }

  /**
   * Looked up at each use: a timer that said when it ends could come too late, for what a paused process had under way
   * goes on before its timers do.
   */
  get isHeld(): boolean {
    return this.#renewed !== null && elapsedMs(this.#renewed) < this.#deps.options.leaseMs * (1 - MARGIN);
  }

  /** @throws StorageUnavailableError */
  async start(): Promise<void> {
    await this.#register();
    this.#beating ??= this.#beat();
  }

  /** What is in hand no more is free at once. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#beating;
    if (this.#renewed === null) return;
    this.#renewed = null;
    // Without a database it runs out by itself.
    await this.#deps.store.release(this.#id, this.#now()).catch(() => {});
  }

  async #beat(): Promise<void> {
    const { clock, options, onError } = this.#deps;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await this.#renew().catch(onError);
      await clock.sleep(options.heartbeatMs, signal).catch(() => {});
    }
  }

  async #register(): Promise<void> {
    const { store, options } = this.#deps;
    const sent = mark();
    await store.register(this.#id, options.leaseMs);
    this.#renewed = sent;
  }

  async #renew(): Promise<void> {
    const { store, options, onHeld, onPresent } = this.#deps;
    if (this.#renewed === null) return this.#beginAnew();
    const wasHeld = this.isHeld;
    const awayMs = elapsedMs(this.#renewed);
    const sent = mark();
    const { isHeld, present, expired } = await store.renew(this.#id, options.leaseMs);
    if (!isHeld) return this.#lose();
    onPresent(present);
    this.#renewed = sent;
    if (!wasHeld) onHeld();
    // Whoever was away itself, as all are when the database is, lets the others say first that they are there.
    if (expired.length > 0 && awayMs < options.leaseMs) await this.#takeOver(expired);
  }

  async #takeOver(expired: readonly string[]): Promise<void> {
    const { store, onTakenOver } = this.#deps;
    if (await store.takeOver(expired, this.#now())) onTakenOver(expired.length);
  }

  async #lose(): Promise<void> {
    this.#renewed = null;
    this.#id = this.#deps.newId();
    this.#deps.onLost();
    await this.#beginAnew();
  }

  async #beginAnew(): Promise<void> {
    await this.#register();
    this.#deps.onHeld();
  }

  #now(): string {
    return new Date(this.#deps.clock.now()).toISOString();
  }
}
