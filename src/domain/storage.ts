/** The database cannot serve just now: locked, full, read-only, out of reach. Nobody's work is to blame for it. */
export class StorageUnavailableError extends Error {
  override readonly name = 'StorageUnavailableError';
}

/** Why a database cannot serve, as far as the system or the server says. */
export type StorageTrouble =
  | 'busy'
  | 'full'
  | 'no-permission'
  | 'not-a-database'
  | 'not-there'
  | 'read-only'
  | 'refused'
  | 'unfit'
  | 'unreachable'
  | 'other';

/** What a look at the database has shown, without changing what is in it. */
export interface DatabaseState {
  /** False: a SQLite file that is yet to be made. */
  readonly exists: boolean;
  /** Names of the migrations that it lacks. */
  readonly pending: readonly string[];
  /** Some migrations of this service have been done: it is ours. */
  readonly isOurs: boolean;
  /** The Attio workspace that it mirrors; null: none yet. */
  readonly workspaceId: string | null;
  /** Null: it can store. */
  readonly trouble: { readonly cause: StorageTrouble; readonly reason: string } | null;
}
