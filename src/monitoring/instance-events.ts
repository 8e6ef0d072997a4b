import type { Logger } from 'pino';

/** What happens between the instances that share a database. */
export class InstanceLog {
  readonly #log: Logger;

  constructor(deps: { logger: Logger }) {
    this.#log = deps.logger.child({ component: 'instances' });
  }

  lost(): void {
    this.#log.warn(
      'this instance gave no sign of life for too long: others have taken over what it had in hand',
    );
  }

  takenOver(count: number): void {
    this.#log.warn({ count }, 'instances have ended without a word: what they had in hand is taken over');
  }
}
