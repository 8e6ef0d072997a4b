import { type Mode, type Reservation, type ReservationRequest, SharedTurns } from './shared-turns.ts';
import type { Pace } from './turns.ts';

/** The plan that the instances share, wherever it is kept. Both settle within a moment. */
export interface SharedPlan {
  reserve(lane: string, request: ReservationRequest): Promise<Reservation>;
  /** Nobody gets a turn for so long, and all who are there are told. */
  pause(lane: string, ms: number): Promise<void>;
}

export interface SharedBudgetDeps {
  readonly plan: SharedPlan;
  readonly now: () => number;
  /** How many share the budget while nothing is known of them. */
  readonly instances: number;
  readonly onMode: (lane: string, mode: Mode) => void;
}

/** An instance that has not been seen for this long does not count any more. */
const SEEN_MS = 5_000;

/** What several instances may do together, lane by lane, and how many they are. */
export class SharedBudget {
  readonly #deps: SharedBudgetDeps;
  readonly #turns: SharedTurns[] = [];
  readonly #onPaused = new Map<string, (ms: number) => void>();
  #seen = { count: 0, at: Number.NEGATIVE_INFINITY };
  #registered = 0;
  #isWithinReach = false;

  constructor(deps: SharedBudgetDeps) {
    this.#deps = deps;
  }

  /**
   * As last seen where the plan is, or as registered where that knows of more. While the plan is out of reach nobody can
   * be seen to go, and who starts then sees nobody.
   */
  get instances(): number {
    return Math.max(this.#seen.count, this.#registered) || this.#deps.instances;
  }

  turns(lane: string, pace: Pace): SharedTurns {
    const { plan, now, onMode } = this.#deps;
    const turns = new SharedTurns({
      pace,
      now,
      reserve: (request) => plan.reserve(lane, request),
      instances: () => this.instances,
      onPaused: (ms) => this.heardPause(lane, ms),
      onMode: (mode) => onMode(lane, mode),
    });
    this.#turns.push(turns);
    return turns;
  }

  /** Called with the milliseconds for which another instance was told to wait. */
  listen(lane: string, onPaused: (ms: number) => void): void {
    this.#onPaused.set(lane, onPaused);
  }

  /** We were told to wait: the others had better, too. */
  pause(lane: string, ms: number): void {
    // Who cannot be told will find out.
    if (this.#isWithinReach) this.#deps.plan.pause(lane, ms).catch(() => {});
  }

  heardPause(lane: string, ms: number): void {
    this.#onPaused.get(lane)?.(ms);
  }

  /** @param count instances that are there, with this one */
  sawInstances(count: number): void {
    const now = this.#deps.now();
    const isOutdated = this.#isWithinReach && now - this.#seen.at > SEEN_MS;
    if (count >= this.#seen.count || isOutdated) this.#seen = { count, at: now };
  }

  /** @param count instances that have a lease, with this one */
  registered(count: number): void {
    this.#registered = count;
  }

  found(): void {
    this.#isWithinReach = true;
    // The others come back one by one.
    this.#seen = { ...this.#seen, at: this.#deps.now() };
    for (const turns of this.#turns) turns.found();
  }

  lost(): void {
    this.#isWithinReach = false;
    for (const turns of this.#turns) turns.lost();
  }
}
