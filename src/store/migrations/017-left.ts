import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { isPostgres } from '../postgres.ts';

/** What waits for any of several instances, by thing. Where one process is alone, all waits for it, and nobody asks. */
export const left: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    if (!isPostgres(db)) return;
    await sql`create index inbox_left on inbox (subject_id) where status = 'pending' and claimed_by is null`.execute(
      db,
    );
  },
};
