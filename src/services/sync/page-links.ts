/**
 * Which consecutive pages share a record. The ids of a page are held only until it has met the pages before and behind
 * it, which come at about the same time: however long a pass is, few are held.
 */
export class PageLinks {
  readonly #step: number;
  /** Of pages that are yet to meet a neighbour, by offset. */
  readonly #ids = new Map<number, readonly string[]>();
  /** Whether a page shares a record with the one before, by its offset. */
  readonly #links = new Map<number, boolean>([[0, true]]);

  /** @param step from the offset of a page to that of the next */
  constructor(step: number) {
    this.#step = step;
  }

  /** What a page showed when it was first read. */
  note(offset: number, ids: readonly string[]): void {
    this.#ids.set(offset, ids);
    this.#meet(offset - this.#step, offset);
    this.#meet(offset, offset + this.#step);
    for (const met of [offset - this.#step, offset, offset + this.#step]) this.#letGo(met);
  }

  /** False also while one of the two is yet to come. */
  isLinked(offset: number): boolean {
    return this.#links.get(offset) ?? false;
  }

  #meet(before: number, after: number): void {
    const [held, read] = [this.#ids.get(before), this.#ids.get(after)];
    if (held !== undefined && read !== undefined) this.#links.set(after, share(held, read));
  }

  #letGo(offset: number): void {
    if (this.#links.has(offset) && this.#links.has(offset + this.#step)) this.#ids.delete(offset);
  }
}

/** Whether two pages have a record in common. */
export function share(before: readonly string[], after: readonly string[]): boolean {
  const ids = new Set(before);
  return after.some((id) => ids.has(id));
}
