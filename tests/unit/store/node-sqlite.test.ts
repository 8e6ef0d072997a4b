import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { StorageUnavailableError } from '../../../src/domain/storage.ts';
import { migrate, openDatabase, probeDatabase } from '../../../src/store/database.ts';

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
