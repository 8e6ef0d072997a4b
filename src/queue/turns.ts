/** So many starts in any window of that length, wherever it begins. */
export interface Pace {
  readonly atOnce: number;
  readonly windowMs: number;
}

/** Says when the next work may start, where several share a pace. */
export interface Turns {
  /**
   * Takes a turn, for a start at `now`.
   * @param wanted how many could start now if they had turns
   * @returns 0: taken; the milliseconds until it is worth asking again; null: `listen` will tell
   */
  take(now: number, wanted: number): number | null;
  /** @param onNews called when it is worth asking again, sooner than was said */
  listen(onNews: () => void): void;
}

/** What each of several may do by itself, so that together they keep the pace. */
export function shareOf(pace: Pace, instances: number): Pace {
  const atOnce = Math.max(1, Math.floor(pace.atOnce / instances));
  return { atOnce, windowMs: (pace.windowMs * instances * atOnce) / pace.atOnce };
}

/** The last starts, as many as a pace has to know. */
export class Starts {
  readonly #known: number;
  readonly #times: number[] = [];

  constructor(known: number) {
    this.#known = known;
  }

  note(now: number): void {
    this.#times.push(now);
    if (this.#times.length > this.#known) this.#times.shift();
  }

  /** When the pace allows one more. */
  freeAt({ atOnce, windowMs }: Pace): number {
    const oldest = this.#times.at(-atOnce);
    return oldest === undefined ? Number.NEGATIVE_INFINITY : oldest + windowMs;
  }
}
