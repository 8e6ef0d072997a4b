/** Looked at first, all at once. */
const OFFSETS = [500, 4_000, 32_000, 256_000, 2_000_000, 16_000_000];
/** Then between the two that are nearest: so many at once, and so often. Twelve requests at most, in three rounds or four. */
const BETWEEN = 3;
const ROUNDS = 2;

/**
 * About how many there are of what can only be read page by page: looks whether there is something at growing
 * offsets, then between the last that had something and the first that had nothing.
 * @param hasAt whether there is one at this offset
 * @param onBetter told of each better estimate, the last one included
 * @param guess how many there were once: the estimate, until it is known to be wrong
 */
export async function estimateCount(
  hasAt: (offset: number) => Promise<boolean>,
  onBetter: (estimate: number) => void,
  guess: number | null = null,
): Promise<void> {
  // There are at least `least`, and fewer than `below`, as far as that is known.
  let least = 0;
  let below = Number.POSITIVE_INFINITY;
  const look = async (offsets: readonly number[]) => {
    const there = await Promise.all(offsets.map(hasAt));
    least = Math.max(least, ...offsets.filter((_, at) => there[at]).map((offset) => offset + 1));
    below = Math.min(below, ...offsets.filter((_, at) => there[at] === false).map((offset) => offset + 1));
    const isPossible = guess !== null && least <= guess && guess < below;
    if (isPossible) onBetter(guess);
    else onBetter(below === Number.POSITIVE_INFINITY ? least : middle(least, below));
  };
  await look(OFFSETS);
  for (let round = 0; round < ROUNDS && Number.isFinite(below); round += 1) {
    const between = split(least, below, BETWEEN);
    if (between.length > 0) await look(between);
  }
}

/** Offsets that cut a range into parts that are equal in proportion. */
function split(least: number, below: number, parts: number): number[] {
  const from = Math.max(least, below / 8);
  const ratio = (below / from) ** (1 / (parts + 1));
  const cuts = Array.from({ length: parts }, (_, at) => Math.floor(from * ratio ** (at + 1)));
  return [...new Set(cuts)].filter((offset) => offset >= least && offset < below - 1);
}

function middle(least: number, below: number): number {
  return Math.round(least === 0 ? (below - 1) / 2 : Math.sqrt(least * (below - 1)));
}
