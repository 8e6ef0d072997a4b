import { sql } from 'kysely';
import type { View, ViewOutcome } from '../domain/views.ts';
import { type Database, type Handle, transaction } from './database.ts';
import { isPostgres } from './postgres.ts';
import { nameOf, quoteName, quoteText, shortHash } from './views/names.ts';
import { postgresDialect } from './views/postgres.ts';
import { type NamedColumn, selectOf, type ViewDialect, viewColumns } from './views/select.ts';
import { sourceOf, type ViewSource, viewName } from './views/source.ts';
import { sqliteDialect } from './views/sqlite.ts';

/** By this a view of ours is known from others'; the hash of its definition follows. */
const MARK = 'attio-bridge view, definition';
const HASH_LENGTH = 16;

/** A report that runs holds its view; nobody's writes are to wait for that. */
const LOCK_TIMEOUT_MS = 500;

/** PostgreSQL's codes: columns that a replacement may not change; others' views stand on this one. */
const CANNOT_REPLACE = '42P16';
const DEPENDED_ON = '2BP01';

interface Definition {
  readonly name: string;
  readonly source: ViewSource;
  /** In the order of Attio. */
  readonly columns: readonly NamedColumn[];
  readonly mark: string;
}

interface Existing {
  /** What tells whose it is: its text on SQLite, its comment on PostgreSQL. */
  readonly about: string;
  readonly columns: readonly string[];
}

/** Views for people and their tools. They are made of what the mirror holds, and nothing in the service reads them. */
export class ViewsStore {
  readonly #db: Database;
  readonly #dialect: ViewDialect;

  constructor(db: Database) {
    this.#db = db;
    this.#dialect = isPostgres(db) ? postgresDialect : sqliteDialect;
  }

  /**
   * Makes `attio_<object>`, or `attio_list_<list>`, what it should be; asks once when it is that already.
   * @throws StorageUnavailableError also while a report on it runs
   */
  async ensure(view: View): Promise<ViewOutcome> {
    const name = nameOf(viewName(view.rows));
    const source = sourceOf(view.rows);
    const columns = viewColumns(this.#dialect, source, view.columns);
    const hash = shortHash(selectOf(this.#dialect, source, columns), HASH_LENGTH);
    const definition = { name, source, columns, mark: `${MARK} ${hash}` };
    const existing = await this.#find(this.#db, name);
    if (existing?.about.includes(definition.mark)) return { is: 'unchanged', name };
    if (existing !== null && !existing.about.includes(MARK)) {
      return { is: 'kept', name, why: 'something of that name was made by somebody else' };
    }
    return isPostgres(this.#db)
      ? this.#onPostgres(definition, existing)
      : this.#onSqlite(definition, existing);
  }

  async #onSqlite(definition: Definition, existing: Existing | null): Promise<ViewOutcome> {
    const { name, mark } = definition;
    await transaction(this.#db, async (tx) => {
      if (existing !== null) await run(tx, `drop view if exists ${quoteName(name)}`);
      await run(tx, `create view ${quoteName(name)} as /* ${mark} */ ${this.#select(definition)}`);
    });
    return { is: 'built', name };
  }

  /** Replacing keeps what stands on the view, and who may read it; it can only add columns at the end. */
  async #onPostgres(definition: Definition, existing: Existing | null): Promise<ViewOutcome> {
    const { name } = definition;
    try {
      const columns = existing === null ? definition.columns : inOrderOf(existing, definition.columns);
      await transaction(this.#db, async (tx) => {
        await prepare(tx);
        await this.#create(tx, { ...definition, columns });
      });
    } catch (error) {
      if (codeOf(error) !== CANNOT_REPLACE) throw error;
      return this.#makeAnew(definition);
    }
    return { is: 'built', name };
  }

  async #makeAnew(definition: Definition): Promise<ViewOutcome> {
    const { name } = definition;
    try {
      await transaction(this.#db, async (tx) => {
        await prepare(tx);
        const grants = await grantsOn(tx, name);
        await run(tx, `drop view if exists ${quoteName(name)}`);
        await this.#create(tx, definition);
        for (const grant of grants) await run(tx, grant);
      });
    } catch (error) {
      if (codeOf(error) !== DEPENDED_ON) throw error;
      return { is: 'kept', name, why: 'columns of it have changed, and others’ views stand on it' };
    }
    return { is: 'built', name };
  }

  async #create(tx: Handle, definition: Definition): Promise<void> {
    const name = quoteName(definition.name);
    await run(tx, `create or replace view ${name} as ${this.#select(definition)}`);
    await run(tx, `comment on view ${name} is ${quoteText(definition.mark)}`);
  }

  #select({ source, columns }: Definition): string {
    return selectOf(this.#dialect, source, columns);
  }

  async #find(db: Handle, name: string): Promise<Existing | null> {
    return isPostgres(db) ? findOnPostgres(db, name) : findOnSqlite(db, name);
  }
}

async function findOnSqlite(db: Handle, name: string): Promise<Existing | null> {
  const { rows } = await sql<{ sql: string }>`
    select sql from sqlite_master where lower(name) = lower(${name})`.execute(db);
  const [found] = rows;
  return found === undefined ? null : { about: found.sql, columns: [] };
}

async function findOnPostgres(db: Handle, name: string): Promise<Existing | null> {
  const { rows } = await sql<{ about: string | null; columns: string[] | null }>`
    select obj_description(c.oid, 'pg_class') as about,
      (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
       where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = current_schema() and c.relname = ${name}`.execute(db);
  const [found] = rows;
  return found === undefined ? null : { about: found.about ?? '', columns: found.columns ?? [] };
}

/** Statements that give again who may do what with a view: its end would take that along. */
async function grantsOn(tx: Handle, name: string): Promise<string[]> {
  const { rows } = await sql<{ privilege: string; grantee: string; option: string }>`
    select g.privilege_type as privilege,
      case g.grantee when 0 then 'public' else g.grantee::regrole::text end as grantee,
      case when g.is_grantable then ' with grant option' else '' end as option
    from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) g
    where n.nspname = current_schema() and c.relname = ${name} and g.grantee <> c.relowner`.execute(tx);
  return rows.map(
    ({ privilege, grantee, option }) => `grant ${privilege} on ${quoteName(name)} to ${grantee}${option}`,
  );
}

/** Those that the view has keep their places, new ones follow. */
function inOrderOf(existing: Existing, columns: readonly NamedColumn[]): NamedColumn[] {
  const placeOf = new Map(existing.columns.map((name, place) => [name, place]));
  const place = ({ name }: NamedColumn) => placeOf.get(name) ?? existing.columns.length;
  return columns.toSorted((a, b) => place(a) - place(b));
}

async function prepare(tx: Handle): Promise<void> {
  await run(tx, `set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
  await run(tx, 'set local standard_conforming_strings = on');
}

async function run(tx: Handle, statement: string): Promise<void> {
  await sql.raw(statement).execute(tx);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
