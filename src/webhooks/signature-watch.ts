import type { Clock } from '../domain/clock.ts';

/** Where it is noted. */
export interface SignatureNotes {
  noteSignatures(seen: { acceptedAt: string | null; refusedAt: string | null }): Promise<void>;
}

/** At most one write in this time, however many deliveries come. */
const WRITE_EVERY_MS = 5_000;

/**
 * Notes when a delivery's signature was last right and when last wrong, so that an operator can be told of a wrong
 * secret. Costs a delivery no more than reading the clock: what is written is written beside it, and may be lost.
 */
export class SignatureWatch {
  readonly #notes: SignatureNotes;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #acceptedAt: number | null = null;
  #refusedAt: number | null = null;
  #writing: Promise<void> | null = null;

  constructor(deps: { notes: SignatureNotes; clock: Clock }) {
    this.#notes = deps.notes;
    this.#clock = deps.clock;
  }

  accepted(): void {
    this.#acceptedAt = this.#clock.now();
    this.#writing ??= this.#write();
  }

  refused(): void {
    this.#refusedAt = this.#clock.now();
    this.#writing ??= this.#write();
  }

  /** Writes what is not written yet. Never rejects. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('closed'));
    await this.#writing;
  }

  /** Goes on until a while has passed without anything new. Never rejects. */
  async #write(): Promise<void> {
    while (this.#acceptedAt !== null || this.#refusedAt !== null) {
      const seen = { acceptedAt: iso(this.#acceptedAt), refusedAt: iso(this.#refusedAt) };
      this.#acceptedAt = null;
      this.#refusedAt = null;
      // A database that is away is told of by health, and by what it was needed for.
      await this.#notes.noteSignatures(seen).catch(() => {});
      await this.#clock.sleep(WRITE_EVERY_MS, this.#closed.signal).catch(() => {});
    }
    this.#writing = null;
  }
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
