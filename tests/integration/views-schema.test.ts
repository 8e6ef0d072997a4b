/** The views follow the schema of the workspace. */
import { afterEach, expect, test } from 'vitest';
import { ENGINE } from '../support/engines.ts';
import { takeViolations } from '../support/exchanges.ts';
import { startService, until } from '../support/service.ts';
import {
  addAttribute,
  columnsOf,
  eventsDone,
  namesOf,
  ofAttio,
  recordsOf,
  SQL_TYPES,
} from '../support/views.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const WORKSPACE = { people: 60, companies: 12, deals: 30 };

test('a new attribute is a column by the time its webhook is settled, and its values follow', async () => {
  await using service = await startService({ sandbox: WORKSPACE });
  await service.sync('all');
  addAttribute(service, 'people', 'shoe_size', 'number');
  await eventsDone(service, 'object-attribute.created');
  expect((await columnsOf(service, 'attio_people')).at(-1)).toEqual([
    'shoe_size',
    SQL_TYPES['number']?.[ENGINE],
  ]);
  const recordId = recordsOf(service, 'people')[0]?.id.record_id ?? '';
  service.sandbox.sandbox.edit({ object: 'people', recordId, values: { shoe_size: [42] } });
  await eventsDone(service, 'record.updated');
  const rows = await service.database.rows(
    'select record_id, shoe_size from attio_people where shoe_size is not null',
  );
  expect(rows.map((row) => [row['record_id'], Number(row['shoe_size'])])).toEqual([[recordId, 42]]);
});

test('an attribute with another slug is another column; an archived one is none', async () => {
  await using service = await startService({ sandbox: WORKSPACE });
  await service.sync('all');
  const patch = (slug: string, data: object) =>
    ofAttio(service, 'PATCH', `/objects/people/attributes/${slug}`, { data });
  patch('internal_comment', { api_slug: 'remark' });
  patch('vip', { is_archived: true });
  await eventsDone(service, 'object-attribute.updated', 2);
  const names = await namesOf(service, 'attio_people');
  expect(names).toContain('remark');
  expect(names).not.toContain('internal_comment');
  expect(names).not.toContain('vip');
  const recordId = recordsOf(service, 'people')[0]?.id.record_id ?? '';
  service.sandbox.sandbox.edit({ object: 'people', recordId, values: { remark: ['seen'] } });
  await eventsDone(service, 'record.updated');
  expect(await service.database.rows(`select record_id from attio_people where remark = 'seen'`)).toEqual([
    { record_id: recordId },
  ]);
});

test.runIf(ENGINE === 'postgres')(
  'a view of somebody’s own outlives a new attribute, and a renamed one that it does not let go breaks nothing',
  async () => {
    await using service = await startService({ sandbox: WORKSPACE });
    await service.sync('all');
    await service.database.rows('create view own as select record_id, internal_comment from attio_people');
    addAttribute(service, 'people', 'shoe_size', 'number');
    await eventsDone(service, 'object-attribute.created');
    expect(await namesOf(service, 'attio_people')).toContain('shoe_size');
    expect(await service.database.rows('select * from own')).toHaveLength(WORKSPACE.people);
    ofAttio(service, 'PATCH', '/objects/people/attributes/internal_comment', {
      data: { api_slug: 'remark' },
    });
    await eventsDone(service, 'object-attribute.updated');
    expect(await service.database.rows('select * from own')).toHaveLength(WORKSPACE.people);
    expect(await namesOf(service, 'attio_people')).not.toContain('remark');
    await service.database.rows('drop view own');
    await service.stop();
    await service.start();
    await until(async () => (await namesOf(service, 'attio_people')).includes('remark'));
  },
);

test('a start finds the views right, and makes them when they are not there', async () => {
  await using service = await startService({ sandbox: WORKSPACE, subscribe: false });
  await service.sync('all');
  const version = async () =>
    await service.database.rows(
      ENGINE === 'sqlite'
        ? 'pragma schema_version'
        : "select relname, oid, cast(xmin as text) as xmin from pg_class where relname like 'attio%' order by 1",
    );
  const before = await version();
  await service.stop();
  await service.start();
  await service.confirmed();
  await service.sync('all');
  await service.stop();
  expect(await version()).toEqual(before);
  await service.database.rows('drop view attio_deals');
  await service.start();
  await until(async () => (await namesOf(service, 'attio_deals')).includes('stage'));
});

test('what somebody else holds of the view keeps no event and no sync from its end', async () => {
  await using service = await startService({ sandbox: WORKSPACE });
  await service.sync('all');
  await service.database.rows('drop view attio_people');
  await service.database.rows('create view attio_people as select 1 as mine');
  addAttribute(service, 'people', 'shoe_size', 'number');
  await eventsDone(service, 'object-attribute.created');
  expect(await namesOf(service, 'attio_people')).toEqual(['mine']);
  expect(await service.sync('people')).toMatchObject({ status: 'succeeded' });
});

test('a list has a view of its entries, which joins to the records they are of, and follows its attributes', async () => {
  await using service = await startService({ sandbox: WORKSPACE });
  await service.sync('all');
  await service.call('POST', '/v1/sync/lists/recruiting?wait=true');
  const entries = ofAttio<
    {
      id: { entry_id: string };
      parent_record_id: string;
      entry_values: Record<string, { status?: object }[]>;
    }[]
  >(service, 'POST', '/lists/recruiting/entries/query', { limit: 1_000 });
  expect(entries.length).toBeGreaterThan(0);
  const rows = await service.database.rows(
    `select e.entry_id, e.stage, p.record_id from attio_list_recruiting e
     join attio_people p on p.record_id = e.parent_record_id`,
  );
  expect(new Map(rows.map((row) => [row['entry_id'], [row['record_id'], row['stage']]]))).toEqual(
    new Map(
      entries.map(({ id, parent_record_id: parent, entry_values: { stage } }) => {
        const title = (stage?.[0]?.status as { title: string } | undefined)?.title ?? null; // as Attio documents it
        return [id.entry_id, [parent, title]];
      }),
    ),
  );
  ofAttio(service, 'POST', '/lists/recruiting/attributes', {
    data: {
      title: 'Salary',
      description: null,
      api_slug: 'salary',
      type: 'number',
      is_required: false,
      is_unique: false,
      is_multiselect: false,
      config: {},
    },
  });
  await eventsDone(service, 'list-attribute.created');
  expect((await columnsOf(service, 'attio_list_recruiting')).at(-1)).toEqual([
    'salary',
    SQL_TYPES['number']?.[ENGINE],
  ]);
});
