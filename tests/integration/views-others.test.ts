/** What becomes of a view that others use, or that is not ours. */
import pg from 'pg';
import { expect, test } from 'vitest';
import { StorageUnavailableError } from '../../src/domain/storage.ts';
import { ENGINE } from '../support/engines.ts';
import { column, people, setUpViews } from '../support/views-store.ts';

test('a view that is right is left as it is, also by one who has not made it', async () => {
  const { views, rows } = await setUpViews();
  const view = people(column('name'), column('mails', 'text', { multi: true }));
  expect((await views.ensure(view)).is).toBe('built');
  const version = async () =>
    (
      await rows(
        ENGINE === 'sqlite'
          ? 'pragma schema_version'
          : "select c.oid, c.xmin from pg_class c where relname = 'attio_people'",
      )
    )[0];
  const before = await version();
  expect((await views.ensure(view)).is).toBe('unchanged');
  expect(await version()).toEqual(before);
  expect(await views.ensure(people(column('name')))).toEqual({ is: 'built', name: 'attio_people' });
  expect(await version()).not.toEqual(before);
});

test('what somebody else has made under that name stays', async () => {
  const { views, rows } = await setUpViews();
  await rows('create view attio_people as select 1 as one');
  await rows('create table attio_deals (two integer)');
  expect(await views.ensure(people(column('name')))).toMatchObject({ is: 'kept' });
  expect(await views.ensure({ rows: { object: 'deals' }, columns: [] })).toMatchObject({ is: 'kept' });
  expect(Object.values((await rows('select * from attio_people'))[0] ?? {})).toEqual([1]);
});

test('a view of somebody’s own survives columns that come, and keeps ours from losing one', async () => {
  const { views, rows, store } = await setUpViews();
  await store('1', { name: [{ value: 'Ada' }], city: [{ value: 'London' }] });
  await views.ensure(people(column('name')));
  await rows('create view own as select name from attio_people where name is not null');
  // Attio shows the new one first: the view has it last, so that nothing that stands on it falls.
  expect((await views.ensure(people(column('city'), column('name')))).is).toBe('built');
  expect(await rows('select * from own')).toEqual([{ name: 'Ada' }]);
  expect(await rows('select name, city from attio_people')).toEqual([{ name: 'Ada', city: 'London' }]);
  const less = people(column('city'));
  if (ENGINE === 'sqlite') return;
  expect(await views.ensure(less)).toMatchObject({ is: 'kept', name: 'attio_people' });
  expect(await rows('select * from own')).toEqual([{ name: 'Ada' }]);
  await rows('drop view own');
  expect((await views.ensure(less)).is).toBe('built');
  expect(Object.keys((await rows('select * from attio_people'))[0] ?? {})).toEqual([
    'record_id',
    'created_at',
    'web_url',
    'city',
  ]);
});

test.runIf(ENGINE === 'postgres')('who may read a view may read the one that takes its place', async () => {
  const { views, rows } = await setUpViews();
  await views.ensure(people(column('name')));
  await rows('grant select on attio_people to pg_read_all_settings, public');
  await rows('grant select, update on attio_people to pg_monitor with grant option');
  const grants = () =>
    rows(`select grantee, privilege_type, is_grantable from information_schema.role_table_grants
          where table_name = 'attio_people' order by 1, 2`);
  const before = await grants();
  expect(before.length).toBeGreaterThan(3);
  expect((await views.ensure(people(column('city')))).is).toBe('built');
  expect(await grants()).toEqual(before);
});

test.runIf(ENGINE === 'postgres')(
  'a report that runs on a view puts its change off, and waits for nothing',
  async () => {
    const { views, rows, url } = await setUpViews();
    await views.ensure(people(column('name')));
    const report = new pg.Client({ connectionString: url });
    await report.connect();
    try {
      await report.query('begin');
      await report.query('select * from attio_people');
      await expect(views.ensure(people(column('name'), column('city')))).rejects.toThrow(
        StorageUnavailableError,
      );
      // A view that is right is not waited for.
      expect((await views.ensure(people(column('name')))).is).toBe('unchanged');
      await report.query('commit');
    } finally {
      await report.end();
    }
    expect((await views.ensure(people(column('name'), column('city')))).is).toBe('built');
    expect(await rows('select city from attio_people')).toEqual([]);
  },
);
