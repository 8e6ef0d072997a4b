import type { NewDeadLetter } from '../domain/dead-letters.ts';
import { BulkInsert } from './bulk.ts';
import { isHeld, type MaybeOwner, mayTake, takeRows } from './claims.ts';
import { chunks, type Database, type Handle, transaction } from './database.ts';
import { insertDeadLetters } from './dead-letters.ts';
import { findEvents, type Look, takeEvents, takersOf } from './subjects.ts';

interface NewEvent {
  readonly type: string;
  readonly workspaceId: string | null;
  /** The event as JSON text. */
  readonly payload: string;
  /** The record, entry or other thing that it is about. */
  readonly subjectId?: string | null;
  /** That of its attributes which is said to have changed. */
  readonly attributeId?: string | null;
}

interface Delivery {
  /** Equal for redeliveries of one message; null when Attio sent no key: such a delivery is never a duplicate. */
  readonly dedupeKey: string | null;
  readonly receivedAt: string;
  readonly events: readonly NewEvent[];
  readonly quarantined: readonly NewDeadLetter[];
}

interface DeliveryResult {
  readonly accepted: number;
  readonly duplicates: number;
  readonly quarantined: number;
}

interface InboxRow {
  readonly id: number;
  readonly subjectId: string | null;
  readonly payload: string;
  readonly attempts: number;
  readonly receivedAt: string;
}

type Outcome = 'done' | 'kept' | 'ignored';

/**
 * What Attio told us and we answered 202 to. An event's row is `pending` until its effect is committed, then
 * `done` (or `kept` for a later version, or `ignored`); one that cannot be settled is `dead` and has a dead letter.
 */
export class InboxStore {
  readonly #db: Database;
  readonly #owner: MaybeOwner;

  constructor(db: Database, owner: MaybeOwner = null) {
    this.#db = db;
    this.#owner = owner;
  }

  /**
   * Stores deliveries in one transaction: all are durable when it resolves, or none is.
   * @param dedupeSince a message last seen before this instant counts as new
   * @param take whether this instance takes the events in hand itself, but for those about what is in others' hands
   * @returns the results, and whether events are left to others
   */
  async accept(
    deliveries: readonly Delivery[],
    dedupeSince: string,
    take = true,
  ): Promise<{ results: DeliveryResult[]; isLeft: boolean }> {
    const store = async (tx: Handle) => {
      const isNew = await claimKeys(tx, deliveries, dedupeSince);
      const fresh = deliveries.filter((_, index) => isNew[index]);
      const isPartLeft = await insertEvents(tx, fresh, take ? this.#owner : null);
      await insertDeadLetters(
        tx,
        fresh.flatMap((delivery) => delivery.quarantined),
      );
      const results = deliveries.map((delivery, index) => result(delivery, isNew[index] === true));
      return { results, isLeft: !take || isPartLeft };
    };
    // Attio waits for its answer.
    return transaction(this.#db, store, { isUrgent: true, part: 'inbox' });
  }

  /** Takes pending events that are due, in the order of their ids from after `afterId`, but for those already in hand. */
  async pending(
    now: string,
    afterId: number,
    inHand: ReadonlySet<number>,
    limit: number,
  ): Promise<InboxRow[]> {
    const look = { now, afterId, inHand, limit };
    const owner = this.#owner;
    const rows =
      owner === null
        ? await this.#due(look)
        : await takeRows(
            owner,
            () => findEvents(this.#db, owner, look),
            (_owner, ids) => transaction(this.#db, (tx) => takeEvents(tx, owner, ids), { part: 'inbox' }),
          );
    return rows.map((row) => ({
      id: row.id,
      subjectId: row.subject_id,
      payload: row.payload_json,
      attempts: row.attempts,
      receivedAt: row.received_at,
    }));
  }

  /** Where nobody else takes any. */
  async #due({ now, afterId, inHand, limit }: Look) {
    const found = await this.#db
      .selectFrom('inbox')
      .select(['id', 'subject_id', 'payload_json', 'attempts', 'received_at'])
      .where('status', '=', 'pending')
      .where('id', '>', afterId)
      .where('next_attempt_at', '<=', now)
      .orderBy('id')
      .limit(afterId === 0 ? limit + inHand.size : limit)
      .execute();
    return found.filter((row) => !inHand.has(row.id)).slice(0, limit);
  }

  /** When the next event that waits for its retry is due. */
  async nextDueAt(after: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom('inbox')
      .select((eb) => eb.fn.min('next_attempt_at').as('due'))
      .where('status', '=', 'pending')
      .where('next_attempt_at', '>', after)
      .where(mayTake(this.#owner))
      .executeTakeFirst();
    return row?.due ?? null;
  }

  /** What another instance has taken over is left to it. */
  async settle(settled: readonly { id: number; outcome: Outcome }[], at: string): Promise<void> {
    await transaction(
      this.#db,
      async (tx) => {
        for (const [outcome, rows] of Map.groupBy(settled, (row) => row.outcome)) {
          for (const part of chunks(rows.map((row) => row.id))) {
            await tx
              .updateTable('inbox')
              .set({ status: outcome, settled_at: at })
              .where('id', 'in', part)
              .where(isHeld(this.#owner))
              .execute();
          }
        }
      },
      { part: 'inbox' },
    );
  }

  async retryLater(id: number, attempts: number, nextAttemptAt: string, error: string): Promise<void> {
    await this.#db
      .updateTable('inbox')
      .set({ attempts, next_attempt_at: nextAttemptAt, last_error: error })
      .where('id', '=', id)
      .where(isHeld(this.#owner))
      .execute();
  }

  async bury(id: number, at: string, letter: NewDeadLetter): Promise<void> {
    await transaction(
      this.#db,
      async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable('inbox')
          .set({ status: 'dead', attempts: letter.attempts, settled_at: at, last_error: letter.detail })
          .where('id', '=', id)
          .where(isHeld(this.#owner))
          .executeTakeFirstOrThrow();
        if (numUpdatedRows === 1n) await insertDeadLetters(tx, [letter]);
      },
      { part: 'inbox' },
    );
  }

  /** Takes a dead event back to work and its letter away, together. */
  async revive(eventId: number, letterId: number, now: string): Promise<void> {
    await transaction(
      this.#db,
      async (tx) => {
        await tx
          .updateTable('inbox')
          .set({
            status: 'pending',
            attempts: 0,
            next_attempt_at: now,
            received_at: now,
            settled_at: null,
            claimed_by: null,
          })
          .where('id', '=', eventId)
          .execute();
        await tx.deleteFrom('dead_letter').where('id', '=', letterId).execute();
      },
      { part: 'inbox' },
    );
  }

  /**
   * When it was last said that an attribute of a record or entry had changed, as far as that was not looked into before
   * an instant: whoever read the value until then had not heard of it.
   * @returns ISO 8601 UTC; null: never, or longer ago than settled events are kept
   */
  async hintedAt(subjectId: string, attributeId: string, unseenAt: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom('inbox')
      .select((eb) => eb.fn.max('received_at').as('at'))
      .where('subject_id', '=', subjectId)
      .where('attribute_id', '=', attributeId)
      .where((eb) => eb.or([eb('settled_at', 'is', null), eb('settled_at', '>', unseenAt)]))
      .executeTakeFirst();
    return row?.at ?? null;
  }

  async stats(): Promise<{ pending: number; oldestReceivedAt: string | null }> {
    const row = await this.#db
      .selectFrom('inbox')
      .select((eb) => [eb.fn.countAll<number>().as('pending'), eb.fn.min('received_at').as('oldest')])
      .where('status', '=', 'pending')
      .executeTakeFirstOrThrow();
    return { pending: Number(row.pending), oldestReceivedAt: row.oldest };
  }
}

/** Gives back those that were not there, or long ago. */
const KEYS = new BulkInsert(
  'webhook_delivery',
  ['dedupe_key', 'received_at'],
  (since) =>
    `on conflict (dedupe_key) do update set received_at = excluded.received_at
      where webhook_delivery.received_at < ${since} returning dedupe_key`,
);

const EVENTS = new BulkInsert('inbox', [
  'event_type',
  'workspace_id',
  'payload_json',
  'subject_id',
  'attribute_id',
  'status',
  'attempts',
  'next_attempt_at',
  'received_at',
  'claimed_by',
]);

/** Which deliveries are seen for the first time; the first of several twins in one call is. */
async function claimKeys(
  tx: Handle,
  deliveries: readonly Delivery[],
  dedupeSince: string,
): Promise<boolean[]> {
  const receivedAt = new Map<string, string>();
  for (const { dedupeKey, receivedAt: at } of deliveries)
    if (dedupeKey !== null) receivedAt.set(dedupeKey, at);
  const unclaimed = new Set<string>();
  const rows = [...receivedAt].map(([key, at]) => ({ dedupe_key: key, received_at: at }));
  const claimed = await KEYS.run<{ dedupe_key: string }>(tx, rows, dedupeSince);
  for (const row of claimed) unclaimed.add(row.dedupe_key);
  return deliveries.map(({ dedupeKey }) => dedupeKey === null || unclaimed.delete(dedupeKey));
}

/** @returns whether there are some that the owner does not take */
async function insertEvents(
  tx: Handle,
  deliveries: readonly Delivery[],
  owner: MaybeOwner,
): Promise<boolean> {
  const events = deliveries.flatMap((delivery) => delivery.events);
  const subjectIds = events.flatMap(({ subjectId }) => subjectId ?? []);
  const takerOf = owner === null ? null : await takersOf(tx, owner, subjectIds);
  const rows = deliveries.flatMap((delivery) =>
    delivery.events.map(({ type, workspaceId, payload, subjectId = null, attributeId = null }) => ({
      event_type: type,
      workspace_id: workspaceId,
      payload_json: payload,
      subject_id: subjectId,
      attribute_id: attributeId,
      status: 'pending',
      attempts: 0,
      next_attempt_at: delivery.receivedAt,
      received_at: delivery.receivedAt,
      claimed_by: takerOf?.(subjectId) ?? null,
    })),
  );
  await EVENTS.run(tx, rows);
  return takerOf !== null && events.some(({ subjectId = null }) => takerOf(subjectId) === null);
}

function result(delivery: Delivery, isNew: boolean): DeliveryResult {
  const { events, quarantined } = delivery;
  return isNew
    ? { accepted: events.length, duplicates: 0, quarantined: quarantined.length }
    : { accepted: 0, duplicates: Math.max(1, events.length + quarantined.length), quarantined: 0 };
}
