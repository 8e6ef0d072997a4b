/** A UUID as four numbers. */
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

  /** @returns whether it is new */
  add(id: string): boolean {
    const words = wordsOf(id);
    if (words === null) {
      const isNew = !this.#others.has(id);
      this.#others.add(id);
      return isNew;
    }
    const slot = slotOf(this.#table, words);
    if (isTaken(this.#table, slot)) return false;
    this.#table.set(words, slot);
    this.#used += 1;
    if (this.#used * WORDS > this.#table.length * FULLEST) this.#grow();
    return true;
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

const LENGTH = 36;
const DASH = 45;
const DASHES: ReadonlySet<number> = new Set([8, 13, 18, 23]);

/** Null: it is no UUID in small letters, or the one whose words are an empty slot's. */
function wordsOf(id: string): Words | null {
  if (id.length !== LENGTH) return null;
  const words: [number, number, number, number] = [0, 0, 0, 0];
  let digits = 0;
  for (let at = 0; at < LENGTH; at += 1) {
    const code = id.charCodeAt(at);
    if (DASHES.has(at)) {
      if (code !== DASH) return null;
      continue;
    }
    const digit = digitOf(code);
    if (digit < 0) return null;
    const word = digits >> 3;
    words[word] = ((words[word] ?? 0) << 4) | digit;
    digits += 1;
  }
  const [a, b, c, d] = words;
  return (a | b | c | d) === 0 ? null : [a >>> 0, b >>> 0, c >>> 0, d >>> 0];
}

/** Of the code of a character; −1: it is no hexadecimal digit in small letters. */
function digitOf(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  return code >= 97 && code <= 102 ? code - 87 : -1;
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
