import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

type AnySchema = Kysely<never>;

/** Entries of lists, notes, tasks and comments. */
export const items: Migration = {
  async up(db: AnySchema): Promise<void> {
    await createItem(db);
    await createLink(db);
    await db.schema.alterTable('outbox').addColumn('sent_at', 'text').execute();
  },
};

async function createItem(db: AnySchema): Promise<void> {
  await db.schema
    .createTable('item')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('attio_id', 'text')
    .addColumn('list_id', 'text')
    .addColumn('entry_id', 'text')
    .addColumn('thread_id', 'text')
    .addColumn('stage', 'text')
    .addColumn('amount', 'text')
    .addColumn('currency_code', 'text')
    .addColumn('is_completed', 'integer')
    .addColumn('body_json', 'text', (column) => column.notNull())
    .addColumn('shown_json', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('read_at', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'text', (column) => column.notNull())
    .addColumn('deleted_at', 'text')
    .addColumn('sync_failure_json', 'text')
    .addColumn('request_key', 'text')
    .addPrimaryKeyConstraint('item_pk', ['kind', 'id'])
    .execute();
  await sql`create unique index item_attio on item (kind, attio_id) where attio_id is not null`.execute(db);
  await sql`create unique index item_request on item (kind, request_key) where request_key is not null`.execute(
    db,
  );
  await sql`create index item_list on item (list_id, stage, id) where list_id is not null and deleted_at is null`.execute(
    db,
  );
  await sql`create index item_entry on item (entry_id) where entry_id is not null`.execute(db);
  await sql`create index item_thread on item (thread_id) where thread_id is not null`.execute(db);
  // `deleted_at`, though it is null in all of them: without it SQLite looks up each row.
  await sql`create index item_live on item (kind, attio_id, read_at, deleted_at) where deleted_at is null`.execute(
    db,
  );
  await sql`create index item_live_list on item (list_id, kind, attio_id) where list_id is not null and deleted_at is null`.execute(
    db,
  );
  await sql`create index item_unlinked on item (kind, created_at) where attio_id is null and deleted_at is null`.execute(
    db,
  );
}

async function createLink(db: AnySchema): Promise<void> {
  await db.schema
    .createTable('item_link')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('item_id', 'text', (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('object', 'text', (column) => column.notNull())
    .addColumn('record_id', 'text')
    .addColumn('entity_id', 'text')
    .addPrimaryKeyConstraint('item_link_pk', ['kind', 'item_id', 'position'])
    .execute();
  await sql`create index item_link_record on item_link (record_id, kind) where record_id is not null`.execute(
    db,
  );
  await sql`create index item_link_entity on item_link (entity_id, kind) where entity_id is not null`.execute(
    db,
  );
}
