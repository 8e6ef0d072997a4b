import type { Clock } from '../domain/clock.ts';
import { ServiceError } from '../services/errors.ts';
import type { Delivery, DeliveryLog, DeliveryResult } from './ports.ts';

/** How old a count of what is pending may be: counting costs more than a delivery. */
const RECOUNT_MS = 5_000;

/** Refuses deliveries while more is pending than the database should hold; Attio keeps and repeats them for days. */
export class BoundedLog implements DeliveryLog {
  readonly #log: DeliveryLog;
  readonly #countPending: () => Promise<number>;
  readonly #maxPending: number;
  readonly #clock: Clock;
  #pending = 0;
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: {
    log: DeliveryLog;
    countPending: () => Promise<number>;
    maxPending: number;
    clock: Clock;
  }) {
    this.#log = deps.log;
    this.#countPending = deps.countPending;
    this.#maxPending = deps.maxPending;
    this.#clock = deps.clock;
  }

  /** @throws ServiceError `unavailable` when too much is pending; what the log throws */
  async add(delivery: Delivery): Promise<DeliveryResult> {
    await this.#recount();
    if (this.#pending >= this.#maxPending) {
      throw new ServiceError('unavailable', 'too many events are pending', { retryAfterSeconds: 60 });
    }
    const result = await this.#log.add(delivery);
    this.#pending += result.accepted;
    return result;
  }

  async #recount(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#countedAt < RECOUNT_MS) return;
    this.#countedAt = now;
    this.#pending = await this.#countPending();
  }
}
