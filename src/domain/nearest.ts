/**
 * The one of several words that a misspelt one most likely means, in any case; null when none is near.
 *
 * Distances count letters that are wrong, missing, too many or swapped with their neighbour; up to a third of the
 * word's letters may be, and at least one.
 */
export function nearest(word: string, known: readonly string[]): string | null {
  const wanted = spelling(word);
  let best: { readonly word: string; readonly distance: number } | null = null;
  for (const candidate of known) {
    const distance = editDistance(wanted, spelling(candidate));
    if (best === null || distance < best.distance) best = { word: candidate, distance };
  }
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  return best !== null && best.distance <= limit ? best.word : null;
}

/** Pictures are not what somebody misspells. */
function spelling(word: string): string {
  const folded = fold(word);
  return folded.replaceAll(/\p{Extended_Pictographic}|\u{FE0F}|\u{200D}/gu, '').trim() || folded;
}

/** Words in the one spelling that they are compared in. */
export function fold(word: string): string {
  return word.normalize('NFKC').trim().toLowerCase();
}

/** Longer words are cut: what is compared comes from outside, and the work grows with the square. */
const MAX_LENGTH = 64;

/** Optimal string alignment, in three rows. */
function editDistance(a: string, b: string): number {
  const [one, other] = [[...a].slice(0, MAX_LENGTH), [...b].slice(0, MAX_LENGTH)];
  let before: number[] = [];
  let above = other.map((_, index) => index).concat(other.length);
  one.forEach((letter, i) => {
    const row = [i + 1];
    other.forEach((otherLetter, j) => {
      const changed = (above[j] ?? 0) + (letter === otherLetter ? 0 : 1);
      const swapped =
        letter === other[j - 1] && otherLetter === one[i - 1] ? (before[j - 1] ?? 0) + 1 : changed;
      row.push(Math.min(changed, swapped, (above[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1));
    });
    [before, above] = [above, row];
  });
  return above[other.length] ?? 0;
}
