import { setImmediate as turn } from 'node:timers/promises';
import { StorageUnavailableError } from '../domain/storage.ts';

interface Waiting {
  /** Rejects as the work does. */
  readonly start: () => Promise<void>;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets one piece of work write at a time, in the order of arrival, the urgent before the others. Those that wait hold no
 * connection: however many they are, reads go on. Between two of them the event loop has a turn: on SQLite nothing else
 * has one. An outage fails all that wait, since each would wait as long to meet it.
 */
export class WriteQueue {
  readonly #urgent: Waiting[] = [];
  readonly #waiting: Waiting[] = [];
  #running = false;

  run<T>(work: () => Promise<T>, isUrgent = false): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    (isUrgent ? this.#urgent : this.#waiting).push({ start: () => work().then(resolve), reject });
    if (!this.#running) void this.#drain();
    return promise;
  }

  async #drain(): Promise<void> {
    this.#running = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      try {
        await next.start();
      } catch (error) {
        const failed =
          error instanceof StorageUnavailableError
            ? [...this.#urgent.splice(0), ...this.#waiting.splice(0)]
            : [];
        for (const { reject } of [next, ...failed]) reject(error);
      }
      if (this.#waiting.length > 0) await turn();
    }
    this.#running = false;
  }

  #next(): Waiting | undefined {
    return this.#urgent.shift() ?? this.#waiting.shift();
  }
}
