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
 * One flush runs at a time; what arrives meanwhile waits for the next. The first item of an idle queue waits
 * for the end of the current turn of the event loop, so that requests read from the sockets in one turn share it.
 * A flush that fails fails everything in it, and nothing else.
 */
export class GroupCommit<T, R> {
  readonly #flush: (items: readonly T[]) => Promise<readonly R[]>;
  readonly #maxBatch: number;
  readonly #maxWaiting: number;
  #waiting: Waiting<T, R>[] = [];
  #running: Promise<void> | null = null;

  /**
   * @param options.flush answers one result per item, in order
   * @param options.maxBatch items per flush
   * @param options.maxWaiting items that may wait; one more is refused
   */
  constructor(options: {
    flush: (items: readonly T[]) => Promise<readonly R[]>;
    maxBatch: number;
    maxWaiting: number;
  }) {
    this.#flush = options.flush;
    this.#maxBatch = options.maxBatch;
    this.#maxWaiting = options.maxWaiting;
  }

  /** @throws QueueFullError when too much waits; the flush's own error when it failed */
  add(item: T): Promise<R> {
    if (this.#waiting.length >= this.#maxWaiting)
      return Promise.reject(new QueueFullError('too much is waiting to be stored'));
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    this.#waiting.push({ item, resolve, reject });
    this.#running ??= this.#run();
    return promise;
  }

  /** Resolves when nothing waits and nothing runs. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async #run(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      await this.#flushBatch(this.#waiting.splice(0, this.#maxBatch));
    }
    this.#running = null;
  }

  async #flushBatch(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.#flush(batch.map((waiting) => waiting.item));
      batch.forEach((waiting, index) => {
        waiting.resolve(results[index] as R); // one result per item is the contract of flush
      });
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    }
  }
}
