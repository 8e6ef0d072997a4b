import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

type AnySchema = Kysely<never>;

/** Deals as things of their own: what is asked of many at once has its columns, and a write may wait for several. */
export const deals: Migration = {
  async up(db: AnySchema): Promise<void> {
    for (const column of ['stage_id', 'stage_title', 'amount', 'currency_code']) {
      await db.schema.alterTable('entity').addColumn(column, 'text').execute();
    }
    await sql`create index entity_stage_id on entity (kind, stage_id, id) where stage_id is not null`.execute(
      db,
    );
    await sql`create index entity_stage on entity (kind, stage_title, id) where stage_title is not null`.execute(
      db,
    );
    await db.schema
      .createTable('outbox_wait')
      .addColumn('outbox_id', 'integer', (column) => column.notNull())
      .addColumn('after_id', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('outbox_wait_pk', ['outbox_id', 'after_id'])
      .execute();
  },
};
