import PQueue from 'p-queue';
import type { Pace, Turns } from './turns.ts';

/** Thrown when more waits than the lane may hold. */
export class LaneFullError extends Error {
  override readonly name = 'LaneFullError';
}

/** Thrown when the lane is paused for longer than anyone should wait. */
export class LanePausedError extends Error {
  override readonly name = 'LanePausedError';
  /** Milliseconds until the pause ends. */
  readonly pausedMs: number;

  constructor(pausedMs: number) {
    super(`the lane is paused for another ${pausedMs} ms`);
    this.pausedMs = pausedMs;
  }
}

/** Thrown when the lane is or gets closed before the work started. */
export class LaneClosedError extends Error {
  override readonly name = 'LaneClosedError';
}

export interface RateLaneOptions {
  /** Its own, or turns of one that is shared with others. */
  readonly rate: Pace | Turns;
  /** Works that run at the same time. */
  readonly concurrency: number;
  /** Works that may wait; one more is refused. */
  readonly maxWaiting: number;
  /** While the rest of a pause is longer than this, what waits and what comes is refused. @default Infinity */
  readonly maxPauseMs?: number;
  /** Told at the start of each work how long it waited, in milliseconds. */
  readonly onWait?: (waitedMs: number) => void;
}

export interface LaneRunOptions {
  /** Ends the waiting; work that has started must heed it itself. */
  readonly signal?: AbortSignal;
  /** Of those that wait, the highest goes first. @default 0 */
  readonly priority?: number;
}

/** setTimeout fires at once beyond this. */
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * Starts work at a bounded rate: by priority, then first come, first served.
 *
 * p-queue holds what waits, and keeps a pace by itself. Where turns are shared it counts none: it is paused, and opened
 * for one start at each turn, which so goes to the most urgent that waits by then. A turn is taken only when there is
 * work for it and a place.
 *
 * A pause holds back everything that has not started. The rate is counted on the system clock, as p-queue does:
 * a clock that is set back holds starts back for as long, once the window is full.
 */
export class RateLane {
  readonly #options: RateLaneOptions;
  readonly #queue: PQueue;
  /** Null: the queue keeps the pace. */
  readonly #turns: Turns | null;
  /** One per waiting work: aborting it takes the work out of the queue. */
  readonly #waiting = new Set<AbortController>();
  #pausedUntil = 0;
  #resume: NodeJS.Timeout | undefined;
  #nextTurn: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: RateLaneOptions) {
    this.#options = options;
    const { rate, concurrency } = options;
    if (!('take' in rate)) {
      this.#turns = null;
      this.#queue = new PQueue({
        concurrency,
        intervalCap: rate.atOnce,
        interval: rate.windowMs,
        strict: true,
      });
      return;
    }
    this.#turns = rate;
    this.#queue = new PQueue({ autoStart: false });
    const onNews = () => this.#startByTurns(rate);
    rate.listen(onNews);
    this.#queue.addEventListener('add', onNews);
    this.#queue.addEventListener('next', onNews);
  }

  /** Works that wait. */
  get size(): number {
    return this.#queue.size;
  }

  /** Works that run. */
  get running(): number {
    return this.#queue.pending;
  }

  /** Milliseconds until a pause ends; 0 when there is none. */
  get pausedMs(): number {
    return this.#resume === undefined ? 0 : Math.max(0, this.#pausedUntil - Date.now());
  }

  /**
   * @throws LaneFullError; LanePausedError; LaneClosedError; the reason of the signal that aborted; what `fn` throws
   */
  async run<T>(fn: () => Promise<T>, { signal, priority = 0 }: LaneRunOptions = {}): Promise<T> {
    signal?.throwIfAborted();
    this.#refuseIfUnable();
    const waiting = new AbortController();
    // A listener instead of AbortSignal.any, which remembers its dependants for as long as a long-lived signal lives.
    const onAbort = () => waiting.abort(signal?.reason);
    const stopWaiting = () => {
      signal?.removeEventListener('abort', onAbort);
      this.#waiting.delete(waiting);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiting.add(waiting);
    const since = Date.now();
    const started = () => {
      stopWaiting();
      this.#options.onWait?.(Math.max(0, Date.now() - since));
      return fn();
    };
    try {
      return await this.#queue.add(started, { signal: waiting.signal, priority });
    } finally {
      stopWaiting();
    }
  }

  /** Starts nothing for `ms` milliseconds. Of two pauses the one that ends later counts. */
  pauseFor(ms: number): void {
    if (this.#closed || ms <= this.pausedMs) return;
    this.#pausedUntil = Date.now() + ms;
    this.#queue.pause();
    clearTimeout(this.#resume);
    this.#resume = setTimeout(
      () => {
        this.#resume = undefined;
        if (this.#turns === null) this.#queue.start();
        else this.#startByTurns(this.#turns);
      },
      Math.min(ms, LONGEST_TIMER_MS),
    );
    if (this.#isPausedTooLong()) this.#refuseWaiting(new LanePausedError(ms));
  }

  /** Refuses what waits and what comes; what runs goes on. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#resume);
    this.#resume = undefined;
    this.#refuseWaiting(new LaneClosedError('the lane is closed'));
  }

  #startByTurns(turns: Turns): void {
    clearTimeout(this.#nextTurn);
    for (;;) {
      const free = Math.min(this.#queue.size, this.#options.concurrency - this.#queue.pending);
      if (free < 1 || this.#resume !== undefined || this.#closed) return;
      const waitMs = turns.take(Date.now(), free);
      if (waitMs === null) return;
      if (waitMs > 0) {
        this.#nextTurn = setTimeout(() => this.#startByTurns(turns), Math.ceil(waitMs));
        return;
      }
      // Opened for one.
      this.#queue.concurrency = this.#queue.pending + 1;
      this.#queue.start();
      this.#queue.pause();
    }
  }

  #isPausedTooLong(): boolean {
    return this.pausedMs > (this.#options.maxPauseMs ?? Number.POSITIVE_INFINITY);
  }

  #refuseIfUnable(): void {
    if (this.#closed) throw new LaneClosedError('the lane is closed');
    if (this.#isPausedTooLong()) throw new LanePausedError(this.pausedMs);
    if (this.#queue.size >= this.#options.maxWaiting) throw new LaneFullError('too much is waiting');
  }

  #refuseWaiting(reason: Error): void {
    for (const waiting of [...this.#waiting]) waiting.abort(reason);
  }
}
