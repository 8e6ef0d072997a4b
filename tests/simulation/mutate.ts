import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { MUTANTS, type Mutant } from './mutants.ts';

const ROOT = new URL('../../', import.meta.url);

/** @throws when there is no such bug */
export function findMutant(name: string): Mutant {
  const found = MUTANTS.find((mutant) => mutant.name === name);
  if (found === undefined) {
    throw new Error(`--mutant knows ${MUTANTS.map((mutant) => mutant.name).join(', ')}, not "${name}"`);
  }
  return found;
}

/** The file with the bug in it. @throws when the text to be changed is not there exactly once */
export function mutated({ name, file, find, put }: Mutant): string {
  const source = readFileSync(new URL(file, ROOT), 'utf8');
  const times = source.split(find).length - 1;
  if (times !== 1) throw new Error(`${name}: ${file} holds what it changes ${times} times, not once`);
  return source.replace(find, () => put);
}

/** From now on the file is loaded with the bug in it. To be called before it is imported. */
export function plant(mutant: Mutant): void {
  const { href } = new URL(mutant.file, ROOT);
  const source = mutated(mutant);
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      return url === href ? { ...loaded, source } : loaded;
    },
  });
}
