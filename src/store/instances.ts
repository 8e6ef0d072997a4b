import { sql } from 'kysely';
import { type Database, type Handle, transaction } from './database.ts';
import { lockInbox } from './postgres.ts';

/** The database's clock: those of instances may differ. Written as all our times are, so that it sorts and reads so. */
function inMs(ms: number) {
  return sql<string>`to_char((clock_timestamp() + ${ms} * interval '1 millisecond') at time zone 'utc',
    'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/**
 * Who works on a PostgreSQL database that several share. An instance's row is its lease. As long as the row is there
 * what the instance has taken is its own, however late it is; whoever takes the row away gives that back in the same
 * commit.
 */
export class InstancesStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async register(id: string, leaseMs: number): Promise<void> {
    await this.#db
      .insertInto('instance')
      .values({ id, started_at: inMs(0), expires_at: inMs(leaseMs) })
      // Its answer was lost.
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ expires_at: inMs(leaseMs) }))
      .execute();
  }

  /**
   * @returns whether the lease is still there, now for as long again; how many are with it; and whose have run out
   */
  async renew(id: string, leaseMs: number): Promise<{ isHeld: boolean; present: number; expired: string[] }> {
    const { rows } = await sql<{ held: number; others: number; expired: string[] }>`
      with renewed as (update instance set expires_at = ${inMs(leaseMs)} where id = ${id} returning id)
      select (select count(*) from renewed) as held,
        (select count(*) from instance where id <> ${id} and expires_at >= ${inMs(0)}) as others,
        array(select id from instance where id <> ${id} and expires_at < ${inMs(0)}) as expired`.execute(
      this.#db,
    );
    const [row] = rows;
    return {
      isHeld: Number(row?.held) === 1,
      present: 1 + Number(row?.others),
      expired: row?.expired ?? [],
    };
  }

  /** Whether no other instance has a lease. */
  async isAlone(id: string): Promise<boolean> {
    const other = await this.#db.selectFrom('instance').select('id').where('id', '<>', id).executeTakeFirst();
    return other === undefined;
  }

  /**
   * Takes away the leases of those that have run out, and what they had in hand is free.
   * @param at by our clock, as next attempts are
   * @returns whether there was one
   */
  async takeOver(ids: readonly string[], at: string): Promise<boolean> {
    return this.#end(ids, at, sql<boolean>`expires_at < ${inMs(0)}`);
  }

  /** Gives up a lease of our own. */
  async release(id: string, at: string): Promise<void> {
    await this.#end([id], at, sql<boolean>`1 = 1`);
  }

  async #end(ids: readonly string[], at: string, only: ReturnType<typeof sql<boolean>>): Promise<boolean> {
    return transaction(this.#db, async (tx) => {
      await lockInbox(tx);
      const ended = await tx
        .deleteFrom('instance')
        .where('id', 'in', ids)
        .where(only)
        .returning('id')
        .execute();
      // After the leases are gone nothing can be taken by them any more: this sees all that was.
      const gone = ended.map((row) => row.id);
      if (gone.length > 0) await giveBack(tx, gone, at);
      return gone.length > 0;
    });
  }
}

async function giveBack(tx: Handle, owners: readonly string[], at: string): Promise<void> {
  for (const table of ['inbox', 'outbox'] as const) {
    await tx
      .updateTable(table)
      .set({ claimed_by: null })
      .where('status', '=', 'pending')
      .where('claimed_by', 'in', owners)
      .execute();
  }
  await tx
    .updateTable('automation_job')
    .set({ claimed_by: null, next_attempt_at: at })
    .where('status', '=', 'pending')
    .where('claimed_by', 'in', owners)
    .execute();
  await tx
    .updateTable('sync_run')
    .set({ claimed_by: null })
    .where('status', '=', 'running')
    .where('claimed_by', 'in', owners)
    .execute();
}
