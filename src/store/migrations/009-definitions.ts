import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The workspace's definitions as Attio last answered them: objects, lists, attributes, choices, members. */
export const definitions: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await db.schema
      .createTable('definition')
      .addColumn('key', 'text', (column) => column.primaryKey())
      .addColumn('items_json', 'text', (column) => column.notNull())
      .execute();
  },
};
