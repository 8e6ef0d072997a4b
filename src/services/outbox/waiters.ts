import type { Clock } from '../../domain/clock.ts';
import type { AttioRefusal } from '../errors.ts';

/** How a write has ended while somebody waited for it. */
export type Settlement =
  /**
   * `entityId`: the thing that has it now; another one when the two turned out to be one, or the key has moved.
   * `held`: fields that were held back for a person to decide.
   */
  | { readonly outcome: 'done'; readonly entityId: string; readonly held: number }
  | { readonly outcome: 'refused'; readonly message: string; readonly attio: AttioRefusal | null };

interface Waiter {
  readonly settled: PromiseWithResolvers<Settlement | null>;
  /** Requests that wait for it: one may join another's write. */
  requests: number;
  /** The end is about to be committed: whoever waits will be told, and must not go away before. */
  claimed: boolean;
}

/** Who waits for which write. */
export class Waiters {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiter>();

  constructor(deps: { clock: Clock }) {
    this.#clock = deps.clock;
  }

  /** To be called before the write can be settled. */
  expect(id: number): void {
    const known = this.#waiting.get(id);
    if (known !== undefined) known.requests += 1;
    else this.#waiting.set(id, { settled: Promise.withResolvers(), requests: 1, claimed: false });
  }

  /** @returns how it ended; null when it has not within `ms`, or when waiting makes no sense */
  async wait(id: number, ms: number, signal: AbortSignal): Promise<Settlement | null> {
    const waiter = this.#waiting.get(id);
    if (waiter === undefined) return null;
    const answered = new AbortController();
    const limit = this.#clock
      .sleep(ms, AbortSignal.any([signal, answered.signal]))
      .catch(() => {})
      .then(() => (waiter.claimed ? waiter.settled.promise : null));
    const settlement = await Promise.race([waiter.settled.promise, limit]);
    answered.abort();
    waiter.requests -= 1;
    if (waiter.requests === 0) this.#waiting.delete(id);
    return settlement;
  }

  /** @returns whether somebody waits, who will be told */
  claim(id: number): boolean {
    const waiter = this.#waiting.get(id);
    if (waiter === undefined) return false;
    waiter.claimed = true;
    return true;
  }

  /** Writes whose end nobody here is about to tell. */
  waiting(): number[] {
    return [...this.#waiting].filter(([, waiter]) => !waiter.claimed).map(([id]) => id);
  }

  /** It will take longer than anybody should wait. */
  dismiss(id: number): void {
    this.#waiting.get(id)?.settled.resolve(null);
  }

  tell(id: number, settlement: Settlement): void {
    this.#waiting.get(id)?.settled.resolve(settlement);
  }

  /** An outage: nobody need wait for what cannot be sent now. */
  release(): void {
    for (const waiter of this.#waiting.values()) if (!waiter.claimed) waiter.settled.resolve(null);
  }
}
