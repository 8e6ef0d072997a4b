import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const idempotency: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await db.schema
      .createTable('idempotency')
      .addColumn('scope', 'text', (column) => column.primaryKey())
      .addColumn('fingerprint', 'text', (column) => column.notNull())
      .addColumn('started_at', 'text', (column) => column.notNull())
      .addColumn('status', 'integer')
      .addColumn('content_type', 'text')
      .addColumn('body', 'text')
      .execute();
    await db.schema.createIndex('idempotency_age').on('idempotency').column('started_at').execute();
  },
};
