import type { SimulatedTime } from './simulated-time.ts';

/** Each time another one: what waits for it can then be forgotten. */
const never = () => new Promise<never>(() => {});

export interface GateOptions {
  readonly time: SimulatedTime;
  /** How long the database takes; 0: no time at all. @unit ms */
  readonly databaseMs: () => number;
}

/**
 * Where a life of the service meets the world: its database, and Attio. A crash takes place here, before or after any of
 * these steps; the life then waits for ever, since nothing of it may touch the world again.
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #crashed = Promise.withResolvers<void>();
  #isDead = false;
  /** Steps until the crash that has been ordered. */
  #left = Number.POSITIVE_INFINITY;
  steps = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Resolves when the life is over by a crash. */
  get crashed(): Promise<void> {
    return this.#crashed.promise;
  }

  /** Orders a crash, after so many more steps. */
  crashAfter(steps: number): void {
    this.#left = Math.min(this.#left, steps);
  }

  /** Takes such orders back. */
  spare(): void {
    this.#left = Number.POSITIVE_INFINITY;
  }

  crash(): void {
    this.#isDead = true;
    this.#crashed.resolve();
  }

  /** One step. Never resolves for the dead. */
  pass(): Promise<void> {
    if (this.#isDead) return never();
    this.steps += 1;
    this.#left -= 1;
    if (this.#left > 0) return Promise.resolve();
    this.crash();
    return never();
  }

  /** A statement of the database is on its way there or back. */
  async passDatabase(): Promise<void> {
    await this.pass();
    const ms = this.#options.databaseMs();
    if (ms === 0) return;
    await new Promise<void>((resolve) => {
      this.#options.time.setTimeout(resolve, ms);
    });
    if (this.#isDead) await never();
  }
}
