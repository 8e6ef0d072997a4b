import type { Clock } from '../domain/clock.ts';
import { ServiceError } from './errors.ts';

interface Row {
  readonly id: number;
}

/** Where the work is: rows that stay until they are settled. */
export interface WorkSource<R extends Row> {
  /** Rows that are due, in the order of their ids from after `afterId`, without those in hand. */
  due(now: string, afterId: number, inHand: ReadonlySet<number>, limit: number): Promise<R[]>;
  /** When the next row that waits for its retry is due. */
  nextDueAt(after: string): Promise<string | null>;
}

export interface WorkLoopDeps<R extends Row> {
  readonly source: WorkSource<R>;
  /** Settles one row, or leaves it as it is. What it throws pauses everything: it must be an outage. */
  readonly settle: (row: R) => Promise<void>;
  readonly mayWork: () => boolean;
  /** For how long nothing more is to be taken in hand, whoever wakes the loop. @default 0 @unit ms */
  readonly holdBackMs?: () => number;
  readonly onPaused: (waitMs: number, error: unknown) => void;
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  /** Rows in hand at once. */
  readonly window: number;
  /** @default 30 s */
  readonly lastPauseMs?: number;
  /**
   * How often a look begins at the first row although nobody has said that it should: where others take from the same
   * source, what they had or left is anywhere. @default 30 s
   */
  readonly rescanMs?: number | undefined;
}

/** Made once: the error that `abort` makes of itself costs more than all else it does. */
const WOKEN = new Error('woken');
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 30_000;
/** Nothing should need these looks; they are the net under a lost wake-up. */
const IDLE_LOOK_MS = 30_000;
/** While there is always something to do, it is asked this often what waits for its retry. */
const DUE_LOOK_MS = 1_000;

/**
 * Works off rows of the database.
 *
 *   working ── an outage is met ──► paused ── its end, or `resume()` ──► working
 *
 * working: up to `window` rows are in hand. paused: nothing is taken in hand. An outage is nobody's attempt: rows stay
 * as they are, unwritten. What is in hand is known by this process's memory, and by the source where several processes
 * take from it: after a crash every pending row is simply taken again.
 */
export class WorkLoop<R extends Row> {
  readonly #deps: WorkLoopDeps<R>;
  readonly #inHand = new Map<number, Promise<void>>();
  readonly #stopped = new AbortController();
  #nap = new AbortController();
  #woken = false;
  /** New rows have higher ids, so a look need only go on from here. */
  #scannedThrough = 0;
  /** Rows were let go: the next look begins at the first. */
  #rescan = true;
  #rescannedAt = 0;
  /** When the next row that waits for its retry is due, as far as is known. */
  #dueAt = Number.POSITIVE_INFINITY;
  #askedForDueAt = Number.NEGATIVE_INFINITY;
  #pausedUntil = 0;
  #pauses = 0;
  #loop: Promise<void> | null = null;

  constructor(deps: WorkLoopDeps<R>) {
    this.#deps = deps;
  }

  /** Aborted by `stop`: work in hand may end. */
  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Rows that may be taken in hand now. */
  get room(): number {
    const { mayWork, holdBackMs, window } = this.#deps;
    const isIdle = this.isPaused || !mayWork() || (holdBackMs?.() ?? 0) > 0;
    return isIdle ? 0 : window - this.#inHand.size;
  }

  get isPaused(): boolean {
    return this.#pausedUntil > this.#deps.clock.now();
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** There may be something to do. */
  wake(): void {
    this.#woken = true;
    this.#nap.abort(WOKEN);
  }

  /** There may be something to do also among the rows that were looked at before. */
  wakeAll(): void {
    this.#rescan = true;
    this.wake();
  }

  /** The outage is over: waiting work goes at once. */
  resume(): void {
    this.#pausedUntil = 0;
    this.#pauses = 0;
    this.wakeAll();
  }

  /** Something has worked: the next outage is a new one. */
  succeeded(): void {
    this.#pauses = 0;
  }

  /** A row was put off until then. */
  dueAt(ms: number): void {
    this.#dueAt = Math.min(this.#dueAt, ms);
  }

  /** Takes nothing more in hand and waits for what is; what does not finish stays pending. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
    await Promise.allSettled(this.#inHand.values());
  }

  /** One pause for all that meet the same outage. @returns its length in milliseconds */
  pause(error: unknown): number {
    const { clock, random, lastPauseMs = LAST_PAUSE_MS, onPaused } = this.#deps;
    const now = clock.now();
    if (this.#pausedUntil > now) return this.#pausedUntil - now;
    const asked = error instanceof ServiceError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    const backoff = Math.min(FIRST_PAUSE_MS * 2 ** this.#pauses, lastPauseMs);
    const waitMs = Math.max(asked, backoff * (0.75 + random() / 2));
    this.#pauses += 1;
    this.#rescan = true;
    this.#pausedUntil = now + waitMs;
    onPaused(waitMs, error);
    return waitMs;
  }

  async #run(): Promise<void> {
    const { clock, holdBackMs } = this.#deps;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const heldMs = holdBackMs?.() ?? 0;
      if (heldMs > 0) {
        await clock.sleep(heldMs, signal).catch(() => {}); // stopped
        continue;
      }
      this.#woken = false;
      const waitMs = await this.#takeInHand();
      if (!this.#woken) await this.#sleep(waitMs);
    }
  }

  async #sleep(ms: number): Promise<void> {
    this.#nap = new AbortController();
    const signal = AbortSignal.any([this.#nap.signal, this.#stopped.signal]);
    await this.#deps.clock.sleep(ms, signal).catch(() => {}); // woken or stopped
  }

  /** @returns milliseconds until the next look, unless woken before */
  async #takeInHand(): Promise<number> {
    const { source, clock, mayWork, window, rescanMs = IDLE_LOOK_MS } = this.#deps;
    const now = clock.now();
    if (!mayWork()) return IDLE_LOOK_MS;
    if (this.#pausedUntil > now) return this.#pausedUntil - now;
    const room = window - this.#inHand.size;
    if (room <= 0) return IDLE_LOOK_MS;
    if (this.#rescan || this.#dueAt <= now || Math.abs(now - this.#rescannedAt) >= rescanMs) {
      this.#scannedThrough = 0;
      this.#rescannedAt = now;
    }
    this.#rescan = false;
    try {
      const rows = await source.due(iso(now), this.#scannedThrough, new Set(this.#inHand.keys()), room);
      // Meanwhile what was in hand may have met an outage: what was found would go before it.
      if (this.isPaused) return this.#pausedUntil - clock.now();
      for (const row of rows) this.#inHand.set(row.id, this.#handle(row));
      this.#scannedThrough = rows.at(-1)?.id ?? this.#scannedThrough;
      return Math.min(await this.#dueLookMs(now), this.#dueAt - now);
    } catch (error) {
      return this.pause(error);
    }
  }

  /** Looks what waits for its retry, unless it has just done so. @returns milliseconds until it does so again */
  async #dueLookMs(now: number): Promise<number> {
    const sinceMs = now - this.#askedForDueAt;
    const isKnown = sinceMs >= 0 && sinceMs < DUE_LOOK_MS && this.#dueAt > now;
    if (isKnown && this.#scannedThrough > 0) return DUE_LOOK_MS - sinceMs;
    // What is put off meanwhile counts, too.
    [this.#dueAt, this.#askedForDueAt] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const due = await this.#deps.source.nextDueAt(iso(now));
    if (due !== null) this.dueAt(Date.parse(due));
    this.#askedForDueAt = now;
    return IDLE_LOOK_MS;
  }

  async #handle(row: R): Promise<void> {
    try {
      await this.#deps.settle(row);
    } catch (error) {
      // The row stays pending as it is.
      this.pause(error);
    } finally {
      this.#inHand.delete(row.id);
      this.wake();
    }
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
