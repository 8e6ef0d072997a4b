import { createHash } from 'node:crypto';

/** PostgreSQL cuts longer names off, and then two may be one. SQLite gets the same names. */
const MAX_BYTES = 63;

const HASH_LENGTH = 8;

/** A name for a view or a column: what no engine takes in a name is replaced, what is too long ends in a hash. */
export function nameOf(slug: string): string {
  const name = storable(slug);
  if (name === '') return withHash('', slug);
  return Buffer.byteLength(name) <= MAX_BYTES ? name : withHash(name, slug);
}

/**
 * A column's name for each slug. No two are equal, whatever the case of their letters: SQLite does not tell it apart.
 * @param taken names that are not to be given
 */
export function columnNames(slugs: readonly string[], taken: readonly string[]): string[] {
  const given = new Set(taken.map(folded));
  return slugs.map((slug) => {
    let name = nameOf(slug);
    for (let salt = slug; given.has(folded(name)); salt += '+') name = withHash(storable(slug), salt);
    given.add(folded(name));
    return name;
  });
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** For SQL in which a backslash stands for itself, as in standard SQL. */
export function quoteText(text: string): string {
  return `'${storable(text).replaceAll("'", "''")}'`;
}

export function shortHash(text: string, length: number = HASH_LENGTH): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}

function withHash(name: string, hashed: string): string {
  let kept = '';
  for (const character of name) {
    if (Buffer.byteLength(kept + character) > MAX_BYTES - HASH_LENGTH - 1) break;
    kept += character;
  }
  return `${kept}_${shortHash(hashed)}`;
}

function folded(name: string): string {
  return name.toLowerCase();
}

/** No statement can bear a NUL, and no text of PostgreSQL half of a surrogate pair. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\u{FFFD}');
}
