import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
} from 'kysely';
import { LRUCache } from 'lru-cache';
import { StorageUnavailableError } from '../domain/storage.ts';

/** Statements kept prepared; bulk statements differ by their row count, so the set is bounded, not closed. */
const PREPARED_STATEMENTS = 256;

/** How long another process (a backup, a query by hand) may hold the file before we are "busy"; nothing else runs meanwhile. */
const BUSY_TIMEOUT_MS = 20;

/** Kysely over Node's own SQLite. */
export class NodeSqliteDialect extends SqliteDialect {
  readonly #database: NodeSqliteDatabase;

  constructor(path: string) {
    const database = openDatabase(path);
    super({ database });
    this.#database = database;
  }

  override createDriver(): SqliteDriver {
    return new ImmediateDriver(this.#database);
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalDdlAdapter();
  }
}

class ImmediateDriver extends SqliteDriver {
  readonly #database: NodeSqliteDatabase;

  constructor(database: NodeSqliteDatabase) {
    super({ database });
    this.#database = database;
  }

  /** Takes the write lock at the start: what reads first and writes later can then not fail half-way as busy. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  /** A full disk makes SQLite roll back by itself: to do it again would fail, and hide why. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction()) await super.rollbackTransaction(connection);
  }
}

/** SQLite rolls schema changes back like any other, so a migration that is killed leaves nothing behind. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

interface NodeSqliteDatabase extends SqliteDatabase {
  isTransaction(): boolean;
}

function openDatabase(path: string): NodeSqliteDatabase {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  // Full sync: an answer "accepted" must survive a power cut, not only a crash of the process.
  database.exec(
    'pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma secure_delete = on;',
  );
  const prepared = new LRUCache<string, SqliteStatement>({ max: PREPARED_STATEMENTS });
  return {
    close: () => database.close(),
    isTransaction: () => database.isTransaction,
    prepare(sql) {
      const known = prepared.get(sql);
      if (known !== undefined) return known;
      const statement = adapt(orUnavailable(() => database.prepare(sql)));
      prepared.set(sql, statement);
      return statement;
    },
  };
}

function adapt(statement: StatementSync): SqliteStatement {
  // Kysely types parameters as unknown; ours are what the store writes: text, numbers, null and bytes.
  const bind = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[];
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => orUnavailable(() => statement.all(...bind(parameters))),
    run: (parameters) => orUnavailable(() => statement.run(...bind(parameters))),
    iterate: (parameters) => statement.iterate(...bind(parameters)),
  };
}

/** SQLite's primary result codes that tell of the file and its disk, not of the statement. */
const UNAVAILABLE: ReadonlySet<number> = new Set([
  5, // busy
  6, // locked
  8, // read-only
  10, // I/O error
  13, // disk full
  14, // cannot open
]);

/** @throws StorageUnavailableError in place of those errors */
function orUnavailable<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
    if (!UNAVAILABLE.has(code)) throw error;
    throw new StorageUnavailableError('the database cannot serve just now', { cause: error });
  }
}
