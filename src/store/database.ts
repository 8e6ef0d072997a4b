import { Kysely, sql, type Transaction } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { StorageUnavailableError } from '../domain/storage.ts';
import { noRoom } from './disk-space.ts';
import { initial } from './migrations/001-initial.ts';
import { outbox } from './migrations/002-outbox.ts';
import { idempotency } from './migrations/003-idempotency.ts';
import { items } from './migrations/004-items.ts';
import { automations } from './migrations/005-automations.ts';
import { webhookTrust } from './migrations/006-webhook-trust.ts';
import { deployment } from './migrations/007-deployment.ts';
import { deals } from './migrations/008-deals.ts';
import { definitions } from './migrations/009-definitions.ts';
import { erasure } from './migrations/010-erasure.ts';
import { changeWebhooks } from './migrations/011-change-webhooks.ts';
import { conflicts } from './migrations/012-conflicts.ts';
import { echoes } from './migrations/013-echoes.ts';
import { archive } from './migrations/014-archive.ts';
import { instances } from './migrations/015-instances.ts';
import { subjects } from './migrations/016-subjects.ts';
import { left } from './migrations/017-left.ts';
import { NodeSqliteDialect } from './node-sqlite.ts';
import { checkPostgres, INBOX_ONLY, isPostgres, PgDialect } from './postgres.ts';
import { DEFAULT_POOL, type PoolSettings } from './postgres-pool.ts';
import type { Schema } from './schema.ts';
import { WriteQueue } from './write-queue.ts';

export type Database = Kysely<Schema>;
/** A database or a transaction on it: the stores work on either. */
export type Handle = Kysely<Schema> | Transaction<Schema>;

/** Rows per statement: well under SQLite's 32,766 bound parameters for the widest table. */
export const ROWS_PER_STATEMENT = 500;

const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '001-initial': initial,
  '002-outbox': outbox,
  '003-idempotency': idempotency,
  '004-items': items,
  '005-automations': automations,
  '006-webhook-trust': webhookTrust,
  '007-deployment': deployment,
  '008-deals': deals,
  '009-definitions': definitions,
  '010-erasure': erasure,
  '011-change-webhooks': changeWebhooks,
  '012-conflicts': conflicts,
  '013-echoes': echoes,
  '014-archive': archive,
  '015-instances': instances,
  '016-subjects': subjects,
  '017-left': left,
};

/** In their order. */
export const MIGRATION_NAMES: readonly string[] = Object.keys(MIGRATIONS);

/** @returns undefined: it is a server's */
export function sqlitePath(url: string): string | undefined {
  return /^sqlite:(.*)$/s.exec(url)?.[1];
}

/**
 * Opens the database; does not migrate, and does not yet connect to a server.
 * @param url `sqlite:<path>`, `sqlite::memory:` or `postgres://…`
 * @param pool for PostgreSQL
 * @throws when the file cannot be opened, or the URL cannot be used
 */
export function openDatabase(url: string, pool: PoolSettings = DEFAULT_POOL): Database {
  const path = sqlitePath(url);
  try {
    const dialect = path === undefined ? new PgDialect(url, pool) : new NodeSqliteDialect(path);
    return new Kysely<Schema>({ dialect });
  } catch (cause) {
    if (path === undefined) throw unusable('database', cause);
    // Where there is no room for its log either, SQLite says "disk I/O error".
    throw unusable('file', noRoom(path) ?? cause);
  }
}

/** What a transaction writes: `inbox` is the inbox, keys of deliveries and dead letters alone. */
export type Part = 'all' | 'inbox';

const queues = new WeakMap<Database, Record<Part, WriteQueue>>();

/**
 * All or nothing, and on the disk when it resolves. Transactions come one after the other, on both engines: what one
 * reads is still so when it writes. They do not wait for each other's flush, and share it. Nothing but statements of
 * its own may be awaited inside.
 * @param options.isUrgent before those that wait
 * @param options.part PostgreSQL does one of the inbox beside one of all: what each writes is the other's no concern
 */
export async function transaction<T>(
  db: Database,
  work: (tx: Transaction<Schema>) => Promise<T>,
  { isUrgent = false, part = 'all' as Part } = {},
): Promise<T> {
  const ofInbox = part === 'inbox' && isPostgres(db);
  const queue = queuesOf(db);
  const result = ofInbox
    ? await queue.inbox.run(() => db.transaction().setAccessMode(INBOX_ONLY).execute(work), isUrgent)
    : await queue.all.run(() => db.transaction().execute(work), isUrgent);
  await onDisk(db);
  return result;
}

function queuesOf(db: Database): Record<Part, WriteQueue> {
  const known = queues.get(db);
  if (known !== undefined) return known;
  const queue = { all: new WriteQueue(), inbox: new WriteQueue() };
  queues.set(db, queue);
  // Short, and what waits behind it waits for the disk anyway.
  diskOf(db).holdBy((work) => queue.all.run(work, true));
  return queue;
}

/**
 * Resolves when what others have committed, and was just read, is on the disk: for what must not be told and then be
 * gone after a crash.
 */
export async function onDisk(db: Handle): Promise<void> {
  // What a transaction has read is on the disk when the transaction is.
  if (!db.isTransaction) await diskOf(db).flushed();
}

/** What Kysely's adapters of both engines are here. */
interface Disk {
  /** Resolves when what was committed before is on the disk. */
  flushed(): Promise<void>;
  /** Resolves when what was overwritten before is nowhere in the files any more. */
  scrubbed(): Promise<void>;
  /** Says how transactions are held back while the disk catches up. */
  holdBy(alone: (work: () => Promise<void>) => Promise<void>): void;
}

function diskOf(db: Handle): Disk {
  return db.getExecutor().adapter as unknown as Disk; // our dialects have no others
}

/**
 * Brings the schema up to date; does nothing when it is. Several may start at once: they wait for each other.
 * @returns the names of the migrations that were done
 * @throws an error with a code when the database is away or not fit; what a migration threw, and it is rolled back
 */
export async function migrate(db: Database): Promise<string[]> {
  const place = await placeOf(db);
  for (let newer = await newerMigrations(db); ; ) {
    const provider = { getMigrations: async () => ({ ...MIGRATIONS, ...newer }) };
    const { error, results = [] } = await new Migrator({ db, provider, ...place }).migrateToLatest();
    if (error === undefined) return results.map((result) => result.migrationName);
    if (error instanceof StorageUnavailableError) throw unusable('database', error.cause);
    // A newer version may have migrated between our look and our turn.
    const known = Object.keys(newer).length;
    newer = await newerMigrations(db);
    if (Object.keys(newer).length === known) throw error;
  }
}

/**
 * Those that a newer version has done here: migrations only add, so an older one runs on beside it, and starts again, as
 * a rolling restart and the way back from one have it.
 */
async function newerMigrations(db: Database): Promise<Record<string, Migration>> {
  const { rows: tables } = isPostgres(db)
    ? await sql`select 1 from to_regclass('kysely_migration') as found where found is not null`.execute(db)
    : await sql`select 1 from sqlite_master where name = 'kysely_migration'`.execute(db);
  if (tables.length === 0) return {};
  const { rows } = await sql<{ name: string }>`
    select name from kysely_migration where name > ${MIGRATION_NAMES.at(-1) ?? ''}`.execute(db);
  return Object.fromEntries(rows.map(({ name }) => [name, { up: async () => {} }]));
}

/** Kysely looks for its own tables in all schemas, of whatever application, unless it is told which one is ours. */
async function placeOf(db: Database): Promise<{ migrationTableSchema?: string }> {
  if (!isPostgres(db)) return {};
  try {
    return { migrationTableSchema: await checkPostgres(db) };
  } catch (error) {
    throw unusable('database', error instanceof StorageUnavailableError ? error.cause : error);
  }
}

function unusable(what: 'file' | 'database', cause: unknown): Error {
  const error = new Error(`DATABASE_URL names a ${what} that cannot be used: ${reasonOf(cause)}.`, { cause });
  return Object.assign(error, { code: 'DATABASE_URL' });
}

/** A name with several addresses fails with one error per address, and no message of its own. */
function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError) return [...new Set(cause.errors.map(reasonOf))].join(', ');
  return cause instanceof Error ? cause.message : 'unknown';
}

/** Writes a row as it is: a disk that is full or read-only shows only then. @throws when the database cannot store */
export async function probeDatabase(db: Database): Promise<void> {
  const file = isPostgres(db) ? '' : await fileOf(db);
  const full = file === '' ? null : noRoom(file);
  if (full !== null) throw new StorageUnavailableError('the disk is full', { cause: full });
  await db
    .updateTable('change_feed')
    .set((eb) => ({ pruned_through: eb.ref('pruned_through') }))
    .execute();
}

/** Of SQLite; empty: in memory. */
async function fileOf(db: Database): Promise<string> {
  const { rows } = await sql<{
    file: string;
  }>`select file from pragma_database_list where name = 'main'`.execute(db);
  return rows[0]?.file ?? '';
}

/** What was erased is not to be found in the file either: on SQLite, what is overwritten leaves the log, too. */
export function scrubFile(db: Database): Promise<void> {
  return diskOf(db).scrubbed();
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
