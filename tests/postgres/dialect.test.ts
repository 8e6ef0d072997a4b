import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { StorageUnavailableError } from '../../src/domain/storage.ts';
import {
  type Database,
  migrate,
  openDatabase,
  probeDatabase,
  transaction,
} from '../../src/store/database.ts';
import { DEFAULT_POOL, type PoolSettings } from '../../src/store/postgres-pool.ts';
import { MirrorStore } from '../../src/store/store.ts';
import { askPostgres, freshDatabase, type TestDatabase } from '../support/engines.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

interface Opened {
  readonly fresh: TestDatabase;
  readonly database: Database;
}

async function open(pool: Partial<PoolSettings> = {}, urlOf = (url: string) => url): Promise<Opened> {
  const fresh = await freshDatabase('postgres');
  const setup = openDatabase(fresh.url);
  await migrate(setup);
  await setup.destroy();
  const database = openDatabase(urlOf(fresh.url), { ...DEFAULT_POOL, ...pool });
  onTestFinished(async () => {
    await database.destroy();
    await fresh[Symbol.asyncDispose]();
  });
  return { fresh, database };
}

async function proxied(pool: Partial<PoolSettings> = {}): Promise<Opened & { proxy: TcpProxy }> {
  const fresh = await freshDatabase('postgres');
  const proxy = await TcpProxy.before(fresh.url);
  const database = openDatabase(proxy.url, { ...DEFAULT_POOL, ...pool });
  onTestFinished(async () => {
    await proxy[Symbol.asyncDispose]();
    await database.destroy();
    await fresh[Symbol.asyncDispose]();
  });
  await migrate(database);
  return { fresh, database, proxy };
}

async function causeOf(work: Promise<unknown>): Promise<unknown> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StorageUnavailableError);
  return (error as StorageUnavailableError).cause;
}

const ours = 'datname = current_database() and pid <> pg_backend_pid()';

describe('an unavailable database', () => {
  test('is one that ends our connections, in a transaction or idle; the next one works', async () => {
    const { fresh, database } = await open();
    const work = transaction(database, async (tx) => {
      await tx.selectFrom('inbox').selectAll().execute();
      await fresh.rows(`select pg_terminate_backend(pid) from pg_stat_activity where ${ours}`);
      await tx.selectFrom('inbox').selectAll().execute();
    });
    await causeOf(work);
    await probeDatabase(database);
    await fresh.rows(`select pg_terminate_backend(pid) from pg_stat_activity where ${ours}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await probeDatabase(database);
  });

  test('is one whose write lock another process keeps, and it fails all that wait for it', async () => {
    const { fresh, database } = await open({ lockTimeoutMs: 300 });
    const other = openDatabase(fresh.url);
    onTestFinished(() => other.destroy());
    const { promise: kept, resolve: letGo } = Promise.withResolvers<void>();
    const { promise: locked, resolve: onLocked } = Promise.withResolvers<void>();
    const keeper = transaction(other, async () => {
      onLocked();
      await kept;
    });
    await locked;
    const nothing = async () => {};
    const waiting = [transaction(database, nothing), transaction(database, nothing)];
    await Promise.all(waiting.map(causeOf));
    await probeDatabase(database);
    letGo();
    await keeper;
    await transaction(database, nothing);
  });

  test('is one that takes too long', async () => {
    const { database } = await open({ statementTimeoutMs: 200 });
    expect(await causeOf(sql`select pg_sleep(5)`.execute(database))).toMatchObject({ code: '57014' });
    await probeDatabase(database);
  });

  test('is one that may only be read', async () => {
    const { database } = await open({}, (url) => `${url}?options=-c%20default_transaction_read_only%3Don`);
    expect(await causeOf(probeDatabase(database))).toMatchObject({ code: '25006' });
    expect((await new MirrorStore(database).changes.bounds()).newest).toBe(0);
  });

  test('is one that answers nothing any more: the wait has an end', async () => {
    const { database, proxy } = await proxied({ statementTimeoutMs: 100, connectTimeoutMs: 300 });
    proxy.goSilent();
    const startedAt = Date.now();
    await causeOf(transaction(database, (tx) => tx.selectFrom('inbox').selectAll().execute()));
    await causeOf(probeDatabase(database));
    expect(Date.now() - startedAt).toBeLessThan(20_000);
  });

  test('is one whose answer to a commit is lost; what was committed is there', async () => {
    const { fresh, database, proxy } = await proxied();
    proxy.loseCommitOf('pruned_through');
    await causeOf(
      transaction(database, (tx) => tx.updateTable('change_feed').set({ pruned_through: 7 }).execute()),
    );
    expect(await fresh.rows('select pruned_through from change_feed')).toEqual([{ pruned_through: '7' }]);
    expect((await new MirrorStore(database).changes.bounds()).prunedThrough).toBe(7);
  });

  test('is not one that is asked something wrong', async () => {
    const { database } = await open();
    const wrong = sql`select * from nothing_of_that_name`.execute(database);
    await expect(wrong).rejects.toMatchObject({ code: '42P01' });
    const failing = transaction(database, () => sql`select 1 / 0`.execute(database));
    await expect(failing).rejects.toMatchObject({ code: '22012' });
    await probeDatabase(database);
  });
});

test('two processes write one after the other, and number changes in the order of their commits', async () => {
  const { fresh, database } = await open();
  const other = openDatabase(fresh.url);
  onTestFinished(() => other.destroy());
  const change = {
    type: 'record.created',
    object: 'people',
    source: 'attio',
    changed: [],
    at: '2026',
  } as const;
  const write = async (store: MirrorStore, count: number) => {
    for (let turn = 0; turn < count; turn += 1) {
      await store.transaction(async ({ changes }) => {
        await changes.append([{ ...change, id: 'a', data: {} }]);
        await changes.append([{ ...change, id: 'b', data: {} }]);
      });
    }
  };
  let writing = true;
  const followed: number[] = [];
  const reader = new MirrorStore(database);
  const look = async () => {
    const rows = await reader.changes.after(followed.at(-1) ?? 0, 100);
    followed.push(...rows.map((row) => row.seq));
    return rows.length > 0;
  };
  const follower = (async () => {
    while (writing) await look();
    for (let more = true; more; ) more = await look();
  })();
  await Promise.all([write(new MirrorStore(database), 60), write(new MirrorStore(other), 60)]);
  writing = false;
  await follower;
  expect(followed).toEqual((await reader.changes.after(0, 1_000)).map((row) => row.seq));
  expect(followed).toHaveLength(240);
});

test('transactions that wait by the hundred leave connections for reads', async () => {
  const { database } = await open({ maxConnections: 2, connectTimeoutMs: 1_000 });
  const { promise: kept, resolve: letGo } = Promise.withResolvers<void>();
  const writes = Array.from({ length: 200 }, () => transaction(database, () => kept));
  await new MirrorStore(database).changes.bounds();
  letGo();
  await Promise.all(writes);
});

describe('migrations', () => {
  test('of processes that start together wait for each other, and do nothing the second time', async () => {
    const fresh = await freshDatabase('postgres');
    const databases = Array.from({ length: 4 }, () => openDatabase(fresh.url));
    onTestFinished(async () => {
      for (const database of databases) await database.destroy();
      await fresh[Symbol.asyncDispose]();
    });
    await Promise.all(databases.map(migrate));
    await Promise.all(databases.map(probeDatabase));
    await Promise.all(databases.map(migrate));
  });

  test('keep to their schema, whatever others there are', async () => {
    const { fresh } = await open();
    await fresh.rows('create schema ours');
    const database = openDatabase(`${fresh.url}?options=-c%20search_path%3Dours`);
    onTestFinished(() => database.destroy());
    await migrate(database);
    await probeDatabase(database);
    expect(await fresh.rows("select count(*)::int as n from pg_tables where tablename = 'inbox'")).toEqual([
      { n: 2 },
    ]);
  });

  test('are refused where an answered delivery would not be kept, or not as it was', async () => {
    const { fresh } = await open();
    const said = async (url: string) => {
      const database = openDatabase(url);
      onTestFinished(() => database.destroy());
      const error: unknown = await migrate(database).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'DATABASE_URL' });
      return String(error);
    };
    expect(await said(`${fresh.url}?options=-c%20synchronous_commit%3Doff`)).toContain('synchronous_commit');
    expect(await said(`${fresh.url}?options=-c%20search_path%3Dnowhere`)).toContain('search_path');
    const name = new URL(fresh.url).pathname.slice(1);
    await askPostgres(
      fresh.url,
      `create database ${name}_latin template template0 encoding 'LATIN1' locale 'C'`,
    );
    onTestFinished(async () => {
      await askPostgres(fresh.url, `drop database ${name}_latin with (force)`);
    });
    expect(await said(`${fresh.url}_latin`)).toContain('UTF8');
  });
});
