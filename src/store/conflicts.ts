import type { Selectable } from 'kysely';
import type { Conflict, NewConflict } from '../domain/conflicts.ts';
import type { Json } from '../domain/json.ts';
import { chunks, type Handle, parseJson } from './database.ts';
import type { ConflictTable } from './schema.ts';

/** Fields that both sides changed, with the values of both. */
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
    return { rows: page.map(readConflict), next: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
  }

  async countOpen(): Promise<number> {
    const row = await this.#db
      .selectFrom('conflict')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('status', '=', 'open')
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }
}

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
    decided: row.decided as Conflict['decided'], // written from a NewConflict
    status: row.status as Conflict['status'], // written from a NewConflict
    reason: row.reason,
    at: row.at,
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
    decided: conflict.decided,
    status: conflict.status,
    reason: conflict.reason,
    at: conflict.at,
  };
}
