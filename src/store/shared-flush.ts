/**
 * Lets those that wait for the disk share its flushes. One runs at a time, and proves only what was written before it
 * began: who comes meanwhile shares the next.
 */
export class SharedFlush {
  readonly #flush: () => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(flush: () => Promise<void>) {
    this.#flush = flush;
  }

  /** Resolves when all that was written before this call is on the disk. @throws what the flush throws */
  wait(): Promise<void> {
    this.#next ??= this.#follow(this.#running);
    return this.#next;
  }

  async #follow(running: Promise<void>): Promise<void> {
    await running.catch(() => {});
    this.#next = null;
    this.#running = this.#flush();
    await this.#running;
  }
}
