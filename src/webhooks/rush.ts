import type { Clock } from '../domain/clock.ts';

/** Deliveries are counted over this time. */
const SPAN_MS = 100;
/** 500 a second: twenty times what Attio sends a workspace at most. */
const MANY = 50;
/** Of a rush, work waits for this long, and then has its turn. */
const LONGEST_HOLD_MS = 10_000;
const TURN_MS = 1_000;

/**
 * Knows when deliveries come so fast that work on their events would keep them waiting for their answer: a burst is
 * accepted first and worked off then. A rush that does not end lets work have a turn now and then.
 */
export class DeliveryRush {
  readonly #clock: Clock;
  #spanFrom = Number.NEGATIVE_INFINITY;
  #count = 0;
  /** Since when, and until when as far as is known. */
  #from = Number.NEGATIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Deliveries have come. */
  note(deliveries: number): void {
    const now = this.#clock.now();
    if (now - this.#spanFrom >= SPAN_MS) {
      this.#spanFrom = now;
      this.#count = 0;
    }
    this.#count += deliveries;
    if (this.#count < MANY) return;
    if (now > this.#until) this.#from = now;
    this.#until = now + 2 * SPAN_MS;
  }

  /** For how long work is to wait before it asks again. */
  get holdBackMs(): number {
    const now = this.#clock.now();
    if (now > this.#until) return 0;
    const inTurn = (now - this.#from) % (LONGEST_HOLD_MS + TURN_MS);
    return inTurn < LONGEST_HOLD_MS ? this.#until - now + 1 : 0;
  }
}
