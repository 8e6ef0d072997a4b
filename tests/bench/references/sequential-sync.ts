/**
 * The plain way to copy an object: page after page, 500 records each, every page upserted in one transaction before the
 * next is asked for. Arguments: the address of Attio, the path of the database. Prints what it took as JSON.
 */
import { DatabaseSync } from 'node:sqlite';

const PAGE = 500;
const [attioUrl = '', path = ''] = process.argv.slice(2);
const database = new DatabaseSync(path);
database.exec(
  'pragma journal_mode = wal; pragma synchronous = full; create table copy (id text primary key, body text)',
);
const store = database.prepare(
  'insert into copy values (?, ?) on conflict (id) do update set body = excluded.body',
);

interface Row {
  readonly id: { readonly record_id: string };
}

async function page(offset: number): Promise<Row[]> {
  const response = await fetch(`${attioUrl}/v2/objects/people/records/query`, {
    method: 'POST',
    headers: { authorization: 'Bearer bench', 'content-type': 'application/json' },
    body: JSON.stringify({ sorts: [{ direction: 'asc', attribute: 'created_at' }], limit: PAGE, offset }),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return ((await response.json()) as { data: Row[] }).data; // by the sandbox
}

const startedAt = performance.now();
const cpu = process.cpuUsage();
let records = 0;
for (let rows = await page(0); rows.length > 0; rows = rows.length < PAGE ? [] : await page(records)) {
  database.exec('begin immediate');
  for (const row of rows) store.run(row.id.record_id, JSON.stringify(row));
  database.exec('commit');
  records += rows.length;
}
const { user, system } = process.cpuUsage(cpu);
process.stdout.write(
  JSON.stringify({ records, seconds: (performance.now() - startedAt) / 1000, cpuMs: (user + system) / 1000 }),
);
database.close();
