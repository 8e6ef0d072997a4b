import { type RawBuilder, sql } from 'kysely';
import type { Handle } from './database.ts';

/** This process among those that share a database. */
export interface Owner {
  /** Another one from when its lease was lost. */
  readonly id: string;
}

/**
 * Null: this process is alone on its database. Then its memory is enough to know what it has in hand, and no claim is
 * written: that would cost a commit each.
 */
export type MaybeOwner = Owner | null;

/** Rows that are nobody else's. */
export function mayTake(owner: MaybeOwner): RawBuilder<boolean> {
  return owner === null ? sql`1 = 1` : sql`(claimed_by is null or claimed_by = ${owner.id})`;
}

/** Rows that this process has in hand, as far as the database knows. */
export function isHeld(owner: MaybeOwner): RawBuilder<boolean> {
  return owner === null ? sql`1 = 1` : sql`claimed_by = ${owner.id}`;
}

/**
 * What a row gets that is taken at once: null when the lease is gone. Locks the lease until the commit, so that whoever
 * takes it away sees this row.
 */
export function takenBy(owner: MaybeOwner): RawBuilder<string | null> {
  return owner === null
    ? sql`null`
    : sql`(select instance.id from instance where instance.id = ${owner.id} for key share)`;
}

/** That the lease is there, and stays until the commit. */
export function isRegistered(owner: MaybeOwner): RawBuilder<boolean> {
  return owner === null
    ? sql`1 = 1`
    : sql`exists (select 1 from instance where instance.id = ${owner.id} for key share)`;
}

/**
 * How often a look may lose all that it has found to others before it leaves the rest to the next, which may be half a
 * minute away. Whoever wins has its hands full soon, so that a few are enough as a rule.
 */
const TRIES = 20;

interface Claimable {
  readonly id: number;
  readonly claimed_by: string | null;
}

/**
 * Takes rows that may be taken: no two instances get the same.
 * @param find rows that are ours or nobody's, and not in hand
 * @param claim makes rows ours that are nobody's still
 */
export async function takeRows<R extends Claimable>(
  owner: MaybeOwner,
  find: () => Promise<R[]>,
  claim: (owner: Owner, ids: readonly number[]) => Promise<R[]>,
): Promise<R[]> {
  if (owner === null) return find();
  for (let left = TRIES; ; left -= 1) {
    const found = await find();
    const ours = found.filter((row) => row.claimed_by === owner.id);
    if (ours.length === found.length) return found;
    const free = found.filter((row) => row.claimed_by === null).map(({ id }) => id);
    const taken = [...ours, ...(await claim(owner, free))].sort((a, b) => a.id - b.id);
    if (taken.length > 0 || left === 1) return taken;
  }
}

/** Writes of the outbox. */
export async function claimRows<R>(db: Handle, owner: Owner, ids: readonly number[]): Promise<R[]> {
  const { rows } = await sql<R>`
    update outbox set claimed_by = ${owner.id}
    where id in (
        select id from outbox
        where id = any(${ids}::bigint[]) and status = 'pending' and claimed_by is null
        for update skip locked)
      and ${isRegistered(owner)}
    returning *`.execute(db);
  return rows;
}
