/** Whether Attio has what we hold of a thing. */
export type SyncState =
  | { readonly status: 'synced'; readonly recordId: string | null }
  /** Written here, and on its way to Attio. */
  | { readonly status: 'pending' }
  /** Given up: `code` is Attio's or ours, `detail` says in words why. */
  | { readonly status: 'failed'; readonly code: string; readonly detail: string };
