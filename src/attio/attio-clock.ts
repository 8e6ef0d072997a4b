import { instantFromMs } from './instant.ts';

/** Answers that the difference is drawn from: enough to have a fast one among them, few enough to follow a clock that is set. */
const SAMPLES = 32;

/** Attio's clock less ours, in milliseconds. */
interface Difference {
  readonly least: number;
  readonly most: number;
}

/**
 * Attio's clock, as far as its answers tell it: what they show lies between our sending and our receiving, so the two
 * clocks differ by no less and no more than that allows.
 *
 * Answers to writes bear no `x-accurate-at`. `leastAt` gives an instant that a write is never earlier than: a read
 * that reflects the write counts as newer then, and one that does not as older, but for the length of the fastest read.
 */
export class AttioClock {
  readonly #exact: Difference[] = [];
  readonly #coarse: Difference[] = [];

  /** A read has told the instant that it reflects. All in milliseconds; `at` by Attio's clock. */
  noteRead(at: number, sentAtMs: number, receivedAtMs: number): void {
    note(this.#exact, { least: at - receivedAtMs, most: at - sentAtMs });
  }

  /** An answer has told its `Date`, a whole second that has begun. */
  noteDate(second: number, sentAtMs: number, receivedAtMs: number): void {
    note(this.#coarse, { least: second - receivedAtMs, most: second + 999 - sentAtMs });
  }

  /**
   * The earliest that an instant of ours can be in the clock that reads are told in; nine fractional digits.
   * @param second the answer's `Date`: a bound should our clock have been set since the last read; null: it has none
   */
  leastAt(ms: number, second: number | null): string {
    // Where reads do not tell what they reflect, they go by our clock.
    if (this.#exact.length === 0) return instantFromMs(ms);
    const least = Math.max(...this.#exact.map((difference) => difference.least));
    return instantFromMs(Math.min(ms + least, second === null ? Number.POSITIVE_INFINITY : second + 1000));
  }

  /** Our best guess of what Attio's clock shows at an instant of ours. @unit ms */
  guess(ms: number): number {
    const known = this.#exact.length === 0 ? this.#coarse : this.#exact;
    if (known.length === 0) return ms;
    const least = Math.max(...known.map((difference) => difference.least));
    const most = Math.min(...known.map((difference) => difference.most));
    return ms + (least + most) / 2;
  }
}

function note(samples: Difference[], difference: Difference): void {
  // A clock that was set while we waited says nothing.
  if (difference.most < difference.least) return;
  samples.push(difference);
  if (samples.length > SAMPLES) samples.shift();
}
