import { CompiledQuery, type Expression, type Insertable, sql } from 'kysely';
import type { Handle } from './database.ts';
import { isPostgres } from './postgres.ts';
import type { Schema } from './schema.ts';

/** Rows per statement: few different ones, so that each is written and prepared once, whatever the number of rows. */
const SIZES = [256, 64, 16, 4, 1] as const;

/**
 * Inserts many rows. The query builder would put together anew, row by row, what differs by the number of rows alone, and
 * take as long for that as SQLite for storing them.
 */
export class BulkInsert<T extends keyof Schema> {
  readonly #table: T;
  readonly #columns: readonly (keyof Insertable<Schema[T]> & string)[];
  readonly #onConflict: string;
  readonly #statements = new Map<string, string>();

  /** @param onConflict what follows the rows */
  constructor(table: T, columns: readonly (keyof Insertable<Schema[T]> & string)[], onConflict: string = '') {
    this.#table = table;
    this.#columns = columns;
    this.#onConflict = onConflict;
  }

  /** @param rows with all of the columns; what one lacks is null */
  async run(db: Handle, rows: readonly Insertable<Schema[T]>[]): Promise<void> {
    const isNumbered = isPostgres(db);
    let start = 0;
    for (const size of SIZES) {
      for (; start + size <= rows.length; start += size) {
        const parameters: unknown[] = [];
        for (const row of rows.slice(start, start + size)) {
          for (const column of this.#columns) parameters.push(row[column] ?? null);
        }
        await db.executeQuery(CompiledQuery.raw(this.#statement(size, isNumbered), parameters));
      }
    }
  }

  #statement(rows: number, isNumbered: boolean): string {
    const key = `${rows} ${isNumbered}`;
    const known = this.#statements.get(key);
    if (known !== undefined) return known;
    const columns = this.#columns.map((column) => `"${column}"`).join(', ');
    const values = Array.from({ length: rows }, (_, row) => {
      const places = this.#columns.map((_column, index) =>
        isNumbered ? `$${row * this.#columns.length + index + 1}` : '?',
      );
      return `(${places.join(', ')})`;
    });
    const text = `insert into "${this.#table}" (${columns}) values ${values.join(', ')} ${this.#onConflict}`;
    this.#statements.set(key, text);
    return text;
  }
}

/** For `on conflict … do update`. */
export function setToExcluded(columns: readonly string[]): string {
  return columns.map((column) => `"${column}" = excluded."${column}"`).join(', ');
}

/** What a column is to be `in`. On SQLite one parameter and one statement, however many there are. */
export function among(db: Handle, keys: readonly string[]): Expression<string> | readonly string[] {
  return isPostgres(db) ? keys : sql<string>`(select value from json_each(${JSON.stringify(keys)}))`;
}

/** Rows in the order of an index: its pages are found in memory more often. Those of one key stay in their order. */
export function inOrderOf<R>(rows: readonly R[], keyOf: (row: R) => string): R[] {
  return rows.toSorted((one, other) => {
    const [a, b] = [keyOf(one), keyOf(other)];
    if (a === b) return 0;
    return a < b ? -1 : 1;
  });
}
