import type { Selectable } from 'kysely';
import type { AutomationJob, NewAutomationJob } from '../domain/automations.ts';
import type { NewDeadLetter } from '../domain/dead-letters.ts';
import { isRegistered, type MaybeOwner, mayTake } from './claims.ts';
import { chunks, type Database, type Handle, transaction } from './database.ts';
import { insertDeadLetters } from './dead-letters.ts';
import type { AutomationJobTable } from './schema.ts';

/**
 * What automations have to do. A job is `pending` until its run has ended well (`done`); one that is given up is `dead`
 * and has a dead letter. Whoever runs it takes it first, for a while: nobody else runs it meanwhile, and after a crash it
 * is due again when the while is over, or when its instance is found dead.
 */
export class AutomationJobsStore {
  readonly #db: Database;
  readonly #owner: MaybeOwner;

  constructor(db: Database, owner: MaybeOwner = null) {
    this.#db = db;
    this.#owner = owner;
  }

  /** Stores jobs in one transaction. One that is there already stays as it is. */
  async add(jobs: readonly NewAutomationJob[]): Promise<void> {
    await transaction(this.#db, async (tx) => {
      for (const part of chunks(jobs)) await insert(tx, part, 'pending');
    });
  }

  /** Stores jobs that are not to be run, each with the letter that says why. */
  async addDead(rejected: readonly { job: NewAutomationJob; letter: NewDeadLetter }[]): Promise<void> {
    await transaction(this.#db, async (tx) => {
      for (const { job, letter } of rejected) {
        if ((await insert(tx, [job], 'dead')) === 1) await insertDeadLetters(tx, [letter]);
      }
    });
  }

  /** The first pending one of each thing, if it is due and not in hand; in the order of their ids. */
  async due(
    automation: string,
    now: string,
    inHand: ReadonlySet<number>,
    limit: number,
  ): Promise<AutomationJob[]> {
    const rows = await this.#db
      .selectFrom('automation_job as job')
      .selectAll()
      .where('automation', '=', automation)
      .where('status', '=', 'pending')
      .where('next_attempt_at', '<=', now)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('automation_job as earlier')
              .select('earlier.id')
              .whereRef('earlier.automation', '=', 'job.automation')
              .whereRef('earlier.thing', '=', 'job.thing')
              .whereRef('earlier.event_id', '<', 'job.event_id')
              .where('earlier.status', '=', 'pending'),
          ),
        ),
      )
      .orderBy('id')
      .limit(limit + inHand.size)
      .execute();
    return rows
      .filter((row) => !inHand.has(row.id))
      .slice(0, limit)
      .map(readJob);
  }

  /** When the next job that waits is due. */
  async nextDueAt(automation: string, after: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom('automation_job')
      .select((eb) => eb.fn.min('next_attempt_at').as('due'))
      .where('automation', '=', automation)
      .where('status', '=', 'pending')
      .where('next_attempt_at', '>', after)
      .executeTakeFirst();
    return row?.due ?? null;
  }

  /** @returns whether it was there to be taken: then it is nobody else's until that instant */
  async take(id: number, now: string, until: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('automation_job')
      .set({ next_attempt_at: until, claimed_by: this.#owner?.id ?? null })
      .where('id', '=', id)
      .where('status', '=', 'pending')
      .where('next_attempt_at', '<=', now)
      .where(isRegistered(this.#owner))
      .executeTakeFirstOrThrow();
    return numUpdatedRows === 1n;
  }

  async done(id: number, at: string): Promise<void> {
    await this.#db
      .updateTable('automation_job')
      .set({ status: 'done', settled_at: at })
      .where('id', '=', id)
      .where('status', '=', 'pending')
      .where(mayTake(this.#owner))
      .execute();
  }

  async retryLater(id: number, attempts: number, nextAttemptAt: string): Promise<void> {
    await this.#db
      .updateTable('automation_job')
      .set({ attempts, next_attempt_at: nextAttemptAt, claimed_by: null })
      .where('id', '=', id)
      .where('status', '=', 'pending')
      .where(mayTake(this.#owner))
      .execute();
  }

  /** Gives jobs up, in one transaction; one that is not pending stays as it is. */
  async bury(given: readonly { id: number; letter: NewDeadLetter }[]): Promise<void> {
    await transaction(this.#db, async (tx) => {
      for (const { id, letter } of given) {
        if ((await markDead(tx, this.#owner, id, letter)) === 1) await insertDeadLetters(tx, [letter]);
      }
    });
  }

  /** Pending ones of automations that are not among these, and that are older than that. */
  async pendingOfOthers(
    automations: readonly string[],
    createdBefore: string,
    limit: number,
  ): Promise<AutomationJob[]> {
    const rows = await this.#db
      .selectFrom('automation_job')
      .selectAll()
      .where('status', '=', 'pending')
      .where('automation', 'not in', automations)
      .where('created_at', '<=', createdBefore)
      .orderBy('id')
      .limit(limit)
      .execute();
    return rows.map(readJob);
  }

  /** Takes a dead one back to work and its letter away, together. @returns whether there was one */
  async revive(automation: string, eventId: number, letterId: number, now: string): Promise<boolean> {
    return transaction(this.#db, async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('automation_job')
        .set({
          status: 'pending',
          attempts: 0,
          next_attempt_at: now,
          created_at: now,
          settled_at: null,
          claimed_by: null,
        })
        .where('automation', '=', automation)
        .where('event_id', '=', eventId)
        .where('status', '=', 'dead')
        .executeTakeFirstOrThrow();
      if (numUpdatedRows !== 1n) return false;
      await tx.deleteFrom('dead_letter').where('id', '=', letterId).execute();
      return true;
    });
  }

  /** Pending ones by automation; one that has none is left out. */
  async pending(): Promise<Map<string, number>> {
    const rows = await this.#db
      .selectFrom('automation_job')
      .select((eb) => ['automation', eb.fn.countAll<number>().as('count')])
      .where('status', '=', 'pending')
      .groupBy('automation')
      .execute();
    return new Map(rows.map((row) => [row.automation, Number(row.count)]));
  }
}

/** @returns how many were not there before */
async function insert(tx: Handle, jobs: readonly NewAutomationJob[], status: 'pending' | 'dead') {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('automation_job')
    .values(
      jobs.map((job) => ({
        automation: job.automation,
        event_id: job.eventId,
        event_type: job.eventType,
        payload_json: job.payload,
        thing: job.thing,
        status,
        attempts: 0,
        next_attempt_at: job.createdAt,
        created_at: job.createdAt,
        settled_at: status === 'dead' ? job.createdAt : null,
      })),
    )
    .onConflict((conflict) => conflict.columns(['automation', 'event_id']).doNothing())
    .executeTakeFirstOrThrow();
  return Number(numInsertedOrUpdatedRows ?? 0);
}

async function markDead(tx: Handle, owner: MaybeOwner, id: number, letter: NewDeadLetter): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable('automation_job')
    .set({ status: 'dead', attempts: letter.attempts, settled_at: letter.createdAt })
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .where(mayTake(owner))
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

function readJob(row: Selectable<AutomationJobTable>): AutomationJob {
  return {
    id: row.id,
    automation: row.automation,
    eventId: row.event_id,
    eventType: row.event_type,
    payload: row.payload_json,
    thing: row.thing,
    attempts: row.attempts,
    createdAt: row.created_at,
  };
}
