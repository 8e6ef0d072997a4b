/**
 * One write at a time to each record. Writes of one thing come one after the other anyway; two things that turn out to be
 * one, or a key that has moved, bring two writes to the same record at once, and each would be decided by a look that does
 * not show what the other has sent.
 */
export class Turns {
  readonly #taken = new Map<string, Promise<void>>();
  /** When a record was last written to; kept while anybody has begun to look. */
  readonly #written = new Map<string, number>();
  #looking = 0;
  #count = 0;

  /** To be called before the look. Whoever begins must end. */
  begin(): number {
    this.#looking += 1;
    return this.#count;
  }

  end(): void {
    this.#looking -= 1;
    if (this.#looking === 0) this.#written.clear();
  }

  /**
   * Runs alone for this record.
   * @param since what `begin` gave
   * @returns false, without having run, when somebody has written to the record since: then the look is too old
   */
  async take(recordId: string, since: number, work: () => Promise<void>): Promise<boolean> {
    for (let other = this.#taken.get(recordId); other !== undefined; other = this.#taken.get(recordId))
      await other;
    if ((this.#written.get(recordId) ?? 0) > since) return false;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#taken.set(recordId, promise);
    try {
      await work();
    } finally {
      this.#count += 1;
      this.#written.set(recordId, this.#count);
      this.#taken.delete(recordId);
      resolve();
    }
    return true;
  }
}
