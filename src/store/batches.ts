import type { BatchRejection, BatchView, NewBatch } from '../domain/batches.ts';
import type { SyncFailure } from '../domain/sync-state.ts';
import { type Handle, parseJson } from './database.ts';

/** Batches of writes, told by what became of their rows in the outbox. */
export class BatchesStore {
  readonly #db: Handle;

  constructor(db: Handle) {
    this.#db = db;
  }

  async add(batch: NewBatch): Promise<void> {
    await this.#db
      .insertInto('batch')
      .values({
        id: batch.id,
        total: batch.total,
        rejected_json: JSON.stringify(batch.rejected),
        created_at: batch.createdAt,
      })
      .execute();
  }

  /** When it was made, and which of its items have been taken; undefined: there is none. */
  async begun(id: string): Promise<{ createdAt: string; taken: Set<number> } | undefined> {
    const batch = await this.#db
      .selectFrom('batch')
      .select('created_at')
      .where('id', '=', id)
      .executeTakeFirst();
    if (batch === undefined) return undefined;
    const rows = await this.#db
      .selectFrom('outbox')
      .select('batch_index')
      .where('batch_id', '=', id)
      .execute();
    return { createdAt: batch.created_at, taken: new Set(rows.flatMap((row) => row.batch_index ?? [])) };
  }

  /** Items that were refused after the batch had been made. */
  async setRejected(id: string, rejected: readonly BatchRejection[]): Promise<void> {
    await this.#db
      .updateTable('batch')
      .set({ rejected_json: JSON.stringify(rejected) })
      .where('id', '=', id)
      .execute();
  }

  async view(id: string): Promise<BatchView | undefined> {
    const batch = await this.#db.selectFrom('batch').selectAll().where('id', '=', id).executeTakeFirst();
    if (batch === undefined) return undefined;
    const rejected = parseJson<readonly BatchRejection[]>(batch.rejected_json);
    const rows = await this.#db
      .selectFrom('outbox')
      .select(['status', 'batch_index', 'error_json'])
      .where('batch_id', '=', id)
      .where('status', '!=', 'done')
      .execute();
    const pending = rows.filter((row) => row.status === 'pending').length;
    const failed = rows.filter((row) => row.status !== 'pending');
    const errors = [
      ...rejected.map(({ index, errors: [first] }) => ({
        index,
        code: 'rejected',
        message: `${first?.path ?? ''} ${first?.message ?? 'is wrong'}`.trim(),
      })),
      ...failed.map((row) => {
        const failure = row.error_json === null ? null : parseJson<SyncFailure>(row.error_json);
        const index = row.batch_index ?? 0;
        return { index, code: failure?.code ?? row.status, message: failure?.detail ?? 'it was not written' };
      }),
    ].sort((a, b) => a.index - b.index);
    const synced = batch.total - pending - failed.length - rejected.length;
    const counts = { total: batch.total, synced, pending, failed: failed.length + rejected.length };
    return { id, createdAt: batch.created_at, ...counts, errors };
  }
}
