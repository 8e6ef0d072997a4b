import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

type AnySchema = Kysely<never>;

/** What is kept of a thing's past is found by the thing: to erase one must not read all. */
export const erasure: Migration = {
  async up(db: AnySchema): Promise<void> {
    // Beside `outbox_entity`, which is small, and keeps what is due cheap to find: it has only what is pending.
    await db.schema
      .createIndex('outbox_thing')
      .on('outbox')
      .columns(['kind', 'entity_id', 'status'])
      .execute();
    await db.schema.createIndex('change_thing').on('change').column('id').execute();
    await sql`create index change_merged on change (merged_id) where merged_id is not null`.execute(db);
    await sql`create index dead_letter_outbox on dead_letter (outbox_id) where outbox_id is not null`.execute(
      db,
    );
  },
};
