import type { Timers } from './core/timers.ts';

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is moved; timers fire in order, each at its own instant. */
export class VirtualTime implements Timers {
  #now: number;
  #order = 0;
  readonly #pending = new Map<number, Pending>();

  constructor(startMs: number) {
    this.#now = startMs;
  }

  readonly now = (): number => this.#now;

  setTimeout(callback: () => void, ms: number): number {
    this.#order += 1;
    this.#pending.set(this.#order, { at: this.#now + Math.max(0, ms), order: this.#order, callback });
    return this.#order;
  }

  clearTimeout(handle: unknown): void {
    if (typeof handle === 'number') this.#pending.delete(handle);
  }

  #next(until: number): Pending | undefined {
    let next: Pending | undefined;
    for (const one of this.#pending.values()) {
      if (one.at > until) continue;
      if (next === undefined || one.at < next.at || (one.at === next.at && one.order < next.order))
        next = one;
    }
    return next;
  }

  /** Moves on, firing what falls due; between timers, what they set off is let run. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await drain();
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#now = next.at;
      this.#pending.delete(next.order);
      next.callback();
      await drain();
    }
    this.#now = until;
  }
}

/** Lets promise chains run to their next timer: the macrotask queue is passed once. */
function drain(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
