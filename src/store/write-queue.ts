import { StorageUnavailableError } from '../domain/storage.ts';

interface Waiting {
  /** Rejects as the work does. */
  readonly start: () => Promise<void>;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets one piece of work write at a time, in the order of arrival. Those that wait hold no connection: however many
 * they are, reads go on. An outage fails all that wait, since each would wait as long to meet it.
 */
export class WriteQueue {
  readonly #waiting: Waiting[] = [];
  #running = false;

  run<T>(work: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push({ start: () => work().then(resolve), reject });
    if (!this.#running) void this.#drain();
    return promise;
  }

  async #drain(): Promise<void> {
    this.#running = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await next.start();
      } catch (error) {
        const failed = error instanceof StorageUnavailableError ? this.#waiting.splice(0) : [];
        for (const { reject } of [next, ...failed]) reject(error);
      }
    }
    this.#running = false;
  }
}
