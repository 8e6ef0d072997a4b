/**
 * The two engines of the tests. `vitest.config.ts` runs what uses the service's database once per engine, and says
 * by TEST_ENGINE which one a file is on; here each test gets a database of its own, which goes with it.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';

export type Engine = 'sqlite' | 'postgres';
export const ENGINE: Engine = process.env['TEST_ENGINE'] === 'postgres' ? 'postgres' : 'sqlite';

/** A server that tests may make databases on and drop them from. */
export const POSTGRES_URL = process.env['TEST_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

type Row = Record<string, unknown>;

export interface TestDatabase {
  /** For DATABASE_URL. */
  readonly url: string;
  /** Asks, or changes, by a connection of its own, in words that both engines know. */
  rows(sql: string): Promise<Row[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** @param server of PostgreSQL */
export function freshDatabase(engine: Engine = ENGINE, server: string = POSTGRES_URL): Promise<TestDatabase> {
  return engine === 'postgres' ? freshPostgres(server) : freshSqlite();
}

async function freshSqlite(): Promise<TestDatabase> {
  const directory = await mkdtemp(join(tmpdir(), 'attio-bridge-'));
  const path = join(directory, 'test.db');
  return {
    url: `sqlite:${path}`,
    async rows(sql) {
      const database = new DatabaseSync(path);
      try {
        return database.prepare(sql).all();
      } finally {
        database.close();
      }
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** By server, databases that earlier tests of this process have left: to make and drop one has the server flush all that it holds. */
const emptied = new Map<string, string[]>();

async function freshPostgres(server: string): Promise<TestDatabase> {
  const left = emptied.get(server) ?? [];
  emptied.set(server, left);
  const name = left.pop() ?? (await makePostgres(server));
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    rows: (sql) => askPostgres(url.href, sql),
    async [Symbol.asyncDispose]() {
      await askPostgres(server, `alter database ${name} reset all`);
      await askPostgres(url.href, EMPTY);
      left.push(name);
    },
  };
}

const EMPTY = `
  select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid();
  drop schema public cascade;
  create schema public;
`;

async function makePostgres(server: string): Promise<string> {
  const name = `${PREFIX}${Date.now().toString(36)}_${RUN}_${randomBytes(4).toString('hex')}`;
  await askPostgres(server, `create database ${name} template template0 encoding 'UTF8'`);
  return name;
}

export async function askPostgres(url: string, sql: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

const PREFIX = 'attio_bridge_test_';

/** All processes of one run of the tests have the same. */
process.env['TEST_RUN'] ??= randomBytes(4).toString('hex');
const RUN = process.env['TEST_RUN'];

const DAY_MS = 24 * 60 * 60 * 1000;

/** Drops the databases of this run. Called by the runner, when all is over. */
export async function teardown(): Promise<void> {
  if ((await whyNoPostgres()) !== null) return;
  for (const name of await databasesLike(`${PREFIX}%_${RUN}_%`)) await drop(name);
}

async function databasesLike(pattern: string): Promise<string[]> {
  const like = pattern.replaceAll('_', '\\_');
  const rows = await askPostgres(
    POSTGRES_URL,
    'select datname as name from pg_database where datname like $1',
    [like],
  );
  return rows.map(({ name }) => String(name));
}

async function drop(name: string): Promise<void> {
  await askPostgres(POSTGRES_URL, `drop database if exists ${name} with (force)`);
}

/** Also drops what runs that were killed have left on the server. @returns why tests cannot use it; null when they can */
export async function whyNoPostgres(): Promise<string | null> {
  try {
    for (const name of await databasesLike(`${PREFIX}%`)) {
      const madeAt = Number.parseInt(name.slice(PREFIX.length), 36);
      if (madeAt < Date.now() - DAY_MS) await drop(name);
    }
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
