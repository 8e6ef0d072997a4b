import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** What a commit may need. With less, SQLite stores some things and fails at others: its log reuses the space that it has. */
const LEAST_FREE_BYTES = 1024 * 1024;

/**
 * Whether a file's disk is full, as far as the system says.
 * @param path of the file; it need not exist
 * @returns an error for it, coded as the system does; null: there is room
 */
export function noRoom(path: string): Error | null {
  try {
    const { blocks, bavail, bsize } = statfsSync(dirname(path));
    // File systems without a size of their own say 0 for all.
    if (blocks === 0 || bavail * bsize >= LEAST_FREE_BYTES) return null;
    return Object.assign(new Error('less than 1 MiB is free'), { code: 'ENOSPC' });
  } catch {
    return null;
  }
}
