import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

type AnySchema = Kysely<never>;

/** What is on its way to Attio, and what became of it. */
export const outbox: Migration = {
  async up(db: AnySchema): Promise<void> {
    await createOutbox(db);
    await createBatch(db);
    await createConflict(db);
    // What DELETE has removed here stays unseen, whatever Attio says of it.
    await db.schema
      .alterTable('record')
      .addColumn('hidden', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
    await db.schema.alterTable('entity').addColumn('sync_failure_json', 'text').execute();
    await db.schema.alterTable('dead_letter').addColumn('outbox_id', 'integer').execute();
  },
};

async function createOutbox(db: AnySchema): Promise<void> {
  await db.schema
    .createTable('outbox')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('operation', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('entity_id', 'text', (column) => column.notNull())
    .addColumn('key', 'text')
    .addColumn('intent_json', 'text', (column) => column.notNull())
    .addColumn('base_json', 'text', (column) => column.notNull())
    .addColumn('undo_json', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('next_attempt_at', 'text', (column) => column.notNull())
    .addColumn('accepted_at', 'text', (column) => column.notNull())
    .addColumn('settled_at', 'text')
    .addColumn('after_id', 'integer')
    .addColumn('batch_id', 'text')
    .addColumn('batch_index', 'integer')
    .addColumn('error_json', 'text')
    .execute();
  await sql`create index outbox_pending on outbox (id) where status = 'pending'`.execute(db);
  await sql`create index outbox_due on outbox (next_attempt_at) where status = 'pending'`.execute(db);
  await sql`create index outbox_entity on outbox (kind, entity_id, id) where status = 'pending'`.execute(db);
  await sql`create index outbox_settled on outbox (settled_at) where settled_at is not null`.execute(db);
  await sql`create index outbox_batch on outbox (batch_id) where batch_id is not null`.execute(db);
}

async function createBatch(db: AnySchema): Promise<void> {
  await db.schema
    .createTable('batch')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('total', 'integer', (column) => column.notNull())
    .addColumn('rejected_json', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .execute();
}

async function createConflict(db: AnySchema): Promise<void> {
  await db.schema
    .createTable('conflict')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('object', 'text', (column) => column.notNull())
    .addColumn('entity_id', 'text', (column) => column.notNull())
    .addColumn('record_id', 'text')
    .addColumn('field', 'text', (column) => column.notNull())
    .addColumn('base_json', 'text', (column) => column.notNull())
    .addColumn('local_json', 'text', (column) => column.notNull())
    .addColumn('attio_json', 'text', (column) => column.notNull())
    .addColumn('decided', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('conflict_status').on('conflict').columns(['status', 'id']).execute();
  await db.schema.createIndex('conflict_entity').on('conflict').columns(['object', 'entity_id']).execute();
}
