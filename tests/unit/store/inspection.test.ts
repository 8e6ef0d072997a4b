import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StorageUnavailableError } from '../../../src/domain/storage.ts';
import { MIGRATION_NAMES, migrate, openDatabase } from '../../../src/store/database.ts';
import { inspectDatabase } from '../../../src/store/inspection.ts';
import { DEFAULT_POOL } from '../../../src/store/postgres-pool.ts';
import { storageTroubleOf } from '../../../src/store/storage-trouble.ts';

const isRoot = process.geteuid?.() === 0;
/** Whom root becomes, because nothing is forbidden to root. */
const NOBODY = 65_534;

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'attio-bridge-inspection-'));
  await chmod(folder, 0o755);
  path = join(folder, 'a.db');
});
afterEach(async () => {
  await chmod(folder, 0o755);
  await rm(folder, { recursive: true, force: true });
});

const inspect = (file = path) => inspectDatabase(`sqlite:${file}`, DEFAULT_POOL);

async function make(): Promise<void> {
  const db = openDatabase(`sqlite:${path}`);
  await migrate(db);
  await db.destroy();
}

/** As somebody to whom files can be closed. */
async function asSomebody<T>(work: () => Promise<T>): Promise<T> {
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

describe('a look at a SQLite database', () => {
  it('makes none', async () => {
    expect(await inspect()).toEqual({
      exists: false,
      pending: MIGRATION_NAMES,
      isOurs: false,
      workspaceId: null,
      trouble: null,
    });
    expect(await readdir(folder)).toEqual([]);
    expect(await inspect(join(folder, 'deep', 'below', 'a.db'))).toMatchObject({
      exists: false,
      trouble: null,
    });
  });

  it('migrates none, and tells what it lacks', async () => {
    new DatabaseSync(path).exec('create table kysely_migration (name text, timestamp text)');
    const database = new DatabaseSync(path);
    database.exec(`insert into kysely_migration values ('001-initial', '')`);
    database.exec('create table workspace (workspace_id text)');
    database.close();
    const state = await inspect();
    expect(state).toMatchObject({ exists: true, isOurs: true, workspaceId: null, trouble: null });
    expect(state.pending).toEqual(MIGRATION_NAMES.slice(1));
  });

  it('finds one that is up to date, also while another process reads it', async () => {
    await make();
    const other = new DatabaseSync(path);
    other.exec('begin; select * from workspace');
    expect(await inspect()).toMatchObject({ exists: true, pending: [], isOurs: true, trouble: null });
    other.close();
  });

  it('names one that another process holds', async () => {
    await make();
    const other = new DatabaseSync(path);
    other.exec('begin immediate');
    expect((await inspect()).trouble?.cause).toBe('busy');
    other.close();
  });

  it('names a file that may not be written', async () => {
    await make();
    await chmod(path, 0o444);
    await chmod(folder, 0o555);
    const { trouble } = await asSomebody(() => inspect());
    expect(trouble?.cause).toMatch(/^(no-permission|read-only)$/);
  });

  it.skipIf(isRoot)('names a folder in which none may be made', async () => {
    await chmod(folder, 0o555);
    expect((await inspect()).trouble?.cause).toBe('no-permission');
  });
});

describe('what a database says', () => {
  const coded = (code: string) => Object.assign(new Error('said so'), { code });

  it.each([
    ['ENOSPC', 'full'],
    ['EROFS', 'read-only'],
    ['25006', 'read-only'],
    ['53100', 'full'],
    ['28P01', 'refused'],
    ['3D000', 'not-there'],
    ['42501', 'no-permission'],
    ['ECONNREFUSED', 'unreachable'],
    ['57P03', 'unreachable'],
    ['XX000', 'other'],
  ])('%s is %s, however it is wrapped', (code, cause) => {
    const bare = coded(code);
    expect(storageTroubleOf(bare)).toEqual({ cause, reason: 'said so' });
    const wrapped = new StorageUnavailableError('away', { cause: new AggregateError([bare]) });
    expect(storageTroubleOf(wrapped).cause).toBe(cause);
    expect(
      storageTroubleOf(Object.assign(new Error('x', { cause: wrapped }), { code: 'DATABASE_URL' })).cause,
    ).toBe(cause);
  });

  it.each([
    [10, 'other'],
    [13, 'full'],
    [8, 'read-only'],
    [1032, 'read-only'],
    [5, 'busy'],
    [26, 'not-a-database'],
  ])("SQLite's %d is %s", (errcode, cause) => {
    expect(
      storageTroubleOf(Object.assign(new Error('said so'), { errcode, code: 'ERR_SQLITE_ERROR' })).cause,
    ).toBe(cause);
  });

  it('what has no code goes by its words', () => {
    expect(storageTroubleOf(new Error('timeout exceeded when trying to connect')).cause).toBe('unreachable');
    expect(storageTroubleOf(new Error('its encoding is LATIN1; create it with encoding UTF8')).cause).toBe(
      'unfit',
    );
    expect(storageTroubleOf('odd')).toEqual({ cause: 'other', reason: 'odd' });
  });
});
