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
import { type Alone, SqliteLog } from './sqlite-log.ts';

/** Statements kept prepared; bulk statements differ by their row count, so the set is bounded, not closed. */
const PREPARED_STATEMENTS = 256;

/** SQLite's own 2 MiB hold the indexes of some thousand records; each insert beyond reads pages anew. */
const CACHE_KIB = 16_384;

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
    return new FlushingAdapter(this.#database);
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
    this.#database.commitsFlush(false);
    try {
      await connection.executeQuery(CompiledQuery.raw('begin immediate'));
    } catch (error) {
      this.#database.commitsFlush(true);
      throw error;
    }
  }

  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await super.commitTransaction(connection);
    this.#database.commitsFlush(true);
  }

  /** A full disk makes SQLite roll back by itself: to do it again would fail, and hide why. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction()) await super.rollbackTransaction(connection);
    this.#database.commitsFlush(true);
  }
}

/** Its transactions are on the disk when it says so; single statements at once. */
class FlushingAdapter extends SqliteAdapter {
  readonly #database: NodeSqliteDatabase;

  constructor(database: NodeSqliteDatabase) {
    super();
    this.#database = database;
  }

  /** SQLite rolls schema changes back like any other, so a migration that is killed leaves nothing behind. */
  override get supportsTransactionalDdl(): boolean {
    return true;
  }

  flushed(): Promise<void> {
    return this.#database.flushed();
  }

  /** What was overwritten leaves the log, too. */
  scrubbed(): Promise<void> {
    return this.#database.scrubbed();
  }

  holdBy(alone: Alone): void {
    this.#database.holdBy(alone);
  }
}

interface NodeSqliteDatabase extends SqliteDatabase {
  isTransaction(): boolean;
  /** Whether commits wait for the disk, one by one. To be said between transactions. */
  commitsFlush(isOn: boolean): void;
  flushed(): Promise<void>;
  scrubbed(): Promise<void>;
  holdBy(alone: Alone): void;
}

function openDatabase(path: string): NodeSqliteDatabase {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  // Full sync: an answer "accepted" must survive a power cut, not only a crash of the process.
  database.exec(
    `pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma secure_delete = on;
     pragma cache_size = -${CACHE_KIB};`,
  );
  const prepared = new LRUCache<string, SqliteStatement>({ max: PREPARED_STATEMENTS });
  const log = logOf(database);
  return {
    close() {
      database.close();
      void log?.close();
    },
    isTransaction: () => database.isTransaction,
    commitsFlush(isOn) {
      database.exec(`pragma synchronous = ${isOn || log?.isOpen !== true ? 'full' : 'normal'}`);
    },
    flushed: async () => log?.flushed(),
    async scrubbed() {
      await log?.empty();
    },
    holdBy: (alone) => log?.holdBy(alone),
    prepare(sql) {
      const known = prepared.get(sql);
      if (known !== undefined) return known;
      const statement = adapt(orUnavailable(() => database.prepare(sql)));
      prepared.set(sql, statement);
      return statement;
    },
  };
}

/** @returns null where there is none: in memory */
function logOf(database: DatabaseSync): SqliteLog | null {
  const mode = database.prepare('pragma journal_mode').get()?.['journal_mode'];
  const file = database.location();
  return mode === 'wal' && file !== null ? new SqliteLog(database, file) : null;
}

function adapt(statement: StatementSync): SqliteStatement {
  // Kysely types parameters as unknown; ours are what the store writes: text, numbers, null and bytes.
  const bind = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[];
  return {
    reader: statement.columns().length > 0,
    all(parameters) {
      if (!isEach(parameters)) return orUnavailable(() => statement.all(...bind(parameters)));
      return orUnavailable(() => parameters.flatMap((each) => statement.all(...each)));
    },
    run(parameters) {
      if (!isEach(parameters)) return orUnavailable(() => statement.run(...bind(parameters)));
      return orUnavailable(() => runEach(statement, parameters));
    },
    iterate: (parameters) => statement.iterate(...bind(parameters)),
  };
}

/** Those of many runs of one statement: see `BulkInsert`. A value is never a list. */
function isEach(parameters: readonly unknown[]): parameters is readonly (readonly SQLInputValue[])[] {
  return Array.isArray(parameters[0]);
}

function runEach(statement: StatementSync, parameters: readonly (readonly SQLInputValue[])[]) {
  let changes = 0;
  for (const each of parameters) changes += Number(statement.run(...each).changes);
  return { changes, lastInsertRowid: 0 };
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
