import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type pg from 'pg';
import { StorageUnavailableError } from '../domain/storage.ts';
import { postgresDriver } from './postgres-driver.ts';

export interface PoolSettings {
  /** Connections of this process at once. */
  readonly maxConnections: number;
  /** How long to wait for a connection: a new one, or one that others use. */
  readonly connectTimeoutMs: number;
  /** A connection that nothing has used for this long is closed. */
  readonly idleTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
  /** The server ends a transaction that asks nothing for this long: its process is frozen or gone. */
  readonly idleInTransactionTimeoutMs: number;
  /** Silence after which TCP asks whether the other side is still there. */
  readonly keepAliveDelayMs: number;
}

/** For tools and tests; the service has its own in `config/*.json`. */
export const DEFAULT_POOL: PoolSettings = {
  maxConnections: 4,
  connectTimeoutMs: 5_000,
  idleTimeoutMs: 30_000,
  statementTimeoutMs: 10_000,
  lockTimeoutMs: 5_000,
  idleInTransactionTimeoutMs: 30_000,
  keepAliveDelayMs: 10_000,
};

/** How much longer than the server's own limit we wait for it to keep that limit. */
const GRACE_MS = 2_000;

/** Hands out connections whose errors say whether the database is away or the statement is wrong. */
export class GuardedPool implements PostgresPool {
  readonly options = {};
  readonly #pool: pg.Pool;
  readonly #guarded = new WeakMap<pg.PoolClient, PostgresPoolClient>();

  constructor(url: string, settings: PoolSettings) {
    const config: pg.PoolConfig = {
      connectionString: url,
      fallback_application_name: 'attio-bridge',
      max: settings.maxConnections,
      connectionTimeoutMillis: settings.connectTimeoutMs,
      idleTimeoutMillis: settings.idleTimeoutMs,
      statement_timeout: settings.statementTimeoutMs,
      lock_timeout: settings.lockTimeoutMs,
      idle_in_transaction_session_timeout: settings.idleInTransactionTimeoutMs,
      query_timeout: settings.statementTimeoutMs + GRACE_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: settings.keepAliveDelayMs,
      types: { getTypeParser },
    };
    // Never connected: it reads the URL and its certificates now, and not at the first request.
    const { Client, Pool } = postgresDriver();
    new Client(config);
    this.#pool = new Pool(config);
    // A connection that dies is told by what next uses it. Without listeners it would end the process.
    this.#pool.on('error', () => {});
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  async connect(): Promise<PostgresPoolClient> {
    const client = await this.#connect();
    const guarded = this.#guarded.get(client) ?? guard(client);
    this.#guarded.set(client, guarded);
    return guarded;
  }

  /** Whatever the reason: who gets no connection has no database. */
  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw unavailable(error);
    }
  }

  end(): Promise<void> {
    return this.#pool.end();
  }
}

function guard(client: pg.PoolClient): PostgresPoolClient {
  // By what. Nothing more is asked then, not even for a rollback, which would wait as long for its answer.
  let lostBy: unknown = null;
  return {
    // The type is Kysely's, which has a second form for cursors; we give it none.
    async query<R>(statement: unknown, parameters: readonly unknown[] = []) {
      if (lostBy !== null) throw unavailable(lostBy);
      try {
        const result = await client.query(statement as string, parameters.map(storable));
        return result as unknown as PostgresQueryResult<R>; // the same members, with the command as any text
      } catch (error) {
        if (isFaultOfOurs(error)) throw error;
        if (isLoss(error)) lostBy = error;
        throw unavailable(error);
      }
    },
    release: (destroy) => client.release(destroy === true || lostBy !== null),
  } as PostgresPoolClient; // see `query`
}

/** Texts of PostgreSQL have no NUL. JSON has it escaped; names and messages that bear one can do without. */
function storable(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\u{FFFD}') : value;
}

/** By class (two characters) or whole code: what tells of the server, its disk and its load, not of the statement. */
const UNAVAILABLE: ReadonlySet<string> = new Set([
  '08', // connection
  '53', // out of memory, disk or connections
  '57', // shut down, starting, or cancelled by a time limit
  '58', // its operating system
  '25006', // read-only: a standby
  '25P03', // idle in a transaction for too long
  '25P04', // a transaction that took too long
  '40001', // serialization
  '40P01', // deadlock
  '55P03', // a lock that took too long
]);

/** Of what the server says, its code decides; whatever else goes wrong with a sound statement is the connection. */
function isFaultOfOurs(error: unknown): boolean {
  if (!(error instanceof postgresDriver().DatabaseError)) return error instanceof TypeError;
  const { code = '' } = error;
  return !UNAVAILABLE.has(code) && !UNAVAILABLE.has(code.slice(0, 2));
}

/** Whether the connection is of no use any more. Servers that speak another language say so of more: it costs a connection. */
function isLoss(error: unknown): boolean {
  return !(error instanceof postgresDriver().DatabaseError) || error.severity !== 'ERROR';
}

function unavailable(cause: unknown): StorageUnavailableError {
  return new StorageUnavailableError('the database cannot serve just now', { cause });
}

/** Counts, sums and ids are of 64 bits or more; none of ours comes near 2^53. */
const INT8_OID = 20;
const NUMERIC_OID = 1700;

function getTypeParser(oid: number, format?: 'text' | 'binary') {
  const isNumeric = oid === INT8_OID || oid === NUMERIC_OID;
  return isNumeric && format !== 'binary' ? Number : postgresDriver().types.getTypeParser(oid, format);
}
