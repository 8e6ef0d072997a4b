import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { NewChange } from '../../../src/domain/changes.ts';
import { StorageUnavailableError } from '../../../src/domain/storage.ts';
import { ChangesStore } from '../../../src/store/changes.ts';
import { migrate, openDatabase, transaction } from '../../../src/store/database.ts';
import { SqliteLog } from '../../../src/store/sqlite-log.ts';

async function file(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'attio-bridge-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return join(directory, 'test.db');
}

/** A database whose log is flushed as the test has it. */
async function watched(answers: readonly ('ok' | 'fails')[]) {
  const path = await file();
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  database.exec('pragma journal_mode = wal; create table t (text text)');
  let asked = 0;
  const log = new SqliteLog(database, path, async () => ({
    datasync: async () => {
      if (answers[asked++] === 'fails') throw new Error('the disk');
    },
    close: async () => {},
  }));
  const write = () => database.exec('insert into t values (1)');
  return { path, database, log, write, asked: () => asked };
}

test('a flush that fails is said, and the next proves more than that a flush succeeds', async () => {
  const { path, log, write, asked } = await watched(['ok', 'fails']);
  write();
  await log.flushed(); // opens the log
  await log.flushed();
  write();
  await expect(log.flushed()).rejects.toBeInstanceOf(StorageUnavailableError);
  expect(log.isOpen).toBe(false);
  await log.flushed();
  expect(log.isOpen).toBe(true);
  expect(asked()).toBe(2);
  // All is in the file: the system had said that it could not write the log.
  expect((await stat(`${path}-wal`)).size).toBe(0);
});

test('as long as the file cannot have it all, the database cannot serve', async () => {
  const { path, log, write } = await watched(['fails']);
  const reader = new DatabaseSync(path);
  await log.flushed();
  write();
  await expect(log.flushed()).rejects.toBeInstanceOf(StorageUnavailableError);
  reader.exec('begin; select * from t');
  write();
  await expect(log.flushed()).rejects.toBeInstanceOf(StorageUnavailableError);
  reader.exec('rollback');
  await log.flushed();
  reader.close();
});

test('what gathers in the log is brought into the file, and the log begins anew', async () => {
  const { database, log, write } = await watched([]);
  const held = vi.fn((work: () => Promise<void>) => work());
  log.holdBy(held);
  const pages = () => database.prepare('pragma wal_checkpoint(noop)').get();
  database.exec('insert into t values (randomblob(60000000))');
  await log.flushed();
  await log.close();
  expect(pages()).toMatchObject({ checkpointed: 0 });
  database.exec('insert into t values (randomblob(8000000))');
  await log.flushed();
  // Waits for the thread.
  await log.close();
  // With all of it in the file, nobody is held back.
  expect(held).not.toHaveBeenCalled();
  const { log: all, checkpointed } = pages() ?? {};
  expect(all).toBeGreaterThan(16_000);
  expect(checkpointed).toBe(all);
  write();
  expect(Number(pages()?.['log'])).toBeLessThan(10);
});

test('what the thread cannot bring in while others write and read, it does while those who write are held back', async () => {
  const { path, database, log } = await watched([]);
  const pages = () => database.prepare('pragma wal_checkpoint(noop)').get();
  database.exec('insert into t values (randomblob(60000000))');
  const reader = new DatabaseSync(path);
  reader.exec('begin; select * from t');
  log.holdBy(async (work) => {
    reader.close();
    await work();
  });
  database.exec('insert into t values (randomblob(8000000))');
  await log.flushed();
  await log.close();
  const { log: all, checkpointed } = pages() ?? {};
  expect(all).toBeGreaterThan(16_000);
  expect(checkpointed).toBe(all);
});

test('a single statement is on the disk at once, a transaction when it resolves', async () => {
  const database = openDatabase(`sqlite:${await file()}`);
  const level = async () =>
    (await sql<{ synchronous: number }>`pragma synchronous`.execute(database)).rows[0];
  const within = () => transaction(database, (tx) => sql`pragma synchronous`.execute(tx));
  const FULL = { synchronous: 2 };
  expect(await level()).toEqual(FULL);
  // The first makes the log, and its directory knows of it.
  expect((await within()).rows).toEqual([FULL]);
  expect((await within()).rows).toEqual([{ synchronous: 1 }]);
  expect(await level()).toEqual(FULL);
  await expect(transaction(database, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await level()).toEqual(FULL);
  await database.destroy();
});

test('a change is told when it is on the disk, not before: its number may be given again after a crash', async () => {
  const database = openDatabase(`sqlite:${await file()}`);
  await migrate(database);
  const store = new ChangesStore(database);
  const row: NewChange = {
    type: 'record.created',
    object: 'people',
    id: 'a',
    source: 'attio',
    changed: [],
    at: '2026-01-01T00:00:00.000Z',
    data: {},
  };
  await transaction(database, (tx) => new ChangesStore(tx).append([row]));
  const gate = Promise.withResolvers<void>();
  const { adapter } = database.getExecutor();
  vi.spyOn(adapter as typeof adapter & { flushed(): Promise<void> }, 'flushed').mockReturnValue(gate.promise);
  const told: string[] = [];
  const asked = [
    store.after(0, 10).then((rows) => told.push(`${rows.length} after the first`)),
    store.get(1).then((found) => told.push(`the ${found?.seq}st`)),
    store.latest().then((seq) => told.push(`the latest is ${seq}`)),
  ];
  // Nothing new is nothing to wait for.
  expect(await store.after(1, 10)).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual([]);
  gate.resolve();
  await Promise.all(asked);
  expect(told.toSorted()).toEqual(['1 after the first', 'the 1st', 'the latest is 1']);
  await database.destroy();
});
