import type { Clock } from '../domain/clock.ts';
import { QueueFullError } from './group-commit.ts';

export interface PacedBatcherOptions<R> {
  /** Answers per key; a key without an answer is an error of the batch. Called for one batch at a time. */
  readonly run: (keys: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, R>>;
  readonly clock: Clock;
  /** The least time between the starts of two batches while keys keep coming. */
  readonly intervalMs: number;
  /** Keys per batch; a full batch does not wait for the interval, because waiting would save nothing. */
  readonly maxBatch: number;
  readonly maxWaiting: number;
}

/**
 * Collects keys and has them dealt with in batches.
 *
 * Idle: the first key runs at once. After that, at most one batch starts per interval, unless a full batch waits.
 * A key that is added again while it waits shares the one answer; a key that is added while its batch runs goes
 * into the next one, because the running batch may have looked too early.
 */
export class PacedBatcher<R> {
  readonly #options: PacedBatcherOptions<R>;
  readonly #waiting = new Map<string, PromiseWithResolvers<R>>();
  readonly #closed = new AbortController();
  #lastStartAt = Number.NEGATIVE_INFINITY;
  #running = false;
  #full = new AbortController();

  constructor(options: PacedBatcherOptions<R>) {
    this.#options = options;
  }

  /** @throws what the batch threw; QueueFullError; the abort reason after `close` */
  add(key: string): Promise<R> {
    if (this.#closed.signal.aborted) return Promise.reject(this.#closed.signal.reason);
    const known = this.#waiting.get(key);
    if (known !== undefined) return known.promise;
    if (this.#waiting.size >= this.#options.maxWaiting) {
      return Promise.reject(new QueueFullError('too many records are waiting to be read'));
    }
    const waiting = Promise.withResolvers<R>();
    this.#waiting.set(key, waiting);
    if (this.#waiting.size >= this.#options.maxBatch) this.#full.abort();
    if (!this.#running) void this.#runAll();
    return waiting.promise;
  }

  /** Stops: what runs is aborted, what waits is refused. */
  close(): void {
    this.#closed.abort(new Error('closing'));
    this.#rejectWaiting(this.#closed.signal.reason);
  }

  async #runAll(): Promise<void> {
    this.#running = true;
    while (this.#waiting.size > 0 && !this.#closed.signal.aborted) {
      await this.#pace();
      await this.#runBatch(this.#take());
    }
    this.#running = false;
  }

  async #pace(): Promise<void> {
    const { clock, intervalMs, maxBatch } = this.#options;
    const waitMs = this.#lastStartAt + intervalMs - clock.now();
    if (waitMs <= 0 || this.#waiting.size >= maxBatch) return;
    this.#full = new AbortController();
    await clock.sleep(waitMs, AbortSignal.any([this.#full.signal, this.#closed.signal])).catch(() => {});
  }

  #take(): Map<string, PromiseWithResolvers<R>> {
    const batch = new Map([...this.#waiting].slice(0, this.#options.maxBatch));
    for (const key of batch.keys()) this.#waiting.delete(key);
    return batch;
  }

  async #runBatch(batch: ReadonlyMap<string, PromiseWithResolvers<R>>): Promise<void> {
    if (batch.size === 0) return;
    this.#lastStartAt = this.#options.clock.now();
    try {
      const answers = await this.#options.run([...batch.keys()], this.#closed.signal);
      for (const [key, waiting] of batch) {
        const answer = answers.get(key);
        if (answer === undefined) waiting.reject(new Error('the batch left a key without an answer'));
        else waiting.resolve(answer);
      }
    } catch (error) {
      for (const waiting of batch.values()) waiting.reject(error);
    }
  }

  #rejectWaiting(reason: unknown): void {
    for (const waiting of this.#waiting.values()) waiting.reject(reason);
    this.#waiting.clear();
  }
}
