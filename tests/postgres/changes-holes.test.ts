import pg from 'pg';
import { expect, test } from 'vitest';
import { migrate, openDatabase } from '../../src/store/database.ts';
import { freshDatabase } from '../support/engines.ts';
import { Follower, readTruth } from '../support/followers.ts';

const INSERT = `insert into change (type, object, id, source, changed_json, at, data_json)
  values ('record.updated', 'people', $1, 'attio', '[]', '2026-01-01T00:00:00.000Z', '{}')`;

test('a writer without the lock that commits late is passed over: what followers are checked by sees that', async () => {
  await using fresh = await freshDatabase('postgres');
  const database = openDatabase(fresh.url);
  await migrate(database);
  const [late, early] = [new pg.Client(fresh.url), new pg.Client(fresh.url)];
  await Promise.all([late.connect(), early.connect()]);
  await late.query('begin');
  await late.query(INSERT, ['late']);
  await early.query(INSERT, ['early']);
  const progress = { done: false };
  const follower = new Follower(database);
  const following = follower.run(progress);
  await follower.hasSeen(1);
  await late.query('commit');
  progress.done = true;
  await following;
  expect(follower.faults(await readTruth(database))).toContain('skipped 1 changes');
  await Promise.all([late.end(), early.end(), database.destroy()]);
});

test('with the lock, one that would commit before it waits until it has committed', async () => {
  await using fresh = await freshDatabase('postgres');
  const [first, second] = [openDatabase(fresh.url), openDatabase(fresh.url)];
  await migrate(first);
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  const { promise: numbered, resolve: isNumbered } = Promise.withResolvers<void>();
  const order: string[] = [];
  const row = (id: string) => ({
    type: 'record.updated',
    object: 'people',
    id,
    source: 'attio',
    changed_json: '[]',
    at: '2026-01-01T00:00:00.000Z',
    data_json: '{}',
  });
  const late = first
    .transaction()
    .execute(async (tx) => {
      await tx.insertInto('change').values(row('late')).execute();
      isNumbered();
      await held;
    })
    .then(() => order.push('late'));
  await numbered;
  const early = second
    .transaction()
    .execute((tx) => tx.insertInto('change').values(row('early')).execute())
    .then(() => order.push('early'));
  const waiting = async () => {
    const rows =
      await fresh.rows(`select count(*)::int as waiting from pg_locks where locktype = 'advisory' and not granted
      and database = (select oid from pg_database where datname = current_database())`);
    return rows[0]?.['waiting'];
  };
  while ((await waiting()) !== 1) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await fresh.rows('select id from change')).toEqual([]);
  letGo();
  await Promise.all([late, early]);
  expect(order).toEqual(['late', 'early']);
  expect((await fresh.rows('select id from change order by seq')).map(({ id }) => id)).toEqual([
    'late',
    'early',
  ]);
  await Promise.all([first.destroy(), second.destroy()]);
});
