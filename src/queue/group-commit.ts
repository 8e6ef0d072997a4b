import { setImmediate as turn } from 'node:timers/promises';

/** Thrown when more waits than the queue may hold. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError';
}

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets work that arrives together share one costly step, such as a commit that syncs the disk.
 *
 * So many flushes run at a time, as a rule one; what arrives meanwhile waits for the next. Each waits for the end of the
 * current turn of the event loop, so that requests read from the sockets in one turn share it. A flush that fails fails
 * everything in it, and nothing else, unless what was added later is to come after it.
 */
export class GroupCommit<T, R> {
  readonly #flush: (items: readonly T[]) => Promise<readonly R[]>;
  readonly #maxBatch: number;
  readonly #maxWaiting: number;
  readonly #maxRunning: number;
  readonly #inOrder: boolean;
  readonly #flushes = new Set<Promise<void>>();
  #waiting: Waiting<T, R>[] = [];
  #isScheduled = false;

  /**
   * @param options.flush answers one result per item, in order
   * @param options.maxBatch items per flush
   * @param options.maxWaiting items that may wait; one more is refused
   * @param options.maxRunning flushes at once: more than one where each waits for something. @default 1
   * @param options.inOrder a flush that fails fails what waits as well: nothing is stored before what was added earlier.
   *   For one flush at a time. @default false
   */
  constructor(options: {
    flush: (items: readonly T[]) => Promise<readonly R[]>;
    maxBatch: number;
    maxWaiting: number;
    maxRunning?: number;
    inOrder?: boolean;
  }) {
    this.#flush = options.flush;
    this.#maxBatch = options.maxBatch;
    this.#maxWaiting = options.maxWaiting;
    this.#maxRunning = options.maxRunning ?? 1;
    this.#inOrder = options.inOrder ?? false;
  }

  /** @throws QueueFullError when too much waits; the flush's own error when it failed */
  add(item: T): Promise<R> {
    if (this.#waiting.length >= this.#maxWaiting)
      return Promise.reject(new QueueFullError('too much is waiting to be stored'));
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    this.#waiting.push({ item, resolve, reject });
    this.#schedule();
    return promise;
  }

  /** Resolves when nothing waits and nothing runs. */
  async idle(): Promise<void> {
    while (this.#waiting.length > 0 || this.#flushes.size > 0) {
      await (this.#flushes.size > 0 ? Promise.race(this.#flushes) : turn());
    }
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0 || this.#flushes.size >= this.#maxRunning) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const flush = this.#flushBatch(this.#waiting.splice(0, this.#maxBatch)).then(() => {
        this.#flushes.delete(flush);
        this.#schedule();
      });
      this.#flushes.add(flush);
      this.#schedule();
    });
  }

  async #flushBatch(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.#flush(batch.map((waiting) => waiting.item));
      batch.forEach((waiting, index) => {
        waiting.resolve(results[index] as R); // one result per item is the contract of flush
      });
    } catch (error) {
      const behind = this.#inOrder ? this.#waiting.splice(0) : [];
      for (const waiting of [...batch, ...behind]) waiting.reject(error);
    }
  }
}
