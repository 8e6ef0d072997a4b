import type { Timers } from '../mocks/core/timers.ts';

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
  /** Null: the simulation's own. */
  readonly owner: object | null;
}

type Immediate = (callback: () => void) => unknown;

/**
 * Time that passes only when there is nothing left to do.
 *
 * Timers belong to the life of the service in which they were set, and die with it; what a dead life sets is not set at
 * all. All is done in one order: by instant, then as set, and between two timers everything that the first has set off.
 */
export class SimulatedTime implements Timers {
  #now: number;
  #order = 0;
  readonly #pending = new Map<number, Pending>();
  /** Whose turn it is to set timers through the globals: a life, or nobody. */
  #owner: object | null = null;
  #immediates = 0;
  /** Work that is not simulated (the reading of a file) and takes no time. */
  #held = 0;
  readonly #immediate: Immediate;

  /** @param immediate the real one */
  constructor(startMs: number, immediate: Immediate) {
    this.#now = startMs;
    this.#immediate = immediate;
  }

  readonly now = (): number => this.#now;

  setTimeout(callback: () => void, ms: number): number {
    return this.#add(callback, ms, null);
  }

  clearTimeout(handle: unknown): void {
    if (typeof handle === 'number') this.#pending.delete(handle);
  }

  /** From now on the globals set timers for this life. */
  begin(owner: object): void {
    this.#owner = owner;
  }

  /** The life is over: nothing that it waits for happens. */
  end(owner: object): void {
    if (this.#owner === owner) this.#owner = null;
    for (const [order, one] of this.#pending) if (one.owner === owner) this.#pending.delete(order);
  }

  /** What the global setTimeout does. @returns 0 when nobody lives */
  setOwned(callback: () => void, ms: number): number {
    return this.#owner === null ? 0 : this.#add(callback, ms, this.#owner);
  }

  /** What the global setImmediate does. */
  setImmediateOwned(callback: () => void): void {
    const owner = this.#owner;
    this.#immediates += 1;
    this.#immediate(() => {
      this.#immediates -= 1;
      if (owner === this.#owner) callback();
    });
  }

  /** Time stands still until this is done. */
  async hold<T>(work: Promise<T>): Promise<T> {
    this.#held += 1;
    try {
      return await work;
    } finally {
      this.#held -= 1;
    }
  }

  #add(callback: () => void, ms: number, owner: object | null): number {
    this.#order += 1;
    const at = this.#now + (Number.isFinite(ms) && ms > 0 ? Math.ceil(ms) : 0);
    this.#pending.set(this.#order, { at, order: this.#order, callback, owner });
    return this.#order;
  }

  #next(until: number): Pending | undefined {
    let next: Pending | undefined;
    for (const one of this.#pending.values()) {
      // Insertion is in the order of setting: of equals the first stays.
      if (one.at <= until && (next === undefined || one.at < next.at)) next = one;
    }
    return next;
  }

  /** Lets everything run that waits for no timer. */
  async settle(): Promise<void> {
    do {
      await this.#turn();
      await this.#turn();
    } while (this.#immediates > 0 || this.#held > 0);
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#immediate(() => resolve());
    });
  }

  /** Moves on, firing what falls due, until then or until `stop` says so. */
  async runUntil(untilMs: number, stop: () => boolean = () => false): Promise<void> {
    await this.settle();
    while (!stop()) {
      const next = this.#next(untilMs);
      if (next === undefined) {
        this.#now = Math.max(this.#now, untilMs);
        return;
      }
      this.#now = Math.max(this.#now, next.at);
      this.#pending.delete(next.order);
      next.callback();
      await this.settle();
    }
  }
}
