import type { Clock } from '../domain/clock.ts';

export interface ScoreWindowOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** @default 10_000 */
  readonly windowMs?: number;
  /** The share of the sum that met the limit which is aimed at afterwards. @default 0.8 */
  readonly headroom?: number;
  /** How much the ceiling rises in a minute without meeting the limit. @default 0.05 */
  readonly risePerMinute?: number;
}

/** How soon to look again when only answers that are still awaited can make room. */
const LOOK_AGAIN_MS = 100;

/**
 * Keeps the sum of costs in a sliding window below a limit that nobody publishes.
 *
 * No ceiling is known until the limit is met once. Then it is a share of the sum at that moment, and it rises
 * slowly while the limit is not met again, because others spend from the same limit and their share changes.
 * The cost of work is known only after it, so work under way counts at the mean of the costs seen last.
 */
export class ScoreWindow {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #windowMs: number;
  readonly #headroom: number;
  readonly #risePerMinute: number;
  #costs: { readonly at: number; readonly score: number }[] = [];
  #underWay = 0;
  #mean = 0;
  #ceilingAtHit = Number.POSITIVE_INFINITY;
  #hitAt = 0;

  constructor(options: ScoreWindowOptions) {
    this.#clock = options.clock;
    this.#windowMs = options.windowMs ?? 10_000;
    this.#headroom = options.headroom ?? 0.8;
    this.#risePerMinute = options.risePerMinute ?? 0.05;
  }

  /** The sum of the costs recorded in the window. */
  get sum(): number {
    this.#forgetOld();
    return this.#costs.reduce((sum, cost) => sum + cost.score, 0);
  }

  /** The sum that is aimed at; Infinity while no limit is known. */
  get ceiling(): number {
    const quietMinutes = Math.max(0, this.#clock.now() - this.#hitAt) / 60_000;
    return this.#ceilingAtHit * (1 + this.#risePerMinute) ** quietMinutes;
  }

  /** Counts work under way. @returns to be called once, when it has ended */
  begin(): () => void {
    this.#underWay += 1;
    return () => {
      this.#underWay -= 1;
    };
  }

  /** The cost of work that was done just now. */
  record(score: number): void {
    if (!Number.isFinite(score) || score < 0) return;
    this.#costs.push({ at: this.#clock.now(), score });
    this.#mean = this.#mean === 0 ? score : this.#mean * 0.8 + score * 0.2;
  }

  /** The limit was met just now. A window without cost says nothing about it. */
  limitMet(): void {
    const { sum } = this;
    if (sum === 0) return;
    this.#ceilingAtHit = sum * this.#headroom;
    this.#hitAt = this.#clock.now();
  }

  /** Milliseconds that the next work should wait; 0: go. Work alone in the window may always go. */
  delayMs(): number {
    const { ceiling } = this;
    if (ceiling === Number.POSITIVE_INFINITY) return 0;
    let excess = this.sum + (this.#underWay + 1) * this.#mean - ceiling;
    const isAlone = this.#costs.length === 0 && this.#underWay === 0;
    if (excess <= 0 || isAlone) return 0;
    const now = this.#clock.now();
    for (const cost of this.#costs) {
      excess -= cost.score;
      if (excess <= 0) return Math.max(1, cost.at + this.#windowMs - now);
    }
    const last = this.#underWay > 0 ? undefined : this.#costs.at(-1);
    return last === undefined ? LOOK_AGAIN_MS : Math.max(1, last.at + this.#windowMs - now);
  }

  #forgetOld(): void {
    const now = this.#clock.now();
    // The upper bound is for a clock that was set back.
    this.#costs = this.#costs.filter((cost) => cost.at > now - this.#windowMs && cost.at <= now);
  }
}
