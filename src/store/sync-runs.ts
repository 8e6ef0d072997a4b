import { type Insertable, type Selectable, sql } from 'kysely';
import { ClaimLostError } from '../domain/claims.ts';
import type { RunCounts, RunStatus, SyncRun } from '../domain/sync-runs.ts';
import { isHeld, isRegistered, type MaybeOwner, mayTake, takenBy } from './claims.ts';
import { type Handle, parseJson } from './database.ts';
import type { SyncRunTable } from './schema.ts';

interface Page {
  readonly offset: number;
  readonly recordIds: readonly string[];
  readonly readAt: string;
  readonly last: boolean;
}

/** Full-sync runs and their checkpoints. */
export class SyncRunsStore {
  readonly #db: Handle;
  readonly #owner: MaybeOwner;

  constructor(db: Handle, owner: MaybeOwner = null) {
    this.#db = db;
    this.#owner = owner;
  }

  /** One that is new is this instance's. */
  async start(run: SyncRun): Promise<{ run: SyncRun; alreadyRunning: boolean }> {
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('sync_run')
      .values({ ...writeRun(run), claimed_by: takenBy(this.#owner) })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows === 1n) return { run, alreadyRunning: false };
    const running = await this.runningFor(run.object);
    // The one in the way has finished in between: now there is room.
    return running === undefined ? this.start(run) : { run: running, alreadyRunning: true };
  }

  /** @returns whether a run that runs is this instance's now */
  async take(runId: string): Promise<boolean> {
    if (this.#owner === null) return true;
    const { numUpdatedRows } = await this.#db
      .updateTable('sync_run')
      .set({ claimed_by: this.#owner.id })
      .where('run_id', '=', runId)
      .where('status', '=', 'running')
      .where(mayTake(this.#owner))
      .where(isRegistered(this.#owner))
      .executeTakeFirstOrThrow();
    return numUpdatedRows === 1n;
  }

  async get(runId: string): Promise<SyncRun | undefined> {
    const row = await this.#db
      .selectFrom('sync_run')
      .selectAll()
      .where('run_id', '=', runId)
      .executeTakeFirst();
    return row && readRun(row);
  }

  async children(runId: string): Promise<SyncRun[]> {
    const rows = await this.#db
      .selectFrom('sync_run')
      .selectAll()
      .where('parent_run_id', '=', runId)
      .orderBy('started_at')
      .orderBy('run_id')
      .execute();
    return rows.map(readRun);
  }

  /** Newest first, from before `before` (`startedAt` and run id, which breaks ties). */
  async list(before: { startedAt: string; runId: string } | null, limit: number): Promise<SyncRun[]> {
    let query = this.#db.selectFrom('sync_run').selectAll();
    if (before !== null) {
      query = query.where((eb) =>
        eb.or([
          eb('started_at', '<', before.startedAt),
          eb.and([eb('started_at', '=', before.startedAt), eb('run_id', '<', before.runId)]),
        ]),
      );
    }
    const rows = await query.orderBy('started_at', 'desc').orderBy('run_id', 'desc').limit(limit).execute();
    return rows.map(readRun);
  }

  async running(): Promise<SyncRun[]> {
    const rows = await this.#db
      .selectFrom('sync_run')
      .selectAll()
      .where('status', '=', 'running')
      .orderBy('started_at')
      .execute();
    return rows.map(readRun);
  }

  async runningFor(object: string): Promise<SyncRun | undefined> {
    const row = await this.#db
      .selectFrom('sync_run')
      .selectAll()
      .where('object', '=', object)
      .where('status', '=', 'running')
      .executeTakeFirst();
    return row && readRun(row);
  }

  /** @throws ClaimLostError when another instance works on the run, or somebody has ended it */
  async addCounts(runId: string, counts: Partial<RunCounts>): Promise<void> {
    const { numUpdatedRows } = await this.#db
      .updateTable('sync_run')
      .set((eb) => ({
        pages: eb('pages', '+', counts.pages ?? 0),
        seen: eb('seen', '+', counts.seen ?? 0),
        created: eb('created', '+', counts.created ?? 0),
        updated: eb('updated', '+', counts.updated ?? 0),
        unchanged: eb('unchanged', '+', counts.unchanged ?? 0),
        deleted: eb('deleted', '+', counts.deleted ?? 0),
        merged: eb('merged', '+', counts.merged ?? 0),
      }))
      .where('run_id', '=', runId)
      .where(this.#isOurs())
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) throw new ClaimLostError();
  }

  #isOurs() {
    return this.#owner === null
      ? isHeld(null)
      : sql<boolean>`(status = 'running' and ${isHeld(this.#owner)})`;
  }

  /**
   * Only a run that still runs can end: the first to say so wins. It is ended by whoever works on it, or cancelled by anybody.
   * @returns whether this has ended it
   */
  async finish(
    runId: string,
    status: Exclude<RunStatus, 'running'>,
    finishedAt: string,
    error: string | null,
  ): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('sync_run')
      .set({ status, finished_at: finishedAt, error })
      .where('run_id', '=', runId)
      .where('status', '=', 'running')
      .where(status === 'cancelled' ? isHeld(null) : isHeld(this.#owner))
      .executeTakeFirstOrThrow();
    return numUpdatedRows === 1n;
  }

  async savePage(runId: string, page: Page): Promise<void> {
    await this.#db
      .insertInto('sync_page')
      .values({
        run_id: runId,
        page_offset: page.offset,
        record_ids: JSON.stringify(page.recordIds),
        read_at: page.readAt,
        last: page.last ? 1 : 0,
      })
      .onConflict((conflict) =>
        conflict.columns(['run_id', 'page_offset']).doUpdateSet((eb) => ({
          record_ids: eb.ref('excluded.record_ids'),
          read_at: eb.ref('excluded.read_at'),
          last: eb.ref('excluded.last'),
        })),
      )
      .execute();
  }

  async page(runId: string, offset: number): Promise<Page | undefined> {
    const [page] = await this.pages(runId, offset - 1, 1);
    return page?.offset === offset ? page : undefined;
  }

  async pages(runId: string, afterOffset: number, limit: number): Promise<Page[]> {
    const rows = await this.#db
      .selectFrom('sync_page')
      .selectAll()
      .where('run_id', '=', runId)
      .where('page_offset', '>', afterOffset)
      .orderBy('page_offset')
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      offset: row.page_offset,
      recordIds: parseJson(row.record_ids),
      readAt: row.read_at,
      last: row.last === 1,
    }));
  }

  async dropPages(runId: string): Promise<void> {
    await this.#db.deleteFrom('sync_page').where('run_id', '=', runId).execute();
  }
}

function readRun(row: Selectable<SyncRunTable>): SyncRun {
  return {
    runId: row.run_id,
    object: row.object,
    status: row.status as RunStatus, // written from a SyncRun
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    error: row.error,
    force: row.force === 1,
    parentRunId: row.parent_run_id,
    pages: row.pages,
    seen: row.seen,
    created: row.created,
    updated: row.updated,
    unchanged: row.unchanged,
    deleted: row.deleted,
    merged: row.merged,
  };
}

function writeRun(run: SyncRun): Insertable<SyncRunTable> {
  return {
    run_id: run.runId,
    object: run.object,
    status: run.status,
    started_at: run.startedAt,
    finished_at: run.finishedAt,
    error: run.error,
    force: run.force ? 1 : 0,
    parent_run_id: run.parentRunId,
    pages: run.pages,
    seen: run.seen,
    created: run.created,
    updated: run.updated,
    unchanged: run.unchanged,
    deleted: run.deleted,
    merged: run.merged,
  };
}
