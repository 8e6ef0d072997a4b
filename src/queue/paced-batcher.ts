import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../domain/clock.ts';
import { QueueFullError } from './group-commit.ts';

export interface PacedBatcherOptions<R> {
  /** Answers per key; a key without an answer is an error of the batch. Called for one batch at a time. */
  readonly run: (keys: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, R>>;
  readonly clock: Clock;
  /** The least time between the starts of two batches while keys keep coming. */
  readonly intervalMs: number;
  /** Keys per batch. */
  readonly maxBatch: number;
  /** So many keys do not wait for the interval: they are a batch that is worth its cost. @default maxBatch */
  readonly enough?: number;
  readonly maxWaiting: number;
}

/** Made once: the error that `abort` makes of itself costs more than all else it does. */
const NUDGED = new Error('a batch is due');

const TOLD_AT_ONCE = 10;

interface Waiting<R> {
  readonly answer: PromiseWithResolvers<R>;
  /** When the most impatient of those who wait wants it to be dealt with. @unit ms */
  dueAt: number;
}

/**
 * Collects keys and has them dealt with in batches.
 *
 * Idle: the first key runs at once. After that, at most one batch starts per interval, unless enough keys wait.
 * A key that is added again while it waits shares the one answer; a key that is added while its batch runs goes
 * into the next one, because the running batch may have looked too early. One that has patience is left out of the
 * batches before it is due, so that what is yet to come of it shares its answer, too.
 */
export class PacedBatcher<R> {
  readonly #options: PacedBatcherOptions<R>;
  readonly #waiting = new Map<string, Waiting<R>>();
  readonly #closed = new AbortController();
  #lastStartAt = Number.NEGATIVE_INFINITY;
  #running = false;
  /** When the next batch is to start, as far as is known. @unit ms */
  #wakeAt = Number.NEGATIVE_INFINITY;
  /** Ends the wait for it. */
  #nudge = new AbortController();

  constructor(options: PacedBatcherOptions<R>) {
    this.#options = options;
  }

  /**
   * @param patienceMs how long it may wait for others of its key; who has less brings it forward for all
   * @throws what the batch threw; QueueFullError; the abort reason after `close`
   */
  add(key: string, patienceMs = 0): Promise<R> {
    if (this.#closed.signal.aborted) return Promise.reject(this.#closed.signal.reason);
    const dueAt = this.#options.clock.now() + patienceMs;
    const known = this.#waiting.get(key);
    if (known !== undefined) {
      known.dueAt = Math.min(known.dueAt, dueAt);
      this.#hurry(dueAt);
      return known.answer.promise;
    }
    if (this.#waiting.size >= this.#options.maxWaiting) {
      return Promise.reject(new QueueFullError('too many records are waiting to be read'));
    }
    const waiting: Waiting<R> = { answer: Promise.withResolvers<R>(), dueAt };
    this.#waiting.set(key, waiting);
    if (!this.#running) void this.#runAll();
    else this.#hurry(dueAt);
    return waiting.answer.promise;
  }

  /** Stops: what runs is aborted, what waits is refused. */
  close(): void {
    this.#closed.abort(new Error('closing'));
    this.#rejectWaiting(this.#closed.signal.reason);
  }

  get #enough(): number {
    return Math.min(this.#options.enough ?? Number.POSITIVE_INFINITY, this.#options.maxBatch);
  }

  #hurry(dueAt: number): void {
    if (dueAt < this.#wakeAt || this.#waiting.size >= this.#enough) this.#nudge.abort(NUDGED);
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
    const { clock } = this.#options;
    for (;;) {
      const now = clock.now();
      this.#wakeAt = this.#nextStartAt(now);
      if (this.#wakeAt <= now || this.#closed.signal.aborted) return;
      this.#nudge = new AbortController();
      const signal = AbortSignal.any([this.#nudge.signal, this.#closed.signal]);
      await clock.sleep(this.#wakeAt - now, signal).catch(() => {});
    }
  }

  #nextStartAt(now: number): number {
    const { intervalMs } = this.#options;
    const dueAt = [...this.#waiting.values()].map((waiting) => waiting.dueAt);
    if (dueAt.filter((at) => at <= now).length >= this.#enough) return now;
    const earliest = dueAt.reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY);
    return Math.max(earliest, this.#lastStartAt + intervalMs);
  }

  #take(): Map<string, Waiting<R>> {
    const now = this.#options.clock.now();
    const due = [...this.#waiting].filter(([, waiting]) => waiting.dueAt <= now);
    const batch = new Map(due.slice(0, this.#options.maxBatch));
    for (const key of batch.keys()) this.#waiting.delete(key);
    return batch;
  }

  async #runBatch(batch: ReadonlyMap<string, Waiting<R>>): Promise<void> {
    if (batch.size === 0) return;
    this.#lastStartAt = this.#options.clock.now();
    try {
      const answers = await this.#options.run([...batch.keys()], this.#closed.signal);
      let told = 0;
      for (const [key, { answer }] of batch) {
        // Whoever is told goes on at once; between some and the next, others have a turn.
        if (told > 0 && told % TOLD_AT_ONCE === 0) await turn();
        told += 1;
        const found = answers.get(key);
        if (found === undefined) answer.reject(new Error('the batch left a key without an answer'));
        else answer.resolve(found);
      }
    } catch (error) {
      for (const { answer } of batch.values()) answer.reject(error);
    }
  }

  #rejectWaiting(reason: unknown): void {
    for (const { answer } of this.#waiting.values()) answer.reject(reason);
    this.#waiting.clear();
  }
}
