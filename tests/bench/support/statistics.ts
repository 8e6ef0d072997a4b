/** Of an even number of samples, the mean of the middle two. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = low] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** The least sample that at least this share of all is not above. @param share 0–1 */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export interface Measured {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function measured(samples: readonly number[]): Measured {
  return { median: median(samples), least: Math.min(...samples), most: Math.max(...samples) };
}

/** Three significant digits, and the spread when there are several samples: `1,230/s (1,180–1,300)`. */
export function shown({ median: middle, least, most }: Measured, unit = ''): string {
  const spread = least === most ? '' : ` (${digits(least)}–${digits(most)})`;
  return `${digits(middle)}${unit}${spread}`;
}

export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const places = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en', { maximumFractionDigits: Math.min(places, 4) });
}

/** Runs the contenders one after the other, round by round, so that a stall of the machine meets all of them. */
export async function alternate<K extends string, T>(
  rounds: number,
  contenders: Readonly<Record<K, (round: number) => Promise<T>>>,
): Promise<Record<K, T[]>> {
  const names = Object.keys(contenders) as K[]; // the keys of a literal
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<K, T[]>; // by construction
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) samples[name].push(await contenders[name](round));
  }
  return samples;
}
