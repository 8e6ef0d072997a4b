/** One ISO instant with nine fractional digits. */
export function nanoIso(ms: number, nanos = 0): string {
  return `${new Date(ms).toISOString().slice(0, -1)}${String(nanos).padStart(6, '0')}Z`;
}

/**
 * Strictly increasing instants on top of a wall clock that may stand still: every write and every read gets its
 * own, so "was this value there when that read was made" always has an answer.
 */
export class LogicalClock {
  readonly #now: () => number;
  #ms = Number.NEGATIVE_INFINITY;
  #nanos = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  next(): string {
    const wall = Math.floor(this.#now());
    if (wall > this.#ms) {
      this.#ms = wall;
      this.#nanos = 0;
    } else {
      this.#nanos += 1000;
      if (this.#nanos >= 1_000_000) {
        this.#ms += 1;
        this.#nanos = 0;
      }
    }
    return nanoIso(this.#ms, this.#nanos);
  }
}
