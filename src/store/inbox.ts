import type { NewDeadLetter } from '../domain/dead-letters.ts';
import { chunks, type Database, type Handle, transaction } from './database.ts';
import { insertDeadLetters } from './dead-letters.ts';

interface NewEvent {
  readonly type: string;
  readonly workspaceId: string | null;
  /** The event as JSON text. */
  readonly payload: string;
  /** The record or entry, and its attribute, that is said to have changed. */
  readonly changed?: { readonly subjectId: string; readonly attributeId: string } | null;
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

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Stores deliveries in one transaction: all are durable when it resolves, or none is.
   * @param dedupeSince a message last seen before this instant counts as new
   */
  async accept(deliveries: readonly Delivery[], dedupeSince: string): Promise<DeliveryResult[]> {
    return transaction(this.#db, async (tx) => {
      const isNew = await claimKeys(tx, deliveries, dedupeSince);
      const fresh = deliveries.filter((_, index) => isNew[index]);
      await insertEvents(tx, fresh);
      await insertDeadLetters(
        tx,
        fresh.flatMap((delivery) => delivery.quarantined),
      );
      return deliveries.map((delivery, index) => result(delivery, isNew[index] === true));
    });
  }

  /** Pending events that are due, in the order of their ids from after `afterId`, without those already in hand. */
  async pending(
    now: string,
    afterId: number,
    inHand: ReadonlySet<number>,
    limit: number,
  ): Promise<InboxRow[]> {
    const rows = await this.#db
      .selectFrom('inbox')
      .select(['id', 'payload_json', 'attempts', 'received_at'])
      .where('status', '=', 'pending')
      .where('id', '>', afterId)
      .where('next_attempt_at', '<=', now)
      .orderBy('id')
      .limit(afterId === 0 ? limit + inHand.size : limit)
      .execute();
    return rows
      .filter((row) => !inHand.has(row.id))
      .slice(0, limit)
      .map((row) => ({
        id: row.id,
        payload: row.payload_json,
        attempts: row.attempts,
        receivedAt: row.received_at,
      }));
  }

  /** When the next event that waits for its retry is due. */
  async nextDueAt(after: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom('inbox')
      .select((eb) => eb.fn.min('next_attempt_at').as('due'))
      .where('status', '=', 'pending')
      .where('next_attempt_at', '>', after)
      .executeTakeFirst();
    return row?.due ?? null;
  }

  async settle(settled: readonly { id: number; outcome: Outcome }[], at: string): Promise<void> {
    await transaction(this.#db, async (tx) => {
      for (const [outcome, rows] of Map.groupBy(settled, (row) => row.outcome)) {
        for (const part of chunks(rows.map((row) => row.id))) {
          await tx
            .updateTable('inbox')
            .set({ status: outcome, settled_at: at })
            .where('id', 'in', part)
            .execute();
        }
      }
    });
  }

  async retryLater(id: number, attempts: number, nextAttemptAt: string, error: string): Promise<void> {
    await this.#db
      .updateTable('inbox')
      .set({ attempts, next_attempt_at: nextAttemptAt, last_error: error })
      .where('id', '=', id)
      .execute();
  }

  async bury(id: number, at: string, letter: NewDeadLetter): Promise<void> {
    await transaction(this.#db, async (tx) => {
      await tx
        .updateTable('inbox')
        .set({ status: 'dead', attempts: letter.attempts, settled_at: at, last_error: letter.detail })
        .where('id', '=', id)
        .execute();
      await insertDeadLetters(tx, [letter]);
    });
  }

  /** Takes a dead event back to work and its letter away, together. */
  async revive(eventId: number, letterId: number, now: string): Promise<void> {
    await transaction(this.#db, async (tx) => {
      await tx
        .updateTable('inbox')
        .set({ status: 'pending', attempts: 0, next_attempt_at: now, received_at: now, settled_at: null })
        .where('id', '=', eventId)
        .execute();
      await tx.deleteFrom('dead_letter').where('id', '=', letterId).execute();
    });
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
  for (const part of chunks([...receivedAt])) {
    const rows = await tx
      .insertInto('webhook_delivery')
      .values(part.map(([key, at]) => ({ dedupe_key: key, received_at: at })))
      .onConflict((conflict) =>
        conflict
          .column('dedupe_key')
          .doUpdateSet((eb) => ({ received_at: eb.ref('excluded.received_at') }))
          .where('webhook_delivery.received_at', '<', dedupeSince),
      )
      .returning('dedupe_key')
      .execute();
    for (const row of rows) unclaimed.add(row.dedupe_key);
  }
  return deliveries.map(({ dedupeKey }) => dedupeKey === null || unclaimed.delete(dedupeKey));
}

async function insertEvents(tx: Handle, deliveries: readonly Delivery[]): Promise<void> {
  const rows = deliveries.flatMap((delivery) =>
    delivery.events.map((event) => ({
      event_type: event.type,
      workspace_id: event.workspaceId,
      payload_json: event.payload,
      subject_id: event.changed?.subjectId ?? null,
      attribute_id: event.changed?.attributeId ?? null,
      status: 'pending',
      attempts: 0,
      next_attempt_at: delivery.receivedAt,
      received_at: delivery.receivedAt,
      settled_at: null,
      last_error: null,
    })),
  );
  for (const part of chunks(rows)) await tx.insertInto('inbox').values(part).execute();
}

function result(delivery: Delivery, isNew: boolean): DeliveryResult {
  const { events, quarantined } = delivery;
  return isNew
    ? { accepted: events.length, duplicates: 0, quarantined: quarantined.length }
    : { accepted: 0, duplicates: Math.max(1, events.length + quarantined.length), quarantined: 0 };
}
