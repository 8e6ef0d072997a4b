/** How far a thing's values have come to Attio. */
export type SyncState =
  | { readonly status: 'synced'; readonly recordId: string | null }
  | { readonly status: 'pending' }
  /** Attio refused the last write for good; the thing shows the values that both sides agree on. */
  | { readonly status: 'failed'; readonly code: string; readonly detail: string };

/** Why the last write of a thing failed for good. */
export interface SyncFailure {
  /** Attio's code, or one of ours. */
  readonly code: string;
  /** In words, which may quote what was written. */
  readonly detail: string;
}
