import { ServiceError } from '../errors.ts';

/**
 * Asks about many at once. Where Attio refuses the whole question, finds out for which of them, by halves.
 * @param ask answers per key
 * @param refused what to answer for the one that Attio refuses to be asked about
 * @throws what `ask` throws otherwise
 */
export async function askDivided<R>(
  keys: readonly string[],
  ask: (keys: readonly string[]) => Promise<ReadonlyMap<string, R>>,
  refused: (error: ServiceError) => R,
): Promise<ReadonlyMap<string, R>> {
  try {
    return await ask(keys);
  } catch (error) {
    if (!(error instanceof ServiceError) || error.kind !== 'refused') throw error;
    if (keys.length === 1) return new Map(keys.map((key) => [key, refused(error)]));
    const middle = Math.ceil(keys.length / 2);
    const head = await askDivided(keys.slice(0, middle), ask, refused);
    const tail = await askDivided(keys.slice(middle), ask, refused);
    return new Map([...head, ...tail]);
  }
}
