import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

type AnySchema = Kysely<never>;

/** Who works on a database that several share, and what each has in hand. */
export const instances: Migration = {
  async up(db: AnySchema): Promise<void> {
    await db.schema
      .createTable('instance')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('started_at', 'text', (column) => column.notNull())
      .addColumn('expires_at', 'text', (column) => column.notNull())
      .execute();
    for (const table of ['inbox', 'outbox', 'automation_job', 'sync_run', 'idempotency']) {
      await sql`alter table ${sql.table(table)} add column claimed_by text`.execute(db);
    }
  },
};
