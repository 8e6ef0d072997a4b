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

export function freshDatabase(engine: Engine = ENGINE): Promise<TestDatabase> {
  return engine === 'postgres' ? freshPostgres() : freshSqlite();
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

async function freshPostgres(): Promise<TestDatabase> {
  const name = `${PREFIX}${Date.now().toString(36)}_${randomBytes(4).toString('hex')}`;
  await askPostgres(POSTGRES_URL, `create database ${name} template template0 encoding 'UTF8'`);
  const url = new URL(POSTGRES_URL);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    rows: (sql) => askPostgres(url.href, sql),
    async [Symbol.asyncDispose]() {
      await askPostgres(POSTGRES_URL, `drop database if exists ${name} with (force)`);
    },
  };
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
const DAY_MS = 24 * 60 * 60 * 1000;

/** Also drops what runs that were killed have left on the server. @returns why tests cannot use it; null when they can */
export async function whyNoPostgres(): Promise<string | null> {
  try {
    const left = await askPostgres(
      POSTGRES_URL,
      `select datname as name from pg_database where datname like '${PREFIX.replaceAll('_', '\\_')}%'`,
    );
    for (const { name } of left) {
      const madeAt = Number.parseInt(String(name).slice(PREFIX.length), 36);
      if (madeAt < Date.now() - DAY_MS)
        await askPostgres(POSTGRES_URL, `drop database if exists ${name} with (force)`);
    }
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
