import { type Selectable, sql } from 'kysely';
import type { ChangeDelivery, PushCandidate } from '../domain/change-webhooks.ts';
import type { Change } from '../domain/changes.ts';
import type { NewDeadLetter } from '../domain/dead-letters.ts';
import { noteFailure } from './change-webhooks.ts';
import { ChangesStore } from './changes.ts';
import { chunks, type Database, type Handle, parseJson, transaction } from './database.ts';
import { insertDeadLetters } from './dead-letters.ts';
import type { ChangeDeliveryTable } from './schema.ts';

/** A failed delivery. */
export interface FailedDelivery {
  readonly delivery: ChangeDelivery;
  readonly error: string;
  readonly at: string;
  /** When it is tried again; a letter when it is not. */
  readonly then: { readonly nextAttemptAt: string } | { readonly letter: NewDeadLetter };
}

/**
 * What is to be told to whom. A delivery names its change and holds nothing of it: what is erased from the feed is
 * erased from here. It is there until it is made, or dead with a letter.
 */
export class ChangeDeliveriesStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async change(seq: number): Promise<Change | undefined> {
    return new ChangesStore(this.#db).get(seq);
  }

  /**
   * Looks at the next changes for a webhook and makes deliveries of those that are to be pushed, with the step forward
   * in one transaction.
   * @returns how many were looked at
   */
  async plan(
    webhookId: string,
    limit: number,
    isPushed: (change: PushCandidate, firstSyncs: ReadonlyMap<string, number>) => boolean,
  ): Promise<number> {
    return transaction(this.#db, async (tx) => {
      const webhook = await tx
        .selectFrom('change_webhook')
        .select(['position', 'status'])
        .where('id', '=', webhookId)
        .executeTakeFirst();
      if (webhook?.status !== 'active') return 0;
      const rows = await changesAfter(tx, webhook.position, limit);
      const last = rows.at(-1);
      if (last === undefined) return 0;
      const firstSyncs = await firstSyncsOf(tx);
      const pushed = rows.filter((row) => isPushed(candidate(row), firstSyncs));
      for (const part of chunks(pushed)) {
        await tx
          .insertInto('change_delivery')
          .values(
            part.map((row) => ({
              webhook_id: webhookId,
              seq: row.seq,
              thing: row.id,
              merged_thing: row.merged_id,
              status: 'pending',
              attempts: 0,
              next_attempt_at: row.at,
              changed_at: row.at,
            })),
          )
          .execute();
      }
      await tx
        .updateTable('change_webhook')
        .set({ position: last.seq })
        .where('id', '=', webhookId)
        .execute();
      return rows.length;
    });
  }

  /** The first pending one of each thing, if it is due and not in hand, in the order of the feed. */
  async due(
    webhookId: string,
    now: string,
    inHand: ReadonlySet<number>,
    limit: number,
  ): Promise<ChangeDelivery[]> {
    // A merge is about two things: it waits for what is before it of both, and what comes of both waits for it.
    const rows = await this.#db
      .selectFrom('change_delivery as delivery')
      .selectAll()
      .where('webhook_id', '=', webhookId)
      .where('status', '=', 'pending')
      .where('next_attempt_at', '<=', now)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('change_delivery as earlier')
              .select('earlier.id')
              .whereRef('earlier.webhook_id', '=', 'delivery.webhook_id')
              .whereRef('earlier.thing', '=', 'delivery.thing')
              .whereRef('earlier.seq', '<', 'delivery.seq')
              .where('earlier.status', '=', 'pending'),
          ),
        ),
      )
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('change_delivery as earlier')
              .select('earlier.id')
              .whereRef('earlier.webhook_id', '=', 'delivery.webhook_id')
              .whereRef('earlier.thing', '=', 'delivery.merged_thing')
              .whereRef('earlier.seq', '<', 'delivery.seq')
              .where('earlier.status', '=', 'pending'),
          ),
        ),
      )
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('change_delivery as earlier')
              .select('earlier.id')
              .whereRef('earlier.webhook_id', '=', 'delivery.webhook_id')
              .whereRef('earlier.merged_thing', '=', 'delivery.thing')
              .whereRef('earlier.seq', '<', 'delivery.seq')
              .where('earlier.status', '=', 'pending'),
          ),
        ),
      )
      .orderBy('seq')
      .limit(limit + inHand.size)
      .execute();
    return rows
      .filter((row) => !inHand.has(row.id))
      .slice(0, limit)
      .map(readDelivery);
  }

  async nextDueAt(webhookId: string, after: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom('change_delivery')
      .select((eb) => eb.fn.min('next_attempt_at').as('due'))
      .where('webhook_id', '=', webhookId)
      .where('status', '=', 'pending')
      .where('next_attempt_at', '>', after)
      .executeTakeFirst();
    return row?.due ?? null;
  }

  async countPending(webhookId: string): Promise<number> {
    const row = await this.#db
      .selectFrom('change_delivery')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('webhook_id', '=', webhookId)
      .where('status', '=', 'pending')
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  /** Deliveries that were made, in one transaction. */
  async delivered(made: readonly { id: number; webhookId: string; at: string }[]): Promise<void> {
    await transaction(this.#db, async (tx) => {
      for (const part of chunks(made)) {
        await tx
          .deleteFrom('change_delivery')
          .where(
            'id',
            'in',
            part.map(({ id }) => id),
          )
          .execute();
      }
      const latest = new Map(made.map(({ webhookId, at }) => [webhookId, at]));
      for (const [id, at] of latest) {
        await tx
          .updateTable('change_webhook')
          .set({ last_success_at: at, failing_since: null })
          .where('id', '=', id)
          .execute();
      }
    });
  }

  /** @returns since when its webhook fails */
  async failed({ delivery, error, at, then }: FailedDelivery): Promise<string> {
    return transaction(this.#db, async (tx) => {
      const dies = 'letter' in then;
      const { numUpdatedRows } = await tx
        .updateTable('change_delivery')
        .set({
          attempts: delivery.attempts + 1,
          ...(dies ? { status: 'dead' } : { next_attempt_at: then.nextAttemptAt }),
        })
        .where('id', '=', delivery.id)
        .where('status', '=', 'pending')
        .executeTakeFirstOrThrow();
      if (dies && numUpdatedRows === 1n) await insertDeadLetters(tx, [then.letter]);
      return noteFailure(tx, delivery.webhookId, error, at);
    });
  }

  /** @returns the webhook of a dead one */
  async webhookOf(id: number): Promise<string | null> {
    const row = await this.#db
      .selectFrom('change_delivery')
      .select('webhook_id')
      .where('id', '=', id)
      .where('status', '=', 'dead')
      .executeTakeFirst();
    return row?.webhook_id ?? null;
  }

  /** Takes a dead one back to work and its letter away, together. @returns whether there was one */
  async revive(id: number, letterId: number, now: string): Promise<boolean> {
    return transaction(this.#db, async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('change_delivery')
        .set({ status: 'pending', attempts: 0, next_attempt_at: now })
        .where('id', '=', id)
        .where('status', '=', 'dead')
        .executeTakeFirstOrThrow();
      if (numUpdatedRows !== 1n) return false;
      await tx.deleteFrom('dead_letter').where('id', '=', letterId).execute();
      return true;
    });
  }
}

/** Of what they hold only what an entry's list is read from: the rest may be large. */
async function changesAfter(tx: Handle, seq: number, limit: number) {
  return tx
    .selectFrom('change')
    .select(['seq', 'type', 'object', 'id', 'merged_id', 'at'])
    .select(sql<string | null>`case when type like 'entry.%' then data_json end`.as('entry_json'))
    .where('seq', '>', seq)
    .orderBy('seq')
    .limit(limit)
    .execute();
}

function candidate(row: Awaited<ReturnType<typeof changesAfter>>[number]): PushCandidate {
  const { seq, type, object, entry_json: entry } = row;
  return { seq, type, object, listId: entry === null ? null : listIdIn(parseJson(entry)) };
}

function listIdIn(entry: { listId?: unknown }): string | null {
  return typeof entry.listId === 'string' ? entry.listId : null;
}

async function firstSyncsOf(tx: Handle): Promise<ReadonlyMap<string, number>> {
  const rows = await tx.selectFrom('first_sync').selectAll().execute();
  return new Map(rows.map((row) => [row.scope, row.after_seq]));
}

function readDelivery(row: Selectable<ChangeDeliveryTable>): ChangeDelivery {
  return { id: row.id, webhookId: row.webhook_id, seq: row.seq, attempts: row.attempts };
}
