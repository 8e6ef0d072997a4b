import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Migrations speak to a schema that later versions will have changed, so they know no table types. */
type AnySchema = Kysely<never>;

export const initial: Migration = {
  async up(db: AnySchema): Promise<void> {
    await createMirror(db);
    await createChanges(db);
    await createInbox(db);
    await createSync(db);
  },
};

async function createMirror(db: AnySchema): Promise<void> {
  await db.schema
    .createTable('workspace')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('workspace_id', 'text', (column) => column.notNull())
    .addColumn('learnt_at', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('record')
    .addColumn('object', 'text', (column) => column.notNull())
    .addColumn('record_id', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('web_url', 'text')
    .addColumn('values_json', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('read_at', 'text', (column) => column.notNull())
    .addColumn('deleted_at', 'text')
    .addColumn('merged_into', 'text')
    .addPrimaryKeyConstraint('record_pk', ['object', 'record_id'])
    .execute();
  await sql`create index record_live on record (object, record_id, read_at) where deleted_at is null`.execute(
    db,
  );
  await db.schema
    .createTable('entity')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('record_id', 'text')
    .addColumn('external_id', 'text')
    .addColumn('web_url', 'text')
    .addColumn('facts_json', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'text', (column) => column.notNull())
    .addColumn('deleted_at', 'text')
    .addColumn('merged_into', 'text')
    .addPrimaryKeyConstraint('entity_pk', ['kind', 'id'])
    .execute();
  await sql`create unique index entity_record on entity (kind, record_id) where record_id is not null`.execute(
    db,
  );
  await sql`create unique index entity_external on entity (kind, external_id) where external_id is not null`.execute(
    db,
  );
  await sql`create index entity_merged on entity (kind, merged_into) where merged_into is not null`.execute(
    db,
  );
  await db.schema
    .createTable('entity_key')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('entity_id', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('entity_key_pk', ['kind', 'key', 'entity_id'])
    .execute();
  await db.schema.createIndex('entity_key_entity').on('entity_key').columns(['kind', 'entity_id']).execute();
}

async function createChanges(db: AnySchema): Promise<void> {
  await db.schema
    .createTable('change')
    .addColumn('seq', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('object', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('merged_id', 'text')
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('changed_json', 'text', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('data_json', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('change_feed')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('pruned_through', 'integer', (column) => column.notNull())
    .execute();
  await sql`insert into change_feed (id, pruned_through) values (1, 0)`.execute(db);
}

async function createInbox(db: AnySchema): Promise<void> {
  await db.schema
    .createTable('webhook_delivery')
    .addColumn('dedupe_key', 'text', (column) => column.primaryKey())
    .addColumn('received_at', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('webhook_delivery_age').on('webhook_delivery').column('received_at').execute();
  await db.schema
    .createTable('inbox')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('event_type', 'text', (column) => column.notNull())
    .addColumn('workspace_id', 'text')
    .addColumn('payload_json', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('next_attempt_at', 'text', (column) => column.notNull())
    .addColumn('received_at', 'text', (column) => column.notNull())
    .addColumn('settled_at', 'text')
    .addColumn('last_error', 'text')
    .execute();
  await sql`create index inbox_pending on inbox (id) where status = 'pending'`.execute(db);
  await sql`create index inbox_due on inbox (next_attempt_at) where status = 'pending'`.execute(db);
  await sql`create index inbox_settled on inbox (settled_at) where settled_at is not null`.execute(db);
  await db.schema
    .createTable('dead_letter')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('detail', 'text', (column) => column.notNull())
    .addColumn('event_id', 'integer')
    .addColumn('event_type', 'text')
    .addColumn('body_base64', 'text')
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('dead_letter_kind').on('dead_letter').columns(['kind', 'id']).execute();
}

async function createSync(db: AnySchema): Promise<void> {
  await db.schema
    .createTable('sync_run')
    .addColumn('run_id', 'text', (column) => column.primaryKey())
    .addColumn('object', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('started_at', 'text', (column) => column.notNull())
    .addColumn('finished_at', 'text')
    .addColumn('error', 'text')
    .addColumn('force', 'integer', (column) => column.notNull())
    .addColumn('parent_run_id', 'text')
    .addColumn('pages', 'integer', (column) => column.notNull())
    .addColumn('seen', 'integer', (column) => column.notNull())
    .addColumn('created', 'integer', (column) => column.notNull())
    .addColumn('updated', 'integer', (column) => column.notNull())
    .addColumn('unchanged', 'integer', (column) => column.notNull())
    .addColumn('deleted', 'integer', (column) => column.notNull())
    .addColumn('merged', 'integer', (column) => column.notNull())
    .execute();
  // One run per object, whoever starts it: the database is the lock.
  await sql`create unique index sync_run_running on sync_run (object) where status = 'running'`.execute(db);
  await db.schema.createIndex('sync_run_started').on('sync_run').columns(['started_at', 'run_id']).execute();
  await sql`create index sync_run_parent on sync_run (parent_run_id) where parent_run_id is not null`.execute(
    db,
  );
  await db.schema
    .createTable('sync_page')
    .addColumn('run_id', 'text', (column) => column.notNull())
    .addColumn('page_offset', 'integer', (column) => column.notNull())
    .addColumn('record_ids', 'text', (column) => column.notNull())
    .addColumn('read_at', 'text', (column) => column.notNull())
    .addColumn('last', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('sync_page_pk', ['run_id', 'page_offset'])
    .execute();
}
