import { type QueryExecutorProvider, sql } from 'kysely';
import type { Clock } from '../domain/clock.ts';
import { isPostgres } from './postgres.ts';
import type { Schema } from './schema.ts';

const EVERY_MS = 2_000;
/** Those that may hold many rows. */
const TABLES: readonly (keyof Schema)[] = [
  'record',
  'entity',
  'entity_key',
  'item',
  'item_link',
  'change',
  'change_delivery',
  'inbox',
  'webhook_delivery',
  'outbox',
];
/** A table is counted again when so many rows, and as many as it had, have changed since. */
const LEAST_CHANGED = 500;

/**
 * Has PostgreSQL count tables that have grown. It does so itself, but once a minute at most: by then a first sync is over,
 * and has read whole tables for each page, as they were small when they were counted.
 */
export class TableStatistics {
  readonly #db: QueryExecutorProvider;
  readonly #clock: Clock;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> = Promise.resolve();

  constructor(db: QueryExecutorProvider, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  /** Something was written. Goes on beside whatever follows. */
  written(): void {
    const now = this.#clock.now();
    if (!isPostgres(this.#db) || now - this.#lookedAt < EVERY_MS) return;
    this.#lookedAt = now;
    // A role that may not, or a database that is away: plans are no worse than without.
    this.#looking = this.#looking.then(() => this.#freshen()).catch(() => {});
  }

  async #freshen(): Promise<void> {
    const { rows } = await sql<{ name: string }>`
      select quote_ident(grown.relname) as name
      from pg_stat_user_tables as grown join pg_class as counted on counted.oid = grown.relid
      where grown.schemaname = current_schema() and grown.relname = any(${TABLES}::text[])
        and pg_has_role(counted.relowner, 'usage')
        and grown.n_mod_since_analyze > ${LEAST_CHANGED} + greatest(counted.reltuples, 0)`.execute(this.#db);
    if (rows.length === 0) return;
    // What another instance counts just now need not be counted twice.
    await sql`analyze (skip_locked) ${sql.raw(rows.map(({ name }) => name).join(', '))}`.execute(this.#db);
  }
}
