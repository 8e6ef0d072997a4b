import type { TestDatabase } from '../../support/engines.ts';

const ID = `'00000000-0000-4000-8000-' || substr('000000000000' || n, length('000000000000' || n) - 11)`;

interface Growth {
  readonly table: string;
  readonly columns: string;
  readonly share: number;
  /** The row that is multiplied. */
  readonly like: string;
  readonly values: string;
}

/** The rows are those of a real person, under other ids. */
const GROWTHS: readonly Growth[] = [
  {
    table: 'record',
    columns: 'object, record_id, created_at, web_url, values_json, hash, read_at',
    share: 0.25,
    like: `record where object = 'people'`,
    values: `object, ${ID}, created_at, web_url, values_json, hash, read_at`,
  },
  {
    table: 'entity',
    columns: 'kind, id, record_id, web_url, facts_json, version, created_at, updated_at',
    share: 0.25,
    like: `entity where kind = 'people'`,
    values: `kind, ${ID}, ${ID}, web_url, facts_json, version, created_at, updated_at`,
  },
  {
    table: 'entity_key',
    columns: 'kind, key, entity_id',
    share: 0.15,
    like: `entity_key where kind = 'people'`,
    values: `kind, 'person-' || n || '@example.com', entity_id`,
  },
  {
    table: 'change',
    columns: 'type, object, id, source, changed_json, at, data_json',
    share: 0.2,
    like: `change where object = 'people'`,
    values: `type, object, ${ID}, source, changed_json, at, data_json`,
  },
  {
    table: 'inbox',
    columns: 'event_type, payload_json, status, attempts, next_attempt_at, received_at, settled_at',
    share: 0.15,
    like: `record where object = 'people'`,
    values: `'record.updated', '{}', 'done', 0, read_at, read_at, read_at`,
  },
];

/** Adds rows to a database that has some people, and that nobody uses. @returns how many there are then */
export async function growTo(database: TestDatabase, rows: number): Promise<number> {
  let total = 0;
  for (const { table, columns, share, like, values } of GROWTHS) {
    await database.rows(`
      insert into ${table} (${columns})
      with recursive numbers (n) as (
        select 1 union all select n + 1 from numbers where n < ${Math.round(rows * share)}
      ), pattern as (select * from ${like} limit 1)
      select ${values} from pattern, numbers`);
    const [count] = await database.rows(`select count(*) as n from ${table}`);
    total += Number(count?.['n']);
  }
  if (total < rows) throw new Error(`the database has ${total} rows, not ${rows}`);
  return total;
}
