const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What is being looked for, as four numbers. */
type Words = readonly [number, number, number, number];
const WORDS = 4;

const FIRST_SLOTS = 1 << 12;
/** Of the slots: beyond it, chains of full ones grow long. */
const FULLEST = 0.7;

/** A set of ids with 16 bytes per slot for a UUID: half a million of them take 16 MB, and as texts in a `Set` 60 MB. */
export class IdSet {
  /** Four words per slot; all zero: empty. */
  #table = new Uint32Array(FIRST_SLOTS * WORDS);
  #used = 0;
  /** What is no UUID in small letters, and the one whose words are an empty slot's. */
  readonly #others = new Set<string>();

  get size(): number {
    return this.#used + this.#others.size;
  }

  has(id: string): boolean {
    const words = wordsOf(id);
    if (words === null) return this.#others.has(id);
    return isTaken(this.#table, slotOf(this.#table, words));
  }

  add(id: string): void {
    const words = wordsOf(id);
    if (words === null) {
      this.#others.add(id);
      return;
    }
    const slot = slotOf(this.#table, words);
    if (isTaken(this.#table, slot)) return;
    this.#table.set(words, slot);
    this.#used += 1;
    if (this.#used * WORDS > this.#table.length * FULLEST) this.#grow();
  }

  #grow(): void {
    const table = new Uint32Array(this.#table.length * 2);
    for (let at = 0; at < this.#table.length; at += WORDS) {
      if (!isTaken(this.#table, at)) continue;
      const words = this.#table.subarray(at, at + WORDS);
      table.set(words, slotOf(table, words as unknown as Words)); // four of them
    }
    this.#table = table;
  }
}

function wordsOf(id: string): Words | null {
  if (!UUID.test(id)) return null;
  const digits = id.replaceAll('-', '');
  const word = (index: number) => Number.parseInt(digits.slice(8 * index, 8 * index + 8), 16);
  const words: Words = [word(0), word(1), word(2), word(3)];
  return words.some((each) => each !== 0) ? words : null;
}

/** Where these words are, or else would be. */
function slotOf(table: Uint32Array, [a, b, c, d]: Words): number {
  const slots = table.length / WORDS;
  // Ids may be in order instead of random: mixed, so that neighbours do not share a chain.
  const mixed = Math.imul(Math.imul(a ^ (b >>> 3), 0x9e3779b1) ^ c, 0x85ebca6b) ^ Math.imul(d, 0xc2b2ae35);
  let at = ((mixed ^ (mixed >>> 15)) & (slots - 1)) * WORDS;
  while (
    isTaken(table, at) &&
    !(table[at] === a && table[at + 1] === b && table[at + 2] === c && table[at + 3] === d)
  ) {
    at = (at + WORDS) % table.length;
  }
  return at;
}

function isTaken(table: Uint32Array, at: number): boolean {
  return table[at] !== 0 || table[at + 1] !== 0 || table[at + 2] !== 0 || table[at + 3] !== 0;
}
