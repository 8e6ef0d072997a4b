import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

type AnySchema = Kysely<never>;

/** Conflicts that wait for a person, writes that settle one, and when hints of a change came. */
export const conflicts: Migration = {
  async up(db: AnySchema): Promise<void> {
    await db.schema.alterTable('conflict').addColumn('wanted_json', 'text').execute();
    await db.schema.alterTable('conflict').addColumn('merged_json', 'text').execute();
    await db.schema.alterTable('conflict').addColumn('resolved_at', 'text').execute();
    // What is open is few, and is asked for with every read of a thing.
    await sql`create unique index conflict_open on conflict (object, entity_id, field) where status = 'open'`.execute(
      db,
    );
    await db.schema.alterTable('outbox').addColumn('conflict_id', 'integer').execute();
    await db.schema.alterTable('inbox').addColumn('subject_id', 'text').execute();
    await db.schema.alterTable('inbox').addColumn('attribute_id', 'text').execute();
    await sql`create index inbox_hint on inbox (subject_id, attribute_id) where attribute_id is not null`.execute(
      db,
    );
  },
};
