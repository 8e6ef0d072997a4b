import type { Selectable } from 'kysely';
import type { ChangeWebhook, ChangeWebhookState } from '../domain/change-webhooks.ts';
import { ChangesStore } from './changes.ts';
import { type Database, type Handle, transaction } from './database.ts';
import type { ChangeWebhookTable } from './schema.ts';

/** The places that changes are pushed to: how far each is, how it fares, and which instance pushes to it. */
export class ChangeWebhooksStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** One that is new starts at the end of the feed. */
  async register(endpoints: readonly { id: string; host: string }[], now: string): Promise<void> {
    if (endpoints.length === 0) return;
    await transaction(this.#db, async (tx) => {
      const { newest } = await new ChangesStore(tx).bounds();
      await tx
        .insertInto('change_webhook')
        .values(
          endpoints.map(({ id, host }) => ({
            id,
            host,
            status: 'active',
            position: newest,
            missed: 0,
            created_at: now,
            seen_at: now,
          })),
        )
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ seen_at: now }))
        .execute();
    });
  }

  /** The oldest first. */
  async list(): Promise<ChangeWebhookState[]> {
    const rows = await this.#db
      .selectFrom('change_webhook')
      .selectAll()
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    const { newest } = await new ChangesStore(this.#db).bounds();
    return Promise.all(rows.map((row) => this.#withQueue(row, newest)));
  }

  async get(id: string): Promise<ChangeWebhookState | undefined> {
    const row = await this.#db
      .selectFrom('change_webhook')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const { newest } = await new ChangesStore(this.#db).bounds();
    return this.#withQueue(row, newest);
  }

  /** Whether it is pushed to, and whether there are changes that were not looked at for it. */
  async look(id: string): Promise<{ active: boolean; behind: boolean }> {
    const row = await this.#db
      .selectFrom('change_webhook as webhook')
      .select(({ exists, selectFrom }) => [
        'webhook.status',
        exists(selectFrom('change').select('change.seq').whereRef('change.seq', '>', 'webhook.position')).as(
          'behind',
        ),
      ])
      .where('webhook.id', '=', id)
      .executeTakeFirst();
    // True on one engine, 1 on the other.
    return { active: row?.status === 'active', behind: Boolean(row?.behind) };
  }

  /**
   * Takes those that nobody else has, and keeps those that are taken already.
   * @returns the ids of those that are this instance's until then
   */
  async lease(ids: readonly string[], owner: string, now: string, until: string): Promise<string[]> {
    const rows = await this.#db
      .updateTable('change_webhook')
      .set({ lease_owner: owner, lease_until: until, seen_at: now })
      .where('id', 'in', ids)
      .where((eb) =>
        eb.or([eb('lease_owner', 'is', null), eb('lease_owner', '=', owner), eb('lease_until', '<=', now)]),
      )
      .returning('id')
      .execute();
    return rows.map((row) => row.id);
  }

  /** What this instance has is free for the next. */
  async release(owner: string): Promise<void> {
    await this.#db
      .updateTable('change_webhook')
      .set({ lease_owner: null, lease_until: null })
      .where('lease_owner', '=', owner)
      .execute();
  }

  /** @returns whether it was active */
  async disable(id: string, reason: string, at: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('change_webhook')
      .set({ status: 'disabled', disabled_at: at, disabled_reason: reason })
      .where('id', '=', id)
      .where('status', '=', 'active')
      .executeTakeFirstOrThrow();
    return numUpdatedRows === 1n;
  }

  /** What waits for it is due now, with all its attempts before it. @returns whether there is such a one */
  async enable(id: string, at: string): Promise<boolean> {
    return transaction(this.#db, async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('change_webhook')
        .set({ status: 'active', failing_since: null, disabled_at: null, disabled_reason: null })
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      await tx
        .updateTable('change_delivery')
        .set({ attempts: 0, next_attempt_at: at })
        .where('webhook_id', '=', id)
        .where('status', '=', 'pending')
        .execute();
      return numUpdatedRows === 1n;
    });
  }

  async #withQueue(row: Selectable<ChangeWebhookTable>, newest: number): Promise<ChangeWebhookState> {
    const counts = await this.#db
      .selectFrom('change_delivery')
      .select((eb) => ['status', eb.fn.countAll<number>().as('count'), eb.fn.min('changed_at').as('oldest')])
      .where('webhook_id', '=', row.id)
      .groupBy('status')
      .execute();
    const queued = counts.find(({ status }) => status === 'pending');
    const dead = counts.find(({ status }) => status === 'dead');
    const behind = Math.max(0, newest - row.position);
    const oldest = queued?.oldest ?? (behind > 0 ? await this.#firstAfter(row.position) : null);
    return {
      ...readWebhook(row),
      pending: Number(queued?.count ?? 0) + behind,
      oldestAt: oldest,
      dead: Number(dead?.count ?? 0),
    };
  }

  async #firstAfter(seq: number): Promise<string | null> {
    const row = await this.#db
      .selectFrom('change')
      .select('at')
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(1)
      .executeTakeFirst();
    return row?.at ?? null;
  }
}

/** It is told that a delivery has failed. @returns since when it fails */
export async function noteFailure(tx: Handle, id: string, error: string, at: string): Promise<string> {
  const row = await tx
    .updateTable('change_webhook')
    .set((eb) => ({
      last_error: error,
      last_error_at: at,
      failing_since: eb.fn.coalesce('failing_since', eb.val(at)),
    }))
    .where('id', '=', id)
    .returning('failing_since')
    .executeTakeFirst();
  return row?.failing_since ?? at;
}

function readWebhook(row: Selectable<ChangeWebhookTable>): ChangeWebhook {
  return {
    id: row.id,
    host: row.host,
    status: row.status === 'disabled' ? 'disabled' : 'active',
    position: row.position,
    missed: row.missed,
    createdAt: row.created_at,
    lastSuccessAt: row.last_success_at,
    lastErrorAt: row.last_error_at,
    lastError: row.last_error,
    failingSince: row.failing_since,
    disabledAt: row.disabled_at,
    disabledReason: row.disabled_reason,
  };
}
