import type { Turns } from './turns.ts';

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
  /** When the next one may start. */
  readonly turns: Turns;
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

interface Waiting {
  readonly priority: number;
  readonly start: () => void;
  readonly refuse: (reason: unknown) => void;
}

/** setTimeout fires at once beyond this. */
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * Starts work at a bounded rate: by priority, then first come, first served.
 *
 * Whoever has a turn, a free place and no pause before it starts. A turn is taken only when there is work for it and
 * a place; it goes to the most urgent that waits by then. The rate is counted on the system clock: a clock that is
 * set back holds starts back for as long, once the window is full.
 */
export class RateLane {
  readonly #options: RateLaneOptions;
  /** The next to start first. */
  readonly #waiting: Waiting[] = [];
  #running = 0;
  #pausedUntil = 0;
  #resume: NodeJS.Timeout | undefined;
  #nextTurn: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: RateLaneOptions) {
    this.#options = options;
    options.turns.listen(() => this.#startAll());
  }

  /** Works that wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Works that run. */
  get running(): number {
    return this.#running;
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
    await this.#turn(priority, signal);
    try {
      return await fn();
    } finally {
      this.#running -= 1;
      this.#startAll();
    }
  }

  /** Starts nothing for `ms` milliseconds. Of two pauses the one that ends later counts. */
  pauseFor(ms: number): void {
    if (this.#closed || ms <= this.pausedMs) return;
    this.#pausedUntil = Date.now() + ms;
    clearTimeout(this.#resume);
    this.#resume = setTimeout(
      () => {
        this.#resume = undefined;
        this.#startAll();
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
    clearTimeout(this.#nextTurn);
  }

  /** Resolves when work may start; it counts as running from then on. */
  #turn(priority: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const since = Date.now();
    const waiting: Waiting = {
      priority,
      start: () => {
        signal?.removeEventListener('abort', onAbort);
        this.#running += 1;
        this.#options.onWait?.(Math.max(0, Date.now() - since));
        resolve();
      },
      refuse: (reason) => {
        signal?.removeEventListener('abort', onAbort);
        reject(reason);
      },
    };
    // A listener instead of AbortSignal.any, which remembers its dependants for as long as a long-lived signal lives.
    const onAbort = () => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.refuse(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiting.splice(this.#waiting.findLastIndex((other) => other.priority >= priority) + 1, 0, waiting);
    this.#startAll();
    return promise;
  }

  #startAll(): void {
    clearTimeout(this.#nextTurn);
    for (;;) {
      const free = Math.min(this.#waiting.length, this.#options.concurrency - this.#running);
      if (free < 1 || this.#resume !== undefined || this.#closed) return;
      const waitMs = this.#options.turns.take(Date.now(), free);
      if (waitMs === null) return;
      if (waitMs > 0) {
        this.#nextTurn = setTimeout(() => this.#startAll(), Math.ceil(waitMs));
        return;
      }
      this.#waiting.shift()?.start();
    }
  }

  #isPausedTooLong(): boolean {
    return this.pausedMs > (this.#options.maxPauseMs ?? Number.POSITIVE_INFINITY);
  }

  #refuseIfUnable(): void {
    if (this.#closed) throw new LaneClosedError('the lane is closed');
    if (this.#isPausedTooLong()) throw new LanePausedError(this.pausedMs);
    if (this.#waiting.length >= this.#options.maxWaiting) throw new LaneFullError('too much is waiting');
  }

  #refuseWaiting(reason: Error): void {
    for (const waiting of this.#waiting.splice(0)) waiting.refuse(reason);
  }
}
