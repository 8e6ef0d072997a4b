/**
 * The staleness gate: webhook hints, full syncs and looks-again all meet here.
 *
 * A read may be applied only if it reflects an instant no earlier than the one already mirrored: answers
 * overtake each other on the wire, and an older one must never overwrite a newer one. Equal instants apply
 * (Attio's fallback clock has whole seconds), so the later arrival wins. A read that says the same as the
 * mirror costs no write, and is no older one: nothing is left out. What was removed here is not taken in again.
 */
export type SnapshotDecision = 'created' | 'updated' | 'unchanged' | 'restored' | 'stale' | 'hidden';

export interface MirroredState {
  readonly readAt: string;
  readonly hash: string;
  readonly deletedAt: string | null;
  readonly hidden: boolean;
}

export function decideSnapshot(
  current: MirroredState | undefined,
  incoming: { readonly readAt: string; readonly hash: string },
): SnapshotDecision {
  if (current === undefined) return 'created';
  if (current.hidden) return 'hidden';
  if (current.deletedAt === null && incoming.hash === current.hash) return 'unchanged';
  if (incoming.readAt < current.readAt) return 'stale';
  return current.deletedAt !== null ? 'restored' : 'updated';
}

/** Whether an absence seen at `readAt` may mark a mirrored record as gone. */
export function decideAbsence(
  current: MirroredState | undefined,
  readAt: string,
): 'gone' | 'unknown' | 'already' | 'stale' {
  if (current === undefined) return 'unknown';
  if (current.deletedAt !== null) return 'already';
  return readAt < current.readAt ? 'stale' : 'gone';
}
