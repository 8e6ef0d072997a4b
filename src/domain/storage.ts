/** The database cannot serve just now: locked, full, read-only, out of reach. Nobody's work is to blame for it. */
export class StorageUnavailableError extends Error {
  override readonly name = 'StorageUnavailableError';
}
