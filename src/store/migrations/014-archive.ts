import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

type AnySchema = Kysely<never>;

/** What was deleted keeps its values for a while, so that it can be restored; what is to be purged is found by index. */
export const archive: Migration = {
  async up(db: AnySchema): Promise<void> {
    await db.schema
      .alterTable('entity')
      .addColumn('purged', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
    await sql`create index entity_archived on entity (deleted_at) where deleted_at is not null and purged = 0`.execute(
      db,
    );
    await sql`create index record_archived on record (deleted_at) where deleted_at is not null and values_json <> '{}'`.execute(
      db,
    );
    await sql`create index item_archived on item (deleted_at) where deleted_at is not null and body_json <> '{}'`.execute(
      db,
    );
  },
};
