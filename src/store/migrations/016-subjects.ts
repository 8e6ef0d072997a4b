import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What is in hand about a thing. Where one process is alone, it claims nothing, and the index stays empty. */
export const subjects: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await sql`create index inbox_claimed on inbox (subject_id) where status = 'pending' and claimed_by is not null`.execute(
      db,
    );
  },
};
