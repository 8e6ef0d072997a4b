import type { Timers } from '../core/timers.ts';
import type { Delivery } from './delivery.ts';

export interface DeliveryQueueOptions {
  /** 0: as fast as they can be sent. */
  readonly perSecond: number;
  readonly concurrency: number;
  readonly timers: Timers;
  readonly now: () => number;
  readonly send: (delivery: Delivery) => Promise<void>;
}

/** First in, first out to one target URL: at most so many starts in any second, so many under way at once. */
export class DeliveryQueue {
  readonly #options: DeliveryQueueOptions;
  #waiting: Delivery[] = [];
  #head = 0;
  #sending = 0;
  #starts: number[] = [];
  #timer: unknown = null;

  constructor(options: DeliveryQueueOptions) {
    this.#options = options;
  }

  push(delivery: Delivery): void {
    this.#waiting.push(delivery);
    this.#pump();
  }

  #pump(): void {
    while (
      this.#timer === null &&
      this.#head < this.#waiting.length &&
      this.#sending < this.#options.concurrency
    ) {
      const waitMs = this.#pauseMs();
      if (waitMs > 0) {
        this.#timer = this.#options.timers.setTimeout(() => {
          this.#timer = null;
          this.#pump();
        }, waitMs);
        return;
      }
      this.#start();
    }
  }

  #start(): void {
    const delivery = this.#waiting[this.#head];
    this.#head += 1;
    if (this.#head > 1024) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    if (delivery === undefined) return;
    if (this.#options.perSecond > 0) this.#starts.push(this.#options.now());
    this.#sending += 1;
    void this.#options.send(delivery).finally(() => {
      this.#sending -= 1;
      this.#pump();
    });
  }

  #pauseMs(): number {
    const { perSecond, now } = this.#options;
    if (perSecond <= 0) return 0;
    const at = now();
    this.#starts = this.#starts.filter((start) => start > at - 1000);
    const oldest = this.#starts[this.#starts.length - perSecond];
    return oldest === undefined ? 0 : oldest + 1000 - at;
  }

  close(): void {
    this.#waiting = [];
    this.#head = 0;
    if (this.#timer !== null) this.#options.timers.clearTimeout(this.#timer);
  }
}
