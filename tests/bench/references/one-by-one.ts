/**
 * The plain way to work on events: one after the other, read its record, store it, settle it. Arguments: the address of
 * Attio, the path of a database to make, the path of the events as JSON. Prints what it took as JSON.
 */
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

const [attioUrl = '', path = '', of = ''] = process.argv.slice(2);
const payloads = JSON.parse(readFileSync(of, 'utf8')) as string[]; // by the bench
const database = new DatabaseSync(path);
database.exec(`
  pragma journal_mode = wal;
  pragma synchronous = full;
  create table copy (id text primary key, body text);
  create table event (id integer primary key, payload text, status text);
  begin;
`);
const add = database.prepare(`insert into event (payload, status) values (?, 'pending')`);
for (const payload of payloads) add.run(payload);
database.exec('commit');
const events = database.prepare(`select id, payload from event where status = 'pending' order by id`);
const store = database.prepare(
  'insert into copy values (?, ?) on conflict (id) do update set body = excluded.body',
);
const settle = database.prepare(`update event set status = 'done' where id = ?`);

const startedAt = performance.now();
const cpu = process.cpuUsage();
for (const row of events.all()) {
  const { id } = JSON.parse(String(row['payload'])) as { id: { record_id: string } }; // by the bench
  const response = await fetch(`${attioUrl}/v2/objects/people/records/${id.record_id}`, {
    headers: { authorization: 'Bearer bench' },
  });
  const { data } = (await response.json()) as { data: unknown };
  database.exec('begin immediate');
  store.run(id.record_id, JSON.stringify(data));
  settle.run(Number(row['id']));
  database.exec('commit');
}
const { user, system } = process.cpuUsage(cpu);
process.stdout.write(
  JSON.stringify({ seconds: (performance.now() - startedAt) / 1000, cpuMs: (user + system) / 1000 }),
);
database.close();
