import {
  CompiledQuery,
  PostgresAdapter,
  PostgresDialect,
  PostgresDriver,
  type QueryCompiler,
  type QueryExecutorProvider,
  sql,
  type TransactionSettings,
} from 'kysely';
import { SameMeaningCompiler } from './postgres-compiler.ts';
import { GuardedPool, type PoolSettings } from './postgres-pool.ts';
import { SharedFlush } from './shared-flush.ts';

/** Locks that only one transaction of a schema has, until its end. The numbers are ours, chosen at random. */
const LOCKS = { all: 7208, inbox: 7209 } as const;

/**
 * Begins, and takes the write lock, as `begin immediate` does on SQLite: transactions come one after the other, and what
 * they number is numbered in the order of their commits. Those of the inbox alone have a lock of their own: no delivery
 * waits for what is stored meanwhile.
 */
const beginWith = (lock: number) =>
  `begin; set local synchronous_commit = off; select pg_advisory_xact_lock(${lock}, hashtext(current_schema()))`;
const BEGIN_AS_WRITER = beginWith(LOCKS.all);
const BEGIN_IN_INBOX = beginWith(LOCKS.inbox);

/** Makes a transaction one of the inbox alone. Kysely hands nothing but such settings on to a driver; it is also PostgreSQL's default. */
export const INBOX_ONLY = 'read write';

/** Of a writer that changes what is pending in the inbox as well: takes that lock, too, before it locks any row. */
export async function lockInbox(tx: QueryExecutorProvider): Promise<void> {
  if (!isPostgres(tx)) return;
  await sql`select pg_advisory_xact_lock(${sql.lit(LOCKS.inbox)}, hashtext(current_schema()))`.execute(tx);
}

/**
 * Writes to the server's log, by a commit that waits until the log is on the disk up to there, and so are all commits
 * before it. Whoever waits for the disk inside of a transaction holds the write lock for as long.
 */
const FLUSH = "select pg_logical_emit_message(true, 'attio-bridge', '')";

/** Kysely over `pg`, for a store that was written for one writer. */
export class PgDialect extends PostgresDialect {
  readonly #pool: GuardedPool;

  /** Connects to nothing yet. @throws when the URL cannot be used, or a certificate that it names cannot be read */
  constructor(url: string, settings: PoolSettings) {
    const pool = new GuardedPool(url, settings);
    super({ pool });
    this.#pool = pool;
  }

  override createDriver(): PostgresDriver {
    return new OneWriterDriver({ pool: this.#pool });
  }

  override createAdapter(): PostgresAdapter {
    return new FlushingAdapter(this.#pool);
  }

  override createQueryCompiler(): QueryCompiler {
    return new SameMeaningCompiler();
  }
}

export function isPostgres(db: QueryExecutorProvider): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/**
 * @returns the schema that the tables are in
 * @throws when the database is not one in which what was answered 202 is kept, and kept as it was
 */
export async function checkPostgres(db: QueryExecutorProvider): Promise<string> {
  const { rows } = await sql<{ schema: string | null; encoding: string; commits: string }>`
    select current_schema() as schema, current_setting('server_encoding') as encoding,
      current_setting('synchronous_commit') as commits`.execute(db);
  const { schema = null, encoding, commits } = rows[0] ?? {};
  if (schema === null) throw new Error('it has no schema to create tables in; mend its search_path');
  if (encoding !== 'UTF8') throw new Error(`its encoding is ${encoding}; create it with encoding UTF8`);
  if (commits === 'off') throw new Error('synchronous_commit is off; switch it on for this database or role');
  return schema;
}

/** Its transactions are on the disk when it says so; single statements at once. */
class FlushingAdapter extends PostgresAdapter {
  readonly #flush: SharedFlush;

  constructor(pool: GuardedPool) {
    super();
    this.#flush = new SharedFlush(async () => {
      const connection = await pool.connect();
      try {
        await connection.query(FLUSH, []);
      } finally {
        connection.release();
      }
    });
  }

  flushed(): Promise<void> {
    return this.#flush.wait();
  }

  async scrubbed(): Promise<void> {}

  holdBy(): void {}
}

/** What the driver hands out itself, and wants back. */
type Connection = Parameters<PostgresDriver['rollbackTransaction']>[0];

class OneWriterDriver extends PostgresDriver {
  override async beginTransaction(connection: Connection, settings: TransactionSettings): Promise<void> {
    const { accessMode } = settings;
    if (accessMode === 'read only') return super.beginTransaction(connection, settings);
    try {
      const begin = accessMode === INBOX_ONLY ? BEGIN_IN_INBOX : BEGIN_AS_WRITER;
      await connection.executeQuery(CompiledQuery.raw(begin));
    } catch (error) {
      // It may have begun and not got the lock. One that cannot be rolled back is discarded by the driver.
      await this.rollbackTransaction(connection).catch(() => {});
      throw error;
    }
  }
}
