import { sql } from 'kysely';
import { ClaimLostError } from '../domain/claims.ts';
import type { NewDeadLetter } from '../domain/dead-letters.ts';
import type { EntityKind } from '../domain/entities.ts';
import type {
  NewOutboxRow,
  OutboxOutcome,
  OutboxRow,
  WriteBase,
  WriteKind,
  WriteRow,
} from '../domain/outbox.ts';
import type { SyncFailure } from '../domain/sync-state.ts';
import { among } from './bulk.ts';
import { claimRows, isHeld, type MaybeOwner, mayTake, takenBy, takeRows } from './claims.ts';
import { chunks, type Handle, loadBy, parseJson } from './database.ts';
import { insertDeadLetters } from './dead-letters.ts';
import { newRow, readRow } from './outbox-rows.ts';
import { sendable } from './sendable.ts';

const NO_VALUES = { intent_json: '{}', base_json: '{}', undo_json: '{}', key: null };

/**
 * What internal systems asked to be written to Attio and were answered for. A row is `pending` until its effect is in
 * Attio and committed here, then `done`; one that Attio refuses for good is `refused` when its sender was told, else
 * `dead` with a dead letter. Rows of one thing are settled in the order of their ids. Settled rows hold no values.
 */
export class OutboxStore {
  readonly #db: Handle;
  readonly #owner: MaybeOwner;

  constructor(db: Handle, owner: MaybeOwner = null) {
    this.#db = db;
    this.#owner = owner;
  }

  /** One that somebody waits for is in this instance's hand from the start: whoever waits is told by it. */
  async add(row: NewOutboxRow<WriteKind>): Promise<number> {
    const isTaken = this.#owner !== null && row.waitedFor === true;
    const { id } = await this.#db
      .insertInto('outbox')
      .values({ ...newRow(row), ...(isTaken ? { claimed_by: takenBy(this.#owner) } : {}) })
      .returning('id')
      .executeTakeFirstOrThrow();
    const waits = (row.alsoAfter ?? []).map((after_id) => ({ outbox_id: id, after_id }));
    for (const part of chunks(waits)) await this.#db.insertInto('outbox_wait').values(part).execute();
    return id;
  }

  async get(id: number): Promise<(WriteRow & { readonly status: string }) | undefined> {
    const row = await this.#db.selectFrom('outbox').selectAll().where('id', '=', id).executeTakeFirst();
    return row && { ...readRow(row), status: row.status };
  }

  /** Takes rows that may be sent now, the oldest first: the first pending one of each thing, and none before those it waits for. */
  async due(
    now: string,
    but: { readonly inHand: ReadonlySet<number>; readonly held: readonly WriteKind[] },
    limit: number,
  ): Promise<WriteRow[]> {
    const { inHand, held } = but;
    const find = async () => {
      const found = await sendable(this.#db, this.#owner, now, held)
        .limit(limit + inHand.size)
        .execute();
      return found.filter((row) => !inHand.has(row.id)).slice(0, limit);
    };
    const rows = await takeRows(this.#owner, find, (owner, ids) => claimRows(this.#db, owner, ids));
    return rows.map(readRow);
  }

  /** Which of these are pending no more. */
  async ended(
    ids: readonly number[],
  ): Promise<{ id: number; kind: WriteKind; entityId: string; status: string }[]> {
    const rows = await this.#db
      .selectFrom('outbox')
      .select(['id', 'kind', 'entity_id', 'status'])
      .where('id', 'in', ids)
      .where('status', '<>', 'pending')
      .execute();
    // Of either; written from a NewOutboxRow.
    return rows.map((row) => ({ ...row, kind: row.kind as WriteKind, entityId: row.entity_id }));
  }

  /** When the next row that waits for its retry is due. */
  async nextDueAt(after: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom('outbox')
      .select((eb) => eb.fn.min('next_attempt_at').as('due'))
      .where('status', '=', 'pending')
      .where('next_attempt_at', '>', after)
      .where(mayTake(this.#owner))
      .executeTakeFirst();
    return row?.due ?? null;
  }

  /** What was put off is due now. */
  async hurry(now: string): Promise<void> {
    await this.#db
      .updateTable('outbox')
      .set({ next_attempt_at: now })
      .where('status', '=', 'pending')
      .where('next_attempt_at', '>', now)
      .where(mayTake(this.#owner))
      .execute();
  }

  /** Pending rows by thing, in order. */
  async pendingOf<K extends WriteKind>(
    kind: K,
    entityIds: readonly string[],
  ): Promise<Map<string, OutboxRow<K>[]>> {
    const byId = await loadBy(
      entityIds,
      (ids) =>
        this.#db
          .selectFrom('outbox')
          .selectAll()
          .where('kind', '=', kind)
          .where('entity_id', 'in', among(this.#db, ids))
          .where('status', '=', 'pending')
          .orderBy('id')
          .execute(),
      (row) => String(row.id),
      (row) => readRow(row) as WriteRow as OutboxRow<K>, // those of this kind were asked for
    );
    return Map.groupBy(
      [...byId.values()].sort((a, b) => a.id - b.id),
      (row) => row.entityId,
    );
  }

  /** Which of these things have pending rows. */
  async pendingAmong(kind: WriteKind, entityIds: readonly string[]): Promise<Set<string>> {
    const found = await loadBy(
      entityIds,
      (ids) =>
        this.#db
          .selectFrom('outbox')
          .select('entity_id')
          .distinct()
          .where('kind', '=', kind)
          .where('entity_id', 'in', ids)
          .where('status', '=', 'pending')
          .execute(),
      (row) => row.entity_id,
      () => true,
    );
    return new Set(found.keys());
  }

  /** Only a pending row can be settled, by whoever has it. @returns whether it was pending @throws ClaimLostError */
  async settle(
    id: number,
    outcome: OutboxOutcome,
    at: string,
    failure: SyncFailure | null,
  ): Promise<boolean> {
    const { numUpdatedRows } = await this.#settled(outcome, at, failure)
      .where('id', '=', id)
      .where('status', '=', 'pending')
      .where(isHeld(this.#owner))
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) await this.#assertHeld(id);
    return numUpdatedRows === 1n;
  }

  /** Takes back what was asked for, whoever has it in hand. */
  async callOff(id: number, at: string): Promise<void> {
    await this.#settled('cancelled', at, null).where('id', '=', id).where('status', '=', 'pending').execute();
  }

  #settled(outcome: OutboxOutcome, at: string, failure: SyncFailure | null) {
    return this.#db.updateTable('outbox').set({
      status: outcome,
      settled_at: at,
      error_json: failure === null ? null : JSON.stringify(failure),
      // A dead one may be replayed: its values are needed then.
      ...(outcome === 'dead' ? {} : NO_VALUES),
    });
  }

  /** @throws ClaimLostError */
  async #assertHeld(id: number): Promise<void> {
    if (this.#owner === null) return;
    const row = await this.#db
      .selectFrom('outbox')
      .select('id')
      .where('id', '=', id)
      .where('status', '=', 'pending')
      .where(sql<boolean>`claimed_by is distinct from ${this.#owner.id}`)
      .executeTakeFirst();
    if (row !== undefined) throw new ClaimLostError();
  }

  async bury(letter: NewDeadLetter): Promise<void> {
    await insertDeadLetters(this.#db, [letter]);
  }

  async rebase(id: number, base: WriteBase): Promise<void> {
    await this.#db
      .updateTable('outbox')
      .set({ base_json: JSON.stringify(base) })
      .where('id', '=', id)
      .execute();
  }

  /** What the external id goes back to when a pending row is refused; of a dead one, what a replay of it sets. */
  async setExternalIdBefore(id: number, externalId: string | null): Promise<void> {
    await this.#db
      .updateTable('outbox')
      .set({ undo_json: JSON.stringify({ externalId }) })
      .where('id', '=', id)
      .where('status', 'in', ['pending', 'dead'])
      .execute();
  }

  /** Pending and dead upserts of one thing become another's. A deletion is of the thing itself. */
  async redirect(kind: EntityKind, fromId: string, toId: string): Promise<void> {
    await this.#db
      .updateTable('outbox')
      .set({ entity_id: toId })
      .where('kind', '=', kind)
      .where('operation', 'in', ['upsert', 'restore'])
      .where('entity_id', '=', fromId)
      .where('status', 'in', ['pending', 'dead'])
      .execute();
  }

  /**
   * A request that makes something is about to be sent: from now on it is looked for before it is sent again.
   * @throws ClaimLostError
   */
  async markSent(id: number, at: string): Promise<void> {
    const { numUpdatedRows } = await this.#db
      .updateTable('outbox')
      .set({ sent_at: at })
      .where('id', '=', id)
      .where('sent_at', 'is', null)
      .where(isHeld(this.#owner))
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) await this.#assertHeld(id);
  }

  async retryLater(id: number, attempts: number, nextAttemptAt: string): Promise<void> {
    await this.#db
      .updateTable('outbox')
      .set({ attempts, next_attempt_at: nextAttemptAt })
      .where('id', '=', id)
      .where('status', '=', 'pending')
      .where(isHeld(this.#owner))
      .execute();
  }

  /** Takes a dead row back to work, as accepted now, and its letter away. @returns whether there was one */
  async revive(id: number, letterId: number, now: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('outbox')
      .set({
        status: 'pending',
        attempts: 0,
        next_attempt_at: now,
        accepted_at: now,
        settled_at: null,
        error_json: null,
        claimed_by: null,
      })
      .where('id', '=', id)
      .where('status', '=', 'dead')
      .executeTakeFirstOrThrow();
    await this.#db.deleteFrom('dead_letter').where('id', '=', letterId).execute();
    return numUpdatedRows === 1n;
  }

  /** Forgets what is on its way for things, values and letters included. @returns ids of rows that were pending */
  async cancelOf(kind: WriteKind, entityIds: readonly string[], at: string): Promise<number[]> {
    const cancelled: number[] = [];
    for (const part of chunks(entityIds)) cancelled.push(...(await this.#cancel(kind, part, at)));
    return cancelled;
  }

  /** Whether the record of a thing was asked to be deleted after a row of it, done or not. */
  async isToBeDeleted(kind: EntityKind, entityId: string, afterId: number): Promise<boolean> {
    const row = await this.#db
      .selectFrom('outbox')
      .select('id')
      .where('kind', '=', kind)
      .where('entity_id', '=', entityId)
      .where('operation', '=', 'delete')
      .where('id', '>', afterId)
      .where('status', 'in', ['pending', 'done'])
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Why the newest of a thing's dead writes is dead; null when there is none. */
  async lastFailureOf(kind: WriteKind, entityId: string): Promise<SyncFailure | null> {
    const row = await this.#db
      .selectFrom('outbox')
      .select('error_json')
      .where('kind', '=', kind)
      .where('entity_id', '=', entityId)
      .where('status', '=', 'dead')
      .orderBy('id', 'desc')
      .executeTakeFirst();
    return row?.error_json == null ? null : parseJson(row.error_json);
  }

  async stats(): Promise<{ pending: number; oldestAcceptedAt: string | null }> {
    const row = await this.#db
      .selectFrom('outbox')
      .select((eb) => [eb.fn.countAll<number>().as('pending'), eb.fn.min('accepted_at').as('oldest')])
      .where('status', '=', 'pending')
      .executeTakeFirstOrThrow();
    return { pending: Number(row.pending), oldestAcceptedAt: row.oldest };
  }

  async #cancel(kind: WriteKind, entityIds: readonly string[], at: string): Promise<number[]> {
    const rows = await this.#db
      .selectFrom('outbox')
      .select(['id', 'status'])
      .where('kind', '=', kind)
      .where('entity_id', 'in', entityIds)
      .where('status', 'in', ['pending', 'dead'])
      .orderBy('id')
      .execute();
    for (const part of chunks(rows.map((row) => row.id))) {
      await this.#db.deleteFrom('dead_letter').where('outbox_id', 'in', part).execute();
      await this.#db
        .updateTable('outbox')
        .set({ status: 'cancelled', settled_at: at, ...NO_VALUES })
        .where('id', 'in', part)
        .execute();
    }
    // Attio's words about what was refused may quote it.
    await this.#db
      .updateTable('outbox')
      .set({ error_json: null })
      .where('kind', '=', kind)
      .where('entity_id', 'in', entityIds)
      .where('error_json', 'is not', null)
      .execute();
    return rows.filter((row) => row.status === 'pending').map((row) => row.id);
  }
}
