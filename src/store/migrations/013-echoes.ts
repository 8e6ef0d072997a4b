import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What writes of ours have left in Attio, so that the webhooks that tell of it are known. */
export const echoes: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await db.schema
      .createTable('echo')
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('attio_id', 'text', (column) => column.notNull())
      .addColumn('aspect', 'text', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('written_at', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('echo_pk', ['kind', 'attio_id', 'aspect'])
      .execute();
    await db.schema.createIndex('echo_written').on('echo').column('written_at').execute();
  },
};
