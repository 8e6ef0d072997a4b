import { mkdirSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqlitePath } from './database.ts';

const SQLITE_BUSY = 5;

/**
 * Keeps a second service off a SQLite file, which knows of no instances: it would do the work twice. Commands and
 * backups are not kept off. The lock is the system's, on a file of its own beside, and ends with the process however
 * that ends.
 * @returns to be kept as long as the lock is; null where there is nothing to lock
 * @throws an error with a code when another process has it
 */
export function lockFile(url: string): Disposable | null {
  const path = sqlitePath(url);
  if (path === undefined || path === ':memory:') return null;
  let lock: DatabaseSync | null = null;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    lock = new DatabaseSync(`${realPath(path)}-lock`, { timeout: 0 });
    lock.exec('begin exclusive');
    return lock;
  } catch (cause) {
    lock?.close();
    // Whatever else is wrong there is told by what opens the database.
    if (!isBusy(cause)) return null;
    const message = 'DATABASE_URL names a file that another running service uses. Several need PostgreSQL.';
    throw Object.assign(new Error(message, { cause }), { code: 'DATABASE_URL' });
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // it is yet to be made
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
