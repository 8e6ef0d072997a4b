import type { PushCandidate } from '../../domain/change-webhooks.ts';
import { listScope } from '../../domain/changes.ts';

export interface PushRules {
  /** Push also what comes before the end of the first full sync. */
  readonly firstSyncs: boolean;
  /** Whether notes and tasks are mirrored, so that there are full syncs of them. */
  readonly activity: boolean;
}

/**
 * Whether a change is news: a webhook is not told of all that was in Attio before the first full sync of its object,
 * list, notes or tasks has ended. Comments have no full sync, and are told always.
 * @param firstSyncs where in the feed the first full sync of each scope has ended
 */
export function isPushable(
  change: PushCandidate,
  firstSyncs: ReadonlyMap<string, number>,
  rules: PushRules,
): boolean {
  const scope = rules.firstSyncs ? null : scopeOf(change, rules);
  return scope === null || change.seq > (firstSyncs.get(scope) ?? Number.POSITIVE_INFINITY);
}

/** Null: there is no full sync to wait for. */
function scopeOf({ type, object, listId }: PushCandidate, { activity }: PushRules): string | null {
  const [noun] = type.split('.');
  if (noun === 'record') return object;
  if (noun === 'entry') return listId === null ? null : listScope(listId);
  if (noun === 'note' || noun === 'task') return activity ? `${noun}s` : null;
  return null;
}
