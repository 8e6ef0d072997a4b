import type { Told } from './tell.ts';

const EVERY = 100;

/** Says how it goes, and in full what has failed. */
export class Report {
  readonly #print: (line: string) => void;
  readonly #failed: number[] = [];
  #seeds = 0;
  #cpuMs = 0;
  #first = Number.POSITIVE_INFINITY;
  #last = 0;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  hear(told: Told): void {
    this.#seeds += 1;
    this.#cpuMs += told.cpuMs;
    this.#first = Math.min(this.#first, told.seed);
    this.#last = Math.max(this.#last, told.seed);
    for (const line of told.story) this.#print(line);
    if (told.problems.length > 0) {
      this.#failed.push(told.seed);
      this.#print(`\nSeed ${told.seed} fails:`);
      for (const problem of told.problems) this.#print(`  ✗ ${problem}`);
      this.#print(`Play it again: ${told.command}\n`);
    }
    if (this.#seeds % EVERY === 0) this.#print(`${this.#seeds} seeds, ${this.#failed.length} failed`);
  }

  /** @returns the exit code */
  end(): number {
    const range =
      this.#first === this.#last ? `seed ${this.#first}` : `seeds ${this.#first} to ${this.#last}`;
    const cpu = Math.round(this.#cpuMs / Math.max(1, this.#seeds));
    const outcome =
      this.#failed.length === 0 ? 'all clean' : `${this.#failed.length} failed: ${this.#failed.join(', ')}`;
    this.#print(`${this.#seeds} played (${range}): ${outcome}. ${cpu} ms of CPU a seed.`);
    return this.#failed.length === 0 && this.#seeds > 0 ? 0 : 1;
  }
}
