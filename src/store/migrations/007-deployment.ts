import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** An id of this database, made once: what is kept elsewhere for it is not taken for another's. */
export const deployment: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await db.schema
      .createTable('deployment')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('deployment_id', 'text', (column) => column.notNull())
      .execute();
    await sql`insert into deployment (id, deployment_id) values (1, ${randomUUID()})`.execute(db);
  },
};
