import type { DeadLetter, DeadLetterKind } from '../domain/dead-letters.ts';
import { ServiceError } from './errors.ts';
import type { DeadLetterStore, Page } from './ports.ts';

/** Takes a letter back to work and removes it. @throws ServiceError `refused` when it cannot be taken */
export type Replay = (letter: DeadLetter) => Promise<void>;

/** Letters read per step of a replay of all. */
const STEP = 100;

/** What was given up: seen here, and tried again from here. */
export class DeadLettersService {
  readonly #letters: DeadLetterStore;
  readonly #replays: Partial<Record<DeadLetterKind, Replay>>;

  constructor(deps: { letters: DeadLetterStore; replays: Partial<Record<DeadLetterKind, Replay>> }) {
    this.#letters = deps.letters;
    this.#replays = deps.replays;
  }

  async list(query: {
    kind: DeadLetterKind | null;
    after: number;
    limit: number;
  }): Promise<Page<DeadLetter, number>> {
    return this.#letters.list(query.kind, query.after, query.limit);
  }

  /**
   * @returns the letter as it was
   * @throws ServiceError `not_found`; `refused` when it cannot be taken back to work: it stays
   */
  async replay(id: string): Promise<DeadLetter> {
    const letter = /^\d{1,15}$/.test(id) ? await this.#letters.get(Number(id)) : undefined;
    if (letter === undefined) throw new ServiceError('not_found', 'there is no dead letter with this id');
    await this.#replay(letter);
    return letter;
  }

  /** Replays every letter there is now; one that cannot be taken stays and stops none of the others. */
  async replayAll(kind: DeadLetterKind | null): Promise<{ replayed: number; refused: number }> {
    const done = { replayed: 0, refused: 0 };
    const newestId = await this.#letters.newestId();
    for (let after: number | null = 0; after !== null; ) {
      const page: Page<DeadLetter, number> = await this.#letters.list(kind, after, STEP);
      // Letters that come of the replay itself are not of it.
      const letters = page.rows.filter((letter) => Number(letter.id) <= newestId);
      for (const letter of letters) done[await this.#tryReplay(letter)] += 1;
      after = letters.length === page.rows.length ? page.next : null;
    }
    return done;
  }

  async #tryReplay(letter: DeadLetter): Promise<'replayed' | 'refused'> {
    try {
      await this.#replay(letter);
      return 'replayed';
    } catch (error) {
      if (error instanceof ServiceError && error.kind === 'refused') return 'refused';
      throw error;
    }
  }

  async #replay(letter: DeadLetter): Promise<void> {
    const replay = this.#replays[letter.kind];
    if (replay === undefined) {
      throw new ServiceError(
        'refused',
        `dead letters of kind ${letter.kind} cannot be replayed by this version`,
      );
    }
    await replay(letter);
  }
}
