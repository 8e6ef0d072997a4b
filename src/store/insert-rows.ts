import { CompiledQuery, type Insertable } from 'kysely';
import type { Handle } from './database.ts';
import { isPostgres } from './postgres.ts';
import type { Schema } from './schema.ts';

/** A power of two, see `sizeOf`; with the widest table well under what a statement may bind (SQLite: 32,766). */
const MOST_ROWS = 256;

/** Has a value bound. @returns what stands for it in the text */
export type Bind = (value: string | number | null) => string;

/**
 * Inserts rows that all have the members of the first. Kysely makes several objects of each value of a statement, which
 * is most of what a large insert costs, so the text is made here.
 * @param tail what follows the values, from `on conflict` on
 * @returns what it has asked for by `returning`
 */
export async function insertRows<T extends keyof Schema & string, R = never>(
  db: Handle,
  table: T,
  rows: readonly Insertable<Schema[T]>[],
  tail: (bind: Bind) => string = () => '',
): Promise<R[]> {
  const columns = Object.keys(rows[0] ?? {}) as (keyof Insertable<Schema[T]>)[]; // they are its keys
  const head = `insert into "${table}" (${columns.map((name) => `"${String(name)}"`).join(', ')}) values `;
  const returned: R[] = [];
  for (let start = 0; start < rows.length; ) {
    const part = rows.slice(start, start + sizeOf(rows.length - start));
    const values: unknown[] = part.flatMap((row) => columns.map((name) => row[name]));
    const places = isPostgres(db) ? numbered(part.length, columns.length) : same(part.length, columns.length);
    const end = tail((value) => {
      const place = values.push(value);
      return isPostgres(db) ? `$${place}` : '?';
    });
    const { rows: found } = await db.executeQuery<R>(CompiledQuery.raw(`${head}${places} ${end}`, values));
    returned.push(...found);
    start += part.length;
  }
  return returned;
}

/** SQLite keeps each text prepared: there are to be few. */
function sizeOf(count: number): number {
  return Math.min(MOST_ROWS, 2 ** Math.floor(Math.log2(count)));
}

function same(rows: number, columns: number): string {
  const row = `(${Array(columns).fill('?').join(', ')})`;
  return Array(rows).fill(row).join(', ');
}

function numbered(rows: number, columns: number): string {
  const row = (first: number) =>
    Array.from({ length: columns }, (_, index) => `$${first + index}`).join(', ');
  return Array.from({ length: rows }, (_, index) => `(${row(index * columns + 1)})`).join(', ');
}
