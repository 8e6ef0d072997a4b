/** Requests that an estimate may cost. */
const MAX_PROBES = 12;
const FIRST_OFFSET = 500;
const GROWTH = 8;
/** How far apart the two ends may be, as a share of what there is. */
const PRECISION = 0.05;

/**
 * About how many there are of what can only be read page by page: looks whether there is something at growing
 * offsets, then between the last that had something and the first that had nothing.
 * @param hasAt whether there is one at this offset
 * @param onBetter told of each better estimate, the last one included
 */
export async function estimateCount(
  hasAt: (offset: number) => Promise<boolean>,
  onBetter: (estimate: number) => void,
): Promise<void> {
  let probes = 0;
  const probe = (offset: number) => {
    probes += 1;
    return hasAt(offset);
  };
  // There are at least `least` and at most `most`.
  let least = 0;
  let most = FIRST_OFFSET;
  while (probes < MAX_PROBES && (await probe(most))) {
    least = most + 1;
    most *= GROWTH;
  }
  while (probes < MAX_PROBES && most - least > Math.max(1, most * PRECISION)) {
    const middle = least === 0 ? Math.floor(most / 2) : Math.floor(Math.sqrt(least * most));
    if (await probe(middle)) least = middle + 1;
    else most = middle;
    onBetter(Math.round((least + most) / 2));
  }
  onBetter(Math.round((least + most) / 2));
}
