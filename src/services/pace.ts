import type { Clock } from '../domain/clock.ts';

/** What is asked for by callers, and might fill the memory. */
const MAX_REMEMBERED = 1_000;

/** Something that is done again at most every so often, for each of several keys. */
export class Pace {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #lastAt = new Map<string, number>();

  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** Whether it is time; if so, it counts as done. */
  isDue(key = ''): boolean {
    const now = this.#clock.now();
    if (now - (this.#lastAt.get(key) ?? Number.NEGATIVE_INFINITY) < this.#everyMs) return false;
    if (this.#lastAt.size >= MAX_REMEMBERED) this.#lastAt.clear();
    this.#lastAt.set(key, now);
    return true;
  }
}
