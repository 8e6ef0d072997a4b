import { createRequire } from 'node:module';
import type pg from 'pg';

const require = createRequire(import.meta.url);

/** Read when there is a PostgreSQL to talk to: a start on SQLite does without its code. */
export function postgresDriver(): typeof pg {
  return require('pg');
}
