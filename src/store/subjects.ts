import { type RawBuilder, sql } from 'kysely';
import { isRegistered, type Owner, takenBy } from './claims.ts';
import type { Handle } from './database.ts';

/** Where a look for pending events begins, and what it leaves out. */
export interface Look {
  readonly now: string;
  readonly afterId: number;
  readonly inHand: ReadonlySet<number>;
  readonly limit: number;
}

interface TakenEvent {
  readonly id: number;
  readonly subject_id: string | null;
  /** Empty until it is taken. */
  readonly payload_json: string;
  readonly attempts: number;
  readonly received_at: string;
  readonly claimed_by: string | null;
}

/*
 * Pending events about one thing are in one instance's hand at a time, and none is taken before an earlier one that is
 * in nobody's, so that they are settled in their order. Claims are made one after the other, in transactions: each sees
 * those before it.
 */

/**
 * How many events a look goes through besides those that it may take: where so many in a row are about what is in others'
 * hands, it sees no further.
 */
const PASSED_OVER = 2_000;

/*
 * Asked once for each event or thing, by an index: what is in hand changes faster than planners count it, and a join would
 * compare all with all. The `limit` keeps it a question.
 */

/** An event about this thing that another instance has in hand. @param thing a column */
function inOthersHands(owner: Owner, thing: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(select other.id from inbox as other where other.subject_id = ${thing} and other.status = 'pending'
    and other.claimed_by is not null and other.claimed_by <> ${owner.id} limit 1)`;
}

/** An event about this thing that is nobody's. @param only which ones */
function leftTo(thing: RawBuilder<unknown>, only: RawBuilder<unknown> = sql``): RawBuilder<unknown> {
  return sql`(select free.id from inbox as free where free.subject_id = ${thing} and free.status = 'pending'
    and free.claimed_by is null ${only} limit 1)`;
}

/**
 * Finds events that are ours and not in hand, and those that may be taken: that are nobody's, and not about what another
 * instance has in hand, or about what an earlier one waits for that this look does not see any more.
 */
export async function findEvents(
  db: Handle,
  owner: Owner,
  { now, afterId, inHand, limit }: Look,
): Promise<TakenEvent[]> {
  const held = [...inHand].filter((id) => id > afterId);
  const thing = sql.ref('found.subject_id');
  const passed = sql`and free.id <= ${afterId} and free.next_attempt_at <= ${now}`;
  const { rows } = await sql<TakenEvent>`
    select id, subject_id, attempts, received_at, claimed_by,
      case when claimed_by is null then '' else payload_json end as payload_json
    from (
      select * from inbox
      where status = 'pending' and id > ${afterId} and next_attempt_at <= ${now}
        and (claimed_by is null or claimed_by = ${owner.id}) and id <> all(${held}::bigint[])
      order by id limit ${limit + PASSED_OVER}) as found
    where claimed_by is not null
      or (${inOthersHands(owner, thing)} is null and ${afterId > 0 ? leftTo(thing, passed) : sql`null`} is null)
    order by id limit ${limit}`.execute(db);
  return rows;
}

/** Takes those that may be taken still, in a transaction of the inbox. */
export async function takeEvents(tx: Handle, owner: Owner, ids: readonly number[]): Promise<TakenEvent[]> {
  const { rows } = await sql<TakenEvent>`
    update inbox set claimed_by = ${owner.id}
    where id = any(${ids}::bigint[]) and status = 'pending' and claimed_by is null
      and ${inOthersHands(owner, sql.ref('inbox.subject_id'))} is null
      and ${isRegistered(owner)}
    returning id, subject_id, payload_json, attempts, received_at, claimed_by`.execute(tx);
  return rows;
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
  const thing = sql.ref('thing.id');
  const { rows } = await sql<{ taker: string | null; elsewhere: string[] }>`
    select ${takenBy(owner)} as taker, array(
      select thing.id from unnest(${[...new Set(subjectIds)]}::text[]) as thing (id)
      where ${inOthersHands(owner, thing)} is not null or ${leftTo(thing)} is not null) as elsewhere`.execute(
    tx,
  );
  const { taker = null, elsewhere = [] } = rows[0] ?? {};
  const left = new Set<string | null>(elsewhere);
  return (subjectId) => (left.has(subjectId) ? null : taker);
}
