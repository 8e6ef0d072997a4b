import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

type AnySchema = Kysely<never>;

/** Where changes are pushed to, what waits for that, and from where in the feed each object's changes are pushed. */
export const changeWebhooks: Migration = {
  async up(db: AnySchema): Promise<void> {
    await createWebhooks(db);
    await createDeliveries(db);
    await createFirstSyncs(db);
    await db.schema.alterTable('dead_letter').addColumn('delivery_id', 'integer').execute();
  },
};

async function createWebhooks(db: AnySchema): Promise<void> {
  await db.schema
    .createTable('change_webhook')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('missed', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('seen_at', 'text', (column) => column.notNull())
    .addColumn('last_success_at', 'text')
    .addColumn('last_error_at', 'text')
    .addColumn('last_error', 'text')
    .addColumn('failing_since', 'text')
    .addColumn('disabled_at', 'text')
    .addColumn('disabled_reason', 'text')
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', 'text')
    .execute();
}

async function createDeliveries(db: AnySchema): Promise<void> {
  await db.schema
    .createTable('change_delivery')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('webhook_id', 'text', (column) => column.notNull())
    .addColumn('seq', 'integer', (column) => column.notNull())
    .addColumn('thing', 'text', (column) => column.notNull())
    .addColumn('merged_thing', 'text')
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('next_attempt_at', 'text', (column) => column.notNull())
    .addColumn('changed_at', 'text', (column) => column.notNull())
    .execute();
  await sql`create unique index change_delivery_once on change_delivery (webhook_id, seq)`.execute(db);
  await sql`create index change_delivery_change on change_delivery (seq)`.execute(db);
  await sql`create index change_delivery_pending on change_delivery (webhook_id, thing, seq) where status = 'pending'`.execute(
    db,
  );
  await sql`create index change_delivery_merged on change_delivery (webhook_id, merged_thing, seq) where status = 'pending' and merged_thing is not null`.execute(
    db,
  );
  await sql`create index change_delivery_due on change_delivery (webhook_id, next_attempt_at) where status = 'pending'`.execute(
    db,
  );
}

/** What has been synced before this migration is synced: webhooks are told from when they are made on. */
async function createFirstSyncs(db: AnySchema): Promise<void> {
  await db.schema
    .createTable('first_sync')
    .addColumn('scope', 'text', (column) => column.primaryKey())
    .addColumn('after_seq', 'integer', (column) => column.notNull())
    .execute();
  await sql`insert into first_sync (scope, after_seq)
    select distinct object, 0 from sync_run
    where status = 'succeeded' and object <> 'all' and object not like 'lists/%'`.execute(db);
  // Runs of lists bear slugs, scopes ids, which stay when a list gets another slug.
  await sql`insert into first_sync (scope, after_seq)
    select distinct 'lists/' || list_id, 0 from item
    where kind = 'entries' and list_id is not null
      and exists (select 1 from sync_run where status = 'succeeded' and object like 'lists/%')`.execute(db);
}
