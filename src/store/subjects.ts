import { type RawBuilder, sql } from 'kysely';
import { type Owner, takenBy } from './claims.ts';
import type { Handle } from './database.ts';

/*
 * Pending events about one thing are in one instance's hand at a time, and none is taken before an earlier one that is
 * in nobody's, so that they are settled in their order. Claims are made one after the other, in transactions: each sees
 * those before it.
 */

/** No other instance has an event about the same thing in hand. */
export function isNobodyElses(owner: Owner): RawBuilder<boolean> {
  return sql`not exists (
    select 1 from inbox as other
    where other.subject_id = inbox.subject_id and other.status = 'pending' and other.claimed_by <> ${owner.id})`;
}

/**
 * Events that are ours, or nobody's and about what no other instance has in hand.
 * @param look its time, and where it begins: what waits there and before is seen by a later one only
 */
export function mayTakeEvent(owner: Owner, look: { now: string; afterId: number }): RawBuilder<boolean> {
  return sql`(claimed_by = ${owner.id} or (claimed_by is null and ${isNobodyElses(owner)} and not exists (
    select 1 from inbox as earlier
    where earlier.subject_id = inbox.subject_id and earlier.status = 'pending' and earlier.claimed_by is null
      and earlier.id <= ${look.afterId} and earlier.next_attempt_at <= ${look.now})))`;
}

/**
 * Whose new events about these things are when they are taken at once.
 * @returns by thing: null when one about it is in another's hand or waits for somebody, and for all when the lease is gone
 */
export async function takersOf(
  tx: Handle,
  owner: Owner,
  subjectIds: readonly string[],
): Promise<(subjectId: string | null) => string | null> {
  // Two parts, each with an index of its own.
  const { rows } = await sql<{ taker: string | null; elsewhere: string[] }>`
    select ${takenBy(owner)} as taker, array(
      select subject_id from inbox
      where subject_id = any(${subjectIds}::text[]) and status = 'pending'
        and claimed_by is not null and claimed_by <> ${owner.id}
      union
      select subject_id from inbox
      where subject_id = any(${subjectIds}::text[]) and status = 'pending' and claimed_by is null) as elsewhere`.execute(
    tx,
  );
  const { taker = null, elsewhere = [] } = rows[0] ?? {};
  const left = new Set<string | null>(elsewhere);
  return (subjectId) => (left.has(subjectId) ? null : taker);
}
