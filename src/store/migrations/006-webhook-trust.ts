import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What is known of the secrets that Attio signs with: their hashes, and how the latest deliveries fared. */
export const webhookTrust: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await db.schema
      .createTable('webhook_secret')
      .addColumn('webhook_id', 'text', (column) => column.primaryKey())
      .addColumn('secret_sha256', 'text', (column) => column.notNull())
      .addColumn('noted_at', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('webhook_signature')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('accepted_at', 'text')
      .addColumn('refused_at', 'text')
      .execute();
  },
};
