import { CompiledQuery, type Expression, type Insertable, sql } from 'kysely';
import type { Handle } from './database.ts';
import { isPostgres } from './postgres.ts';
import type { Schema } from './schema.ts';

/**
 * Rows per statement on PostgreSQL: few different ones, so that each is written once, whatever the number of rows. What
 * comes in a moment, of deliveries above all, is one statement, because each is waited for.
 */
const SIZES = [256, 64, 16, 8, 7, 6, 5, 4, 3, 2, 1] as const;

/**
 * Inserts many rows. The query builder would put together anew, row by row, what differs by the number of rows alone, and
 * take as long for that as SQLite for storing them.
 *
 * SQLite takes a statement of many rows no sooner than one of one row many times, and copies what is in it once more: inside
 * of a transaction it is given the latter, all rows in one go. Outside of one each row would be a commit of its own.
 */
export class BulkInsert<T extends keyof Schema> {
  readonly #table: T;
  readonly #columns: readonly (keyof Insertable<Schema[T]> & string)[];
  readonly #tail: (value: string) => string;
  readonly #statements = new Map<string, string>();

  /** @param tail what follows the rows; it may have one value of its own, for which it is given a place */
  constructor(
    table: T,
    columns: readonly (keyof Insertable<Schema[T]> & string)[],
    tail: (value: string) => string = () => '',
  ) {
    this.#table = table;
    this.#columns = columns;
    this.#tail = tail;
  }

  /**
   * @param rows with all of the columns; what one lacks is null
   * @param value for the tail that has one
   * @returns what the tail has asked for by `returning`
   */
  async run<R = never>(db: Handle, rows: readonly Insertable<Schema[T]>[], value?: string): Promise<R[]> {
    const isNumbered = isPostgres(db);
    const valuesOf = (row: Insertable<Schema[T]>) => this.#columns.map((column) => row[column] ?? null);
    if (!isNumbered && db.isTransaction) {
      const each = rows.map((row) => (value === undefined ? valuesOf(row) : [...valuesOf(row), value]));
      return runEach<R>(db, this.#statement(1, false), each);
    }
    const returned: R[] = [];
    for (let start = 0, size = 0; start < rows.length; start += size) {
      const left = rows.length - start;
      size = SIZES.find((one) => one <= left) ?? 1;
      const parameters: unknown[] = rows.slice(start, start + size).flatMap(valuesOf);
      if (value !== undefined) parameters.push(value);
      const query = CompiledQuery.raw(this.#statement(size, isNumbered), parameters);
      returned.push(...(await db.executeQuery<R>(query)).rows);
    }
    return returned;
  }

  #statement(rows: number, isNumbered: boolean): string {
    const key = `${rows} ${isNumbered}`;
    const known = this.#statements.get(key);
    if (known !== undefined) return known;
    const columns = this.#columns.map((column) => `"${column}"`).join(', ');
    const place = (index: number) => (isNumbered ? `$${index + 1}` : '?');
    const width = this.#columns.length;
    const values = Array.from({ length: rows }, (_, row) => {
      return `(${this.#columns.map((_column, index) => place(row * width + index)).join(', ')})`;
    });
    const tail = this.#tail(place(rows * width));
    const text = `insert into "${this.#table}" (${columns}) values ${values.join(', ')} ${tail}`;
    this.#statements.set(key, text);
    return text;
  }
}

async function runEach<R>(
  db: Handle,
  statement: string,
  each: readonly (readonly unknown[])[],
): Promise<R[]> {
  if (each.length === 0) return [];
  return (await db.executeQuery<R>(CompiledQuery.raw(statement, [...each]))).rows;
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
