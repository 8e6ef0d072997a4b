/** How far a thing's values have come to Attio. */
export type SyncState = (
  | { readonly status: 'synced'; readonly recordId: string | null }
  /** On its way, or held back for a person to decide. */
  | { readonly status: 'pending' }
  /** Attio refused the last write for good; the thing shows the values that both sides agree on. */
  | { readonly status: 'failed'; readonly code: string; readonly detail: string }
) & {
  /** Fields that wait for a person to decide; left out when there are none. */
  readonly conflicts?: number;
};

/** Why the last write of a thing failed for good. */
export interface SyncFailure {
  /** Attio's code, or one of ours. */
  readonly code: string;
  /** In words, which may quote what was written. */
  readonly detail: string;
}

/** What a thing's state is drawn from. */
export interface SyncFacts {
  readonly recordId: string | null;
  readonly failure: SyncFailure | null;
  /** Writes are on their way. */
  readonly isPending: boolean;
  /** Open conflicts. */
  readonly conflicts: number;
}

export function syncStateOf({ recordId, failure, isPending, conflicts }: SyncFacts): SyncState {
  const counted = conflicts === 0 ? {} : { conflicts };
  if (isPending) return { status: 'pending', ...counted };
  if (failure !== null) return { status: 'failed', ...failure, ...counted };
  return conflicts === 0 ? { status: 'synced', recordId } : { status: 'pending', conflicts };
}

/** The same after a write that is in Attio, whatever others wait behind it. @param held fields of it that wait for a person */
export function writtenStateOf(
  { recordId, conflicts }: Pick<SyncFacts, 'recordId' | 'conflicts'>,
  held: number,
): SyncState {
  const counted = conflicts === 0 ? {} : { conflicts };
  return held === 0 ? { status: 'synced', recordId, ...counted } : { status: 'pending', ...counted };
}
