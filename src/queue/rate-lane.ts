import PQueue from 'p-queue';

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
  /** Starts in any window of `windowMs`, wherever it begins. */
  readonly perWindow: number;
  /** @default 1000 */
  readonly windowMs?: number;
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
 * The window rolls: wherever it begins, it sees no more than `perWindow` starts. A pause holds back everything that
 * has not started. The rate is counted on the system clock, as p-queue does:
 * a clock that is set back holds starts back for as long, once the window is full.
 */
export class RateLane {
  readonly #options: RateLaneOptions;
  readonly #queue: PQueue;
  /** One per waiting work: aborting it takes the work out of the queue. */
  readonly #waiting = new Set<AbortController>();
  #pausedUntil = 0;
  #resume: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: RateLaneOptions) {
    this.#options = options;
    this.#queue = new PQueue({
      concurrency: options.concurrency,
      intervalCap: options.perWindow,
      interval: options.windowMs ?? 1000,
      strict: true,
    });
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
        this.#queue.start();
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
