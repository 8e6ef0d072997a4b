import type { Screen } from './screen.ts';

/** What the demo asserts while it tells its story. Failures are always shown, the rest when asked to. */
export class Checks {
  readonly #screen: Screen;
  readonly #showAll: boolean;
  passed = 0;
  failed = 0;

  constructor(screen: Screen, options: { showAll: boolean }) {
    this.#screen = screen;
    this.#showAll = options.showAll;
  }

  /** @param note what was found, for the reader of a failure */
  that(claim: string, holds: boolean, note = ''): void {
    if (holds) this.passed += 1;
    else this.failed += 1;
    if (this.#showAll || !holds) this.#screen.outcome(holds, claim, holds ? '' : note);
  }

  equal(claim: string, found: string | number | null | undefined, expected: string | number): void {
    this.that(claim, found === expected, `expected ${expected}, found ${found ?? 'nothing'}`);
  }

  get summary(): string {
    return `${this.passed} passed, ${this.failed} failed`;
  }
}
