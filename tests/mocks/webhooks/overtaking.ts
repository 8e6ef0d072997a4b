import type { Timers } from '../core/timers.ts';
import type { Delivery } from './delivery.ts';

const DEFAULT_WAIT_MS = 250;
const MOST_HELD = 10;

interface Held {
  readonly deliveries: Delivery[];
  readonly timer: unknown;
}

/**
 * Reordering: a held delivery is sent after the next one to the same target, or after a while when none comes;
 * several held ones leave in reverse.
 */
export class Overtaking {
  readonly #timers: Timers;
  readonly #release: (delivery: Delivery) => void;
  readonly #held = new Map<string, Held>();

  constructor(timers: Timers, release: (delivery: Delivery) => void) {
    this.#timers = timers;
    this.#release = release;
  }

  hold(delivery: Delivery, ms = DEFAULT_WAIT_MS): void {
    const { url } = delivery;
    const held = this.#held.get(url);
    if (held === undefined) {
      const timer = this.#timers.setTimeout(() => this.passed(url), ms);
      this.#held.set(url, { deliveries: [delivery], timer });
      return;
    }
    held.deliveries.push(delivery);
    if (held.deliveries.length >= MOST_HELD) this.passed(url);
  }

  /** A delivery went ahead of the held ones. */
  passed(url: string): void {
    const held = this.#held.get(url);
    if (held === undefined) return;
    this.#held.delete(url);
    this.#timers.clearTimeout(held.timer);
    for (const delivery of held.deliveries.reverse()) this.#release(delivery);
  }

  close(): void {
    for (const held of this.#held.values()) this.#timers.clearTimeout(held.timer);
    this.#held.clear();
  }
}
