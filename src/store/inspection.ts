import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import type { DatabaseState } from '../domain/storage.ts';
import { MIGRATION_NAMES, openDatabase, sqlitePath } from './database.ts';
import { noRoom } from './disk-space.ts';
import { checkPostgres } from './postgres.ts';
import type { PoolSettings } from './postgres-pool.ts';
import { storageTroubleOf } from './storage-trouble.ts';

type Ask = (statement: string) => Promise<readonly Record<string, unknown>[]>;

/** How long another process may hold the file while we look. */
const BUSY_TIMEOUT_MS = 2_000;

const NOTHING: DatabaseState = {
  exists: false,
  pending: MIGRATION_NAMES,
  isOurs: false,
  workspaceId: null,
  trouble: null,
};

/**
 * Looks at the database, and whether it can store; neither makes nor migrates one.
 * @param url as `openDatabase`. Never rejects: what is wrong is in `trouble`
 */
export async function inspectDatabase(url: string, pool: PoolSettings): Promise<DatabaseState> {
  try {
    const path = sqlitePath(url);
    if (path === ':memory:') return { ...NOTHING, exists: true };
    return await (path === undefined ? inspectPostgres(url, pool) : inspectFile(path));
  } catch (error) {
    return { ...NOTHING, exists: true, trouble: storageTroubleOf(error) };
  }
}

async function inspectFile(path: string): Promise<DatabaseState> {
  const full = noRoom(path);
  if (full !== null) throw full;
  if (!(await exists(path))) {
    await assertCreatable(path);
    return NOTHING;
  }
  await access(path, constants.W_OK);
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    const ask: Ask = async (statement) => database.prepare(statement).all();
    const state = await readState(
      ask,
      `select 1 from sqlite_master where type = 'table' and name = 'kysely_migration'`,
    );
    // Writes a page as it is: a disk that is full or read-only shows only then.
    const version = Number(database.prepare('pragma user_version').get()?.['user_version'] ?? 0);
    database.exec(`begin immediate; pragma user_version = ${version}; commit`);
    return state;
  } finally {
    database.close();
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** @throws what the system says, when the file could not be made there */
async function assertCreatable(path: string): Promise<void> {
  let folder = dirname(path);
  while (!(await exists(folder)) && folder !== dirname(folder)) folder = dirname(folder);
  if (!(await stat(folder)).isDirectory()) {
    throw Object.assign(new Error(`${folder} is no folder`), { code: 'ENOTDIR' });
  }
  await access(folder, constants.W_OK | constants.X_OK);
}

async function inspectPostgres(url: string, pool: PoolSettings): Promise<DatabaseState> {
  const db = openDatabase(url, { ...pool, maxConnections: 2 });
  try {
    await checkPostgres(db);
    const ask: Ask = async (statement) =>
      (await sql<Record<string, unknown>>`${sql.raw(statement)}`.execute(db)).rows;
    const here = `table_schema = current_schema() and table_name = 'kysely_migration'`;
    const state = await readState(ask, `select 1 from information_schema.tables where ${here}`);
    if (state.isOurs) await ask('update change_feed set pruned_through = pruned_through');
    else await assertMayCreate(ask);
    return state;
  } finally {
    await db.destroy();
  }
}

/** @throws errors with the codes that the server has for it */
async function assertMayCreate(ask: Ask): Promise<void> {
  const [row] = await ask(
    `select current_setting('transaction_read_only') as read_only, has_schema_privilege(current_schema(), 'create') as may`,
  );
  const refuse = (code: string, words: string) => Object.assign(new Error(words), { code });
  if (row?.['read_only'] === 'on') throw refuse('25006', 'transactions are read-only');
  if (row?.['may'] !== true) throw refuse('42501', 'this role may not create tables in the schema');
}

async function readState(ask: Ask, isMigrated: string): Promise<DatabaseState> {
  if ((await ask(isMigrated)).length === 0) return { ...NOTHING, exists: true };
  const done = (await ask('select name from kysely_migration')).map((row) => String(row['name']));
  const isOurs = done.includes(MIGRATION_NAMES[0] ?? '');
  const [workspace] = isOurs ? await ask('select workspace_id from workspace') : [];
  return {
    exists: true,
    pending: MIGRATION_NAMES.filter((name) => !done.includes(name)),
    isOurs,
    workspaceId: workspace === undefined ? null : String(workspace['workspace_id']),
    trouble: null,
  };
}
