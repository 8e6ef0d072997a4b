import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

type AnySchema = Kysely<never>;

/** What automations have to do, and what became of it. */
export const automations: Migration = {
  async up(db: AnySchema): Promise<void> {
    await db.schema
      .createTable('automation_job')
      .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('automation', 'text', (column) => column.notNull())
      .addColumn('event_id', 'integer', (column) => column.notNull())
      .addColumn('event_type', 'text', (column) => column.notNull())
      .addColumn('payload_json', 'text', (column) => column.notNull())
      .addColumn('thing', 'text', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('attempts', 'integer', (column) => column.notNull())
      .addColumn('next_attempt_at', 'text', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('settled_at', 'text')
      .execute();
    await sql`create unique index automation_job_once on automation_job (automation, event_id)`.execute(db);
    await sql`create index automation_job_pending on automation_job (automation, thing, event_id) where status = 'pending'`.execute(
      db,
    );
    await sql`create index automation_job_due on automation_job (automation, next_attempt_at) where status = 'pending'`.execute(
      db,
    );
    await sql`create index automation_job_settled on automation_job (settled_at) where settled_at is not null`.execute(
      db,
    );
    await db.schema.alterTable('dead_letter').addColumn('automation', 'text').execute();
  },
};
