import { Kysely, type Transaction } from 'kysely';
import { type MigrationProvider, Migrator } from 'kysely/migration';
import { initial } from './migrations/001-initial.ts';
import { outbox } from './migrations/002-outbox.ts';
import { idempotency } from './migrations/003-idempotency.ts';
import { NodeSqliteDialect } from './node-sqlite.ts';
import type { Schema } from './schema.ts';

export type Database = Kysely<Schema>;
/** A database or a transaction on it: the stores work on either. */
export type Handle = Kysely<Schema> | Transaction<Schema>;

/** Rows per statement: well under SQLite's 32,766 bound parameters for the widest table. */
export const ROWS_PER_STATEMENT = 500;

const migrations: MigrationProvider = {
  getMigrations: async () => ({
    '001-initial': initial,
    '002-outbox': outbox,
    '003-idempotency': idempotency,
  }),
};

/**
 * Opens the database; does not migrate.
 * @param url `sqlite:<path>` or `sqlite::memory:`
 * @throws when the file cannot be opened
 */
export function openDatabase(url: string): Database {
  try {
    return new Kysely<Schema>({ dialect: new NodeSqliteDialect(url.slice('sqlite:'.length)) });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown';
    const error = new Error(`DATABASE_URL names a file that cannot be used: ${reason}.`, { cause });
    throw Object.assign(error, { code: 'DATABASE_URL' });
  }
}

/**
 * Brings the schema up to date; does nothing when it is.
 * @throws the migration's own error; what it did is rolled back
 */
export async function migrate(db: Database): Promise<void> {
  const { error } = await new Migrator({ db, provider: migrations }).migrateToLatest();
  if (error !== undefined) throw error;
}

/** Writes a row as it is: a disk that is full or read-only shows only then. @throws when the database cannot store */
export async function probeDatabase(db: Database): Promise<void> {
  await db
    .updateTable('change_feed')
    .set((eb) => ({ pruned_through: eb.ref('pruned_through') }))
    .execute();
}

/** Splits rows for bulk statements. */
export function chunks<T>(rows: readonly T[], size: number = ROWS_PER_STATEMENT): T[][] {
  const parts: T[][] = [];
  for (let start = 0; start < rows.length; start += size) parts.push(rows.slice(start, start + size));
  return parts;
}

/** Runs a select per chunk of keys and collects the rows by key. */
export async function loadBy<R, T>(
  keys: readonly string[],
  select: (keys: string[]) => Promise<R[]>,
  keyOf: (row: R) => string,
  read: (row: R) => T,
): Promise<Map<string, T>> {
  const found = new Map<string, T>();
  for (const part of chunks(keys)) {
    for (const row of await select(part)) found.set(keyOf(row), read(row));
  }
  return found;
}

export function parseJson<T>(text: string): T {
  return JSON.parse(text) as T; // what the store wrote itself
}
