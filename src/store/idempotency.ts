import { type Selectable, sql } from 'kysely';
import type { KnownRequest, StoredReply } from '../domain/idempotency.ts';
import { isHeld, type MaybeOwner } from './claims.ts';
import type { Handle } from './database.ts';
import type { IdempotencyTable } from './schema.ts';

/**
 * Requests with an idempotency key. A row begins without a reply: its request runs. It gets the reply when the
 * request ends, or goes away when the request may be tried again.
 */
export class IdempotencyStore {
  readonly #db: Handle;
  readonly #owner: MaybeOwner;

  constructor(db: Handle, owner: MaybeOwner = null) {
    this.#db = db;
    this.#owner = owner;
  }

  /** @returns what is known of the scope since `keptSince`; null when there was nothing, and the request now runs */
  async begin(request: {
    scope: string;
    fingerprint: string;
    at: string;
    keptSince: string;
  }): Promise<KnownRequest | null> {
    const { scope, fingerprint, at, keptSince } = request;
    await this.#forgetCutOff(scope);
    const row = await this.#find(scope);
    if (row !== undefined && row.started_at >= keptSince) return readRequest(row);
    if (row !== undefined) {
      await this.#db
        .deleteFrom('idempotency')
        .where('scope', '=', scope)
        .where('started_at', '<', keptSince)
        .execute();
    }
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('idempotency')
      .values({
        scope,
        fingerprint,
        started_at: at,
        status: null,
        content_type: null,
        body: null,
        claimed_by: this.#owner?.id ?? null,
      })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows === 1n) return null;
    // Somebody else was quicker.
    const quicker = await this.#find(scope);
    return quicker === undefined ? { fingerprint, reply: null } : readRequest(quicker);
  }

  async finish(scope: string, reply: StoredReply): Promise<void> {
    await this.#db
      .updateTable('idempotency')
      .set({ status: reply.status, content_type: reply.contentType, body: reply.body })
      .where('scope', '=', scope)
      .where('status', 'is', null)
      .where(isHeld(this.#owner))
      .execute();
  }

  /** Forgets a running request. */
  async release(scope: string): Promise<void> {
    await this.#db
      .deleteFrom('idempotency')
      .where('scope', '=', scope)
      .where('status', 'is', null)
      .where(isHeld(this.#owner))
      .execute();
  }

  /**
   * Forgets the requests that a crash has cut off: a process that is alone on its database is the only one that can run
   * any. Those of an instance among several are forgotten when they are met again, and the instance is gone.
   * @param startedBefore the start of this process, which may be taking requests already
   */
  async clearRunning(startedBefore: string): Promise<void> {
    await this.#db
      .deleteFrom('idempotency')
      .where('status', 'is', null)
      .where('claimed_by', 'is', null)
      .where('started_at', '<', startedBefore)
      .execute();
  }

  /** One that runs at an instance which is gone does not run any more. */
  async #forgetCutOff(scope: string): Promise<void> {
    if (this.#owner === null) return;
    await this.#db
      .deleteFrom('idempotency')
      .where('scope', '=', scope)
      .where('status', 'is', null)
      .where('claimed_by', 'is not', null)
      .where(sql<boolean>`claimed_by not in (select id from instance)`)
      .execute();
  }

  /** Forgets the replies that mention one of these ids: they may hold values of a person that is erased. */
  async eraseMentioning(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      await this.#db.deleteFrom('idempotency').where('body', 'like', `%${id}%`).execute();
    }
  }

  async #find(scope: string): Promise<Selectable<IdempotencyTable> | undefined> {
    return this.#db.selectFrom('idempotency').selectAll().where('scope', '=', scope).executeTakeFirst();
  }
}

function readRequest(row: Selectable<IdempotencyTable>): KnownRequest {
  const { fingerprint, status, content_type: contentType, body } = row;
  return { fingerprint, reply: status === null ? null : { status, contentType, body: body ?? '' } };
}
