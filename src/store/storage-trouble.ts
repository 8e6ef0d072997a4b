import { type StorageTrouble, StorageUnavailableError } from '../domain/storage.ts';

/** SQLite's primary result codes. */
const SQLITE: Readonly<Record<number, StorageTrouble>> = {
  3: 'no-permission',
  5: 'busy',
  6: 'busy',
  8: 'read-only',
  11: 'not-a-database',
  13: 'full',
  14: 'no-permission',
  26: 'not-a-database',
};

/** Codes of the system, and PostgreSQL's. */
const CODES: Readonly<Record<string, StorageTrouble>> = {
  EACCES: 'no-permission',
  EPERM: 'no-permission',
  EROFS: 'read-only',
  ENOSPC: 'full',
  EDQUOT: 'full',
  ENOTDIR: 'not-a-database',
  EISDIR: 'not-a-database',
  ECONNREFUSED: 'unreachable',
  ECONNRESET: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  ETIMEDOUT: 'unreachable',
  '25006': 'read-only',
  '28000': 'refused',
  '28P01': 'refused',
  '3D000': 'not-there',
  '42501': 'no-permission',
  '53100': 'full',
  '53300': 'busy',
  '55P03': 'busy',
  '57P03': 'unreachable',
};

/** What an error says of a database, by its code; whatever layers it is wrapped in. */
export function storageTroubleOf(error: unknown): { cause: StorageTrouble; reason: string } {
  const inner = innermost(error);
  const reason = inner instanceof Error && inner.message !== '' ? inner.message : String(inner);
  return { cause: causeOf(inner, reason), reason };
}

function innermost(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  const isWrapper = error instanceof StorageUnavailableError || codeOf(error) === 'DATABASE_URL';
  return isWrapper && error instanceof Error && error.cause !== undefined ? innermost(error.cause) : error;
}

function causeOf(error: unknown, reason: string): StorageTrouble {
  if (error instanceof Error && 'errcode' in error) return SQLITE[Number(error.errcode) & 0xff] ?? 'other';
  const code = codeOf(error);
  if (code !== null) return CODES[code] ?? 'other';
  if (/timeout|terminated|ended/i.test(reason)) return 'unreachable';
  // Said by `checkPostgres`, which has no codes.
  return /encoding|synchronous_commit|search_path/.test(reason) ? 'unfit' : 'other';
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error ? String(error.code) : null;
}
