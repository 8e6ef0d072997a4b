import type { Selectable, Updateable } from 'kysely';
import type { Closing, Conflict, Decided, NewConflict } from '../domain/conflicts.ts';
import type { Json } from '../domain/json.ts';
import { among } from './bulk.ts';
import { chunks, type Handle, loadBy, parseJson } from './database.ts';
import type { ConflictTable } from './schema.ts';

/** Fields that both sides changed, with the values of both. One at most is open of each field of a thing. */
export class ConflictsStore {
  readonly #db: Handle;

  constructor(db: Handle) {
    this.#db = db;
  }

  async append(conflicts: readonly NewConflict[]): Promise<void> {
    for (const part of chunks(conflicts)) {
      await this.#db.insertInto('conflict').values(part.map(writeConflict)).execute();
    }
  }

  async get(id: number): Promise<Conflict | undefined> {
    const row = await this.#db.selectFrom('conflict').selectAll().where('id', '=', id).executeTakeFirst();
    return row && readConflict(row);
  }

  async list(
    status: Conflict['status'] | null,
    afterId: number,
    limit: number,
  ): Promise<{ rows: Conflict[]; next: number | null }> {
    let query = this.#db.selectFrom('conflict').selectAll().where('id', '>', afterId);
    if (status !== null) query = query.where('status', '=', status);
    const rows = await query
      .orderBy('id')
      .limit(limit + 1)
      .execute();
    const page = rows.slice(0, limit);
    return {
      rows: page.map(readConflict),
      next: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
    };
  }

  /** Open ones by thing, the oldest first. */
  async openOf(object: string, entityIds: readonly string[]): Promise<Map<string, Conflict[]>> {
    const byId = await loadBy(
      entityIds,
      (ids) =>
        this.#db
          .selectFrom('conflict')
          .selectAll()
          .where('status', '=', 'open')
          .where('object', '=', object)
          .where('entity_id', 'in', among(this.#db, ids))
          .orderBy('id')
          .execute(),
      (row) => String(row.id),
      readConflict,
    );
    return Map.groupBy(byId.values(), (conflict) => conflict.entityId);
  }

  /** How many are open of these things, where there are any. */
  async openAmong(object: string, entityIds: readonly string[]): Promise<Map<string, number>> {
    return loadBy(
      entityIds,
      (ids) =>
        this.#db
          .selectFrom('conflict')
          .select((eb) => ['entity_id', eb.fn.countAll<number>().as('count')])
          .where('status', '=', 'open')
          .where('object', '=', object)
          .where('entity_id', 'in', ids)
          .groupBy('entity_id')
          .execute(),
      (row) => row.entity_id,
      (row) => Number(row.count),
    );
  }

  async countOpen(): Promise<number> {
    const row = await this.#db
      .selectFrom('conflict')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('status', '=', 'open')
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  /** What either side of an open one has come to be, or whose it is now. */
  async update(
    id: number,
    changes: Partial<Pick<Conflict, 'local' | 'wanted' | 'attio' | 'entityId' | 'recordId'>>,
  ): Promise<void> {
    const { local, wanted, attio, entityId, recordId } = changes;
    const set: Updateable<ConflictTable> = {
      ...(local === undefined ? {} : { local_json: JSON.stringify(local) }),
      ...(wanted === undefined ? {} : { wanted_json: JSON.stringify(wanted) }),
      ...(attio === undefined ? {} : { attio_json: JSON.stringify(attio) }),
      ...(entityId === undefined ? {} : { entity_id: entityId }),
      ...(recordId === undefined ? {} : { record_id: recordId }),
    };
    await this.#db
      .updateTable('conflict')
      .set(set)
      .where('id', '=', id)
      .where('status', '=', 'open')
      .execute();
  }

  /** Only an open one can be closed. @returns whether it was */
  async close(id: number, { decided, reason, at, merged }: Closing): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('conflict')
      .set({
        status: 'resolved',
        decided: decided ?? UNDECIDED,
        reason,
        resolved_at: at,
        merged_json: merged === undefined ? null : JSON.stringify(merged),
      })
      .where('id', '=', id)
      .where('status', '=', 'open')
      .executeTakeFirstOrThrow();
    return numUpdatedRows === 1n;
  }

  /** What was decided cannot be: it waits for a person again. */
  async reopen(id: number, reason: string): Promise<void> {
    await this.#db
      .updateTable('conflict')
      .set({ status: 'open', decided: UNDECIDED, reason, resolved_at: null })
      .where('id', '=', id)
      .execute();
  }
}

const UNDECIDED = 'none';

function readConflict(row: Selectable<ConflictTable>): Conflict {
  return {
    id: String(row.id),
    object: row.object,
    entityId: row.entity_id,
    recordId: row.record_id,
    field: row.field,
    base: parseJson<Json>(row.base_json),
    local: parseJson<Json>(row.local_json),
    attio: parseJson<Json>(row.attio_json),
    // Rows of the first versions have none, and were decided at once.
    wanted: parseJson<Json>(row.wanted_json ?? row.local_json),
    merged: row.merged_json === null ? undefined : parseJson<Json>(row.merged_json),
    decided: row.decided === UNDECIDED ? null : (row.decided as Decided), // written from a NewConflict or a Closing
    status: row.status as Conflict['status'], // written from a NewConflict
    reason: row.reason,
    at: row.at,
    resolvedAt: row.status === 'open' ? null : (row.resolved_at ?? row.at),
  };
}

function writeConflict(conflict: NewConflict): Omit<ConflictTable, 'id'> {
  return {
    object: conflict.object,
    entity_id: conflict.entityId,
    record_id: conflict.recordId,
    field: conflict.field,
    base_json: JSON.stringify(conflict.base),
    local_json: JSON.stringify(conflict.local),
    attio_json: JSON.stringify(conflict.attio),
    wanted_json: JSON.stringify(conflict.wanted),
    merged_json: null,
    decided: conflict.decided ?? UNDECIDED,
    status: conflict.status,
    reason: conflict.reason,
    at: conflict.at,
    resolved_at: conflict.status === 'open' ? null : conflict.at,
  };
}
