import type { Simulation } from '../simulation.ts';

/** Who does it: people at Attio's screens, internal systems over REST, or misfortune. */
export type Side = 'people' | 'ours' | 'trouble';

/** What a step has been dealt, to be picked with. */
export class Dice {
  readonly #dice: readonly number[];
  #used = 0;
  /** Of the step. */
  readonly n: number;

  constructor(n: number, dice: readonly number[]) {
    this.n = n;
    this.#dice = dice;
  }

  next(): number {
    const value = this.#dice[this.#used % this.#dice.length] ?? 0;
    this.#used += 1;
    return value;
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Undefined when there is nothing to pick from. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)];
  }

  of<T>(items: readonly [T, ...T[]]): T {
    return this.pick(items) ?? items[0];
  }
}

export interface Action {
  readonly side: Side;
  readonly weight: number;
  /** What is not possible is left undone. */
  run(simulation: Simulation, dice: Dice): void | Promise<void>;
}
