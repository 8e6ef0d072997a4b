import type { Clock } from '../domain/clock.ts';

/**
 * Runs a task again and again, never twice at once: `everyMs` from the end of one run to the start of the next.
 * A run that fails is reported and does not stop the next.
 */
export class Ticker {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #task: (signal: AbortSignal) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  readonly #stopped = new AbortController();
  #running: Promise<void> | null = null;

  constructor(options: {
    clock: Clock;
    everyMs: number;
    task: (signal: AbortSignal) => Promise<void>;
    onError: (error: unknown) => void;
  }) {
    this.#clock = options.clock;
    this.#everyMs = options.everyMs;
    this.#task = options.task;
    this.#onError = options.onError;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Aborts a run under way and waits for it. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error('stopping'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await this.#task(signal).catch((error: unknown) => {
        if (!signal.aborted) this.#onError(error);
      });
      await this.#clock.sleep(this.#everyMs, signal).catch(() => {});
    }
  }
}
