import type { Clock } from '../../src/domain/clock.ts';
import { systemClock } from '../../src/queue/clock.ts';

/** The machine's time, which a test may put forward: what sleeps then wakes as if the time had passed. */
export class ShiftedClock implements Clock {
  readonly #real = systemClock();
  #shiftMs = 0;
  #shifted = new AbortController();

  now(): number {
    return Math.floor(this.#real.now() + this.#shiftMs);
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const until = this.now() + ms;
    while (this.now() < until) {
      const ends = signal === undefined ? [] : [signal];
      const woken = AbortSignal.any([this.#shifted.signal, ...ends]);
      await this.#real.sleep(until - this.now(), woken).catch(() => {});
      signal?.throwIfAborted();
    }
    signal?.throwIfAborted();
  }

  shift(ms: number): void {
    this.#shiftMs += ms;
    const shifted = this.#shifted;
    this.#shifted = new AbortController();
    shifted.abort();
  }
}
