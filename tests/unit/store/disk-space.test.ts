import type fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { migrate, openDatabase, probeDatabase } from '../../../src/store/database.ts';
import { inspectDatabase } from '../../../src/store/inspection.ts';
import { DEFAULT_POOL } from '../../../src/store/postgres-pool.ts';
import { storageTroubleOf } from '../../../src/store/storage-trouble.ts';

const MIB = 1024 * 1024;
const disk = vi.hoisted(() => ({ blocks: 0, bavail: 0, bsize: 1024 }));
vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  return { ...real, default: real, statfsSync: () => disk };
});

let folder: string;
let url: string;
beforeEach(async () => {
  free(8 * MIB);
  folder = await mkdtemp(join(tmpdir(), 'attio-bridge-disk-'));
  url = `sqlite:${join(folder, 'a.db')}`;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function free(bytes: number, all = 1024 * MIB): void {
  disk.blocks = all / disk.bsize;
  disk.bavail = Math.floor(bytes / disk.bsize);
}

const trouble = async () => (await inspectDatabase(url, DEFAULT_POOL)).trouble;

test('less than a megabyte is no room to store in, whatever a small write says', async () => {
  const db = openDatabase(url);
  await migrate(db);
  await probeDatabase(db);
  expect(await trouble()).toBeNull();
  free(MIB - 1);
  expect(storageTroubleOf(await probeDatabase(db).catch((error) => error)).cause).toBe('full');
  expect(await trouble()).toEqual({ cause: 'full', reason: 'less than 1 MiB is free' });
  free(MIB);
  await probeDatabase(db);
  expect(await trouble()).toBeNull();
  await db.destroy();
});

test('a file system that knows no sizes has room, and so has memory', async () => {
  free(0, 0);
  expect(await trouble()).toBeNull();
  free(0);
  const db = openDatabase('sqlite::memory:');
  await migrate(db);
  await probeDatabase(db);
  await db.destroy();
});

test('a full disk on which SQLite cannot even make its log is called full', () => {
  free(0);
  expect(() => openDatabase(`sqlite:${folder}`)).toThrow('cannot be used: less than 1 MiB is free.');
  free(8 * MIB);
  expect(() => openDatabase(`sqlite:${folder}`)).toThrow('unable to open database file');
});
