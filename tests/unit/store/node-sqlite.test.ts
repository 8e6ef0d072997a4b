import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { StorageUnavailableError } from '../../../src/domain/storage.ts';
import { migrate, openDatabase, probeDatabase, transaction } from '../../../src/store/database.ts';
import { storageTroubleOf } from '../../../src/store/storage-trouble.ts';

async function databaseFile(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'attio-bridge-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return join(directory, 'test.db');
}

test('a file that another process holds is unavailable, not broken', async () => {
  const path = await databaseFile();
  const database = openDatabase(`sqlite:${path}`);
  await migrate(database);
  const other = new DatabaseSync(path);
  other.exec('begin immediate');
  await expect(probeDatabase(database)).rejects.toBeInstanceOf(StorageUnavailableError);
  other.exec('rollback');
  await probeDatabase(database);
  other.close();
  await database.destroy();
});

test('migrations do nothing the second time', async () => {
  const path = await databaseFile();
  for (let start = 0; start < 2; start += 1) {
    const database = openDatabase(`sqlite:${path}`);
    await migrate(database);
    await probeDatabase(database);
    await database.destroy();
  }
});

test('a statement that is wrong is a fault of ours, and stays what it is', async () => {
  const database = openDatabase('sqlite::memory:');
  await expect(probeDatabase(database)).rejects.toThrow(/no such table/);
  await database.destroy();
});

test('a disk that becomes full within a transaction is said, stores nothing of it, and is mended by room alone', async () => {
  const database = openDatabase(`sqlite:${await databaseFile()}`);
  await sql`create table notes (text text)`.execute(database);
  await sql`pragma max_page_count = 20`.execute(database);
  const add = (text: string) =>
    transaction(database, async (tx) => {
      await sql`insert into notes values ('first')`.execute(tx);
      await sql`insert into notes values (${text})`.execute(tx);
    });
  const error: unknown = await add('x'.repeat(200_000)).catch((refused) => refused);
  expect(error).toBeInstanceOf(StorageUnavailableError);
  expect(storageTroubleOf(error).cause).toBe('full');
  const count = async () => (await sql`select * from notes`.execute(database)).rows.length;
  expect(await count()).toBe(0);
  await sql`pragma max_page_count = 1000`.execute(database);
  await add('x'.repeat(200_000));
  expect(await count()).toBe(2);
  await database.destroy();
});
