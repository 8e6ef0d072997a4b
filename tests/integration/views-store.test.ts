/** What the store makes of descriptions of views: odd names, odd values, entries of lists. */
import { expect, test } from 'vitest';
import type { Item } from '../../src/domain/items.ts';
import type { ViewColumnType } from '../../src/domain/views.ts';
import { ENGINE } from '../support/engines.ts';
import { column, json, people, READ_AT, setUpViews } from '../support/views-store.ts';

test('slugs that are hostile, long, alike or of digits each have their column, and nothing else happens', async () => {
  const { views, rows, store } = await setUpViews();
  const slugs = [
    `a"'; drop table record; --`,
    'back\\slash',
    'with.dot[0]',
    '2nd-mail',
    'größe',
    '$x',
    '#-1',
    `${'long_'.repeat(20)}1`,
    `${'long_'.repeat(20)}2`,
    'same',
    'SAME',
    'ctid',
    'rowid',
    'select',
    '',
  ];
  await store('1', Object.fromEntries(slugs.map((slug, index) => [slug, [{ value: `value ${index}` }]])));
  const view = people(column('record_id'), ...slugs.map((slug) => column(slug)), column('web_url'));
  expect(await views.ensure(view)).toEqual({ is: 'built', name: 'attio_people' });
  const [row = {}] = await rows('select * from attio_people');
  const { record_id, web_url, created_at, ...values } = row;
  expect([record_id, web_url]).toEqual(['1', 'https://example.com/1']);
  expect(created_at).toBeTruthy();
  expect(Object.values(values)).toEqual(slugs.map((_, index) => `value ${index}`));
  expect(Object.keys(values).slice(0, 7)).toEqual(slugs.slice(0, 7));
  const multi = people(...slugs.map((slug) => column(slug, 'text', { multi: true })));
  await views.ensure(multi);
  const [lists = {}] = await rows('select * from attio_people');
  expect(Object.values(lists).slice(3).map(json)).toEqual(slugs.map((_, index) => [`value ${index}`]));
});

test('an object with an odd slug has its view', async () => {
  const { views, rows } = await setUpViews();
  for (const object of ['2-many"; drop table record; --', 'x'.repeat(80), 'my-object']) {
    const { is, name } = await views.ensure({ rows: { object }, columns: [column('name')] });
    expect(is).toBe('built');
    expect(await rows(`select * from "${name.replaceAll('"', '""')}"`)).toEqual([]);
  }
});

const TYPES: readonly ViewColumnType[] = ['text', 'number', 'boolean', 'date', 'timestamp', 'json'];

test('a value that is not what its type says is null, and breaks nothing', async () => {
  const { views, rows, store } = await setUpViews();
  const odd = [
    null,
    7,
    'x',
    '',
    true,
    [],
    {},
    { value: 1 },
    '2026-02-30',
    '2026-13-01',
    '0000-01-01',
    '2025-02-29',
    '2026-01-01T25:00:00Z',
    '2026-01-01T00:00:00',
    '1e9999',
    '12abc',
    'NaN',
    'null',
    '9'.repeat(400),
    '\0',
    '\uD800',
    '\\u0000',
    'infinity',
    'now',
  ];
  const all: readonly unknown[] = [
    ...odd.map((value) => [{ value }]),
    ...odd,
    [null],
    [[1]],
    [{}],
    undefined,
    [{ value: 1e300 }],
  ];
  for (const [index, values] of all.entries()) {
    await store(
      String(index),
      Object.fromEntries(TYPES.flatMap((type) => [type, `${type}s`]).map((slug) => [slug, values])),
    );
  }
  await views.ensure(
    people(...TYPES.flatMap((type) => [column(type, type), column(`${type}s`, type, { multi: true })])),
  );
  const found = await rows('select * from attio_people');
  expect(found).toHaveLength(all.length);
  const of = (record: number) => found.find((row) => row['record_id'] === String(record)) ?? {};
  const seven = of(odd.indexOf(7));
  expect([Number(seven['number']), seven['text'], seven['date'], seven['boolean']]).toEqual([
    7,
    null,
    null,
    null,
  ]);
  expect(json(seven['numbers'])).toEqual([7]);
  expect(json(seven['texts'])).toEqual([]);
  const x = of(odd.indexOf('x'));
  expect([x['text'], x['number'], x['boolean']]).toEqual(['x', null, null]);
  expect(json(x['texts'])).toEqual(['x']);
  expect(of(odd.indexOf('null'))['text']).toBe('null');
  expect(json(of(odd.indexOf('null'))['texts'])).toEqual(['null']);
  expect(of(odd.indexOf('\\u0000'))['text']).toBe('\\u0000');
  expect(json(of(odd.indexOf(true))['booleans'])).toEqual([true]);
  expect(Boolean(of(odd.indexOf(true))['boolean'])).toBe(true);
  for (const day of ['2026-02-30', '2026-13-01', '0000-01-01', '2025-02-29']) {
    if (ENGINE === 'postgres') expect(of(odd.indexOf(day))['date'], day).toBeNull();
  }
  if (ENGINE === 'postgres') expect(of(odd.indexOf('\uD800'))['text']).toBe('\u{FFFD}');
  expect(json(of(odd.indexOf(7))['json'])).toEqual({ value: 7 });
  expect(json(of(all.length - 2)['texts'])).toEqual([]);
});

test('dates and times that exist are taken as they are', async () => {
  const { views, rows, store } = await setUpViews();
  const days = ['2024-02-29', '2000-02-29', '1900-02-28', '2026-12-31', '0001-01-01', '2026-04-30'];
  for (const day of days)
    await store(day, { day: [{ value: day }], at: [{ value: `${day}T23:59:59.123456789Z` }] });
  await views.ensure(people(column('day', 'date'), column('at', 'timestamp')));
  const found = await rows(
    'select record_id, cast(day as text) as day, at from attio_people where at is not null order by record_id',
  );
  expect(found.map((row) => row['day'])).toEqual(days.toSorted());
  const last = found.at(-1)?.['at'] ?? '';
  const at = last instanceof Date ? last : new Date(String(last));
  expect(at.toISOString()).toBe('2026-12-31T23:59:59.123Z');
});

test('currencies are taken as numbers and as texts; the newest value counts; phones by any of their names', async () => {
  const { views, rows, store } = await setUpViews();
  const phones = [['phone_number'], ['original_phone_number']];
  await store('1', {
    value: [{ value: '12.50' }, { value: 1 }],
    phone: [{ original_phone_number: '+4930' }],
    phones: [{ phone_number: '+491' }, { original_phone_number: '+492' }, { phone_number: 7 }],
  });
  await views.ensure(
    people(
      column('value', 'number'),
      column('phone', 'text', { paths: phones }),
      column('phones', 'text', { paths: phones, multi: true }),
    ),
  );
  const [row = {}] = await rows('select value * 2 as twice, phone, phones from attio_people');
  expect([Number(row['twice']), row['phone'], json(row['phones'])]).toEqual([25, '+4930', ['+491', '+492']]);
});

test('what is gone, merged or hidden is not shown', async () => {
  const { views, rows, store } = await setUpViews();
  await store('living', {});
  await store('deleted', {}, { deletedAt: READ_AT });
  await store('merged', {}, { deletedAt: READ_AT, mergedInto: 'living' });
  await store('hidden', {}, { hidden: true });
  await store('company', {}, { object: 'companies' });
  await views.ensure(people(column('name')));
  expect(await rows('select record_id from attio_people')).toEqual([{ record_id: 'living' }]);
});

test('the entries of a list have a view too: those that Attio has, with the record that each is of', async () => {
  const { views, rows, items, store } = await setUpViews();
  const entry = (id: string, more: Partial<Item> = {}): Item => ({
    kind: 'entries',
    id,
    attioId: `attio-${id}`,
    listId: 'list-1',
    entryId: null,
    threadId: null,
    links: [{ object: 'people', recordId: 'person-1', entityId: null }],
    body: { stage: [{ status: { title: 'Offer' } }], value: [{ currency_value: 10 }] },
    shown: {},
    stage: null,
    amount: null,
    currencyCode: null,
    isCompleted: null,
    hash: id,
    readAt: READ_AT,
    version: 1,
    createdAt: '2026-01-05T00:00:10.000Z',
    updatedAt: '2026-01-05T00:00:10.000Z',
    deletedAt: null,
    syncFailure: null,
    requestKey: null,
    ...more,
  });
  await items.put([
    entry('1'),
    entry('2', { links: [{ object: 'people', recordId: 'person-2', entityId: null }], body: {} }),
    entry('gone', { deletedAt: READ_AT }),
    entry('on-its-way', { attioId: null, body: {} }),
    entry('elsewhere', { listId: 'list-2' }),
  ]);
  await store('person-1', { name: [{ value: 'Ada' }] });
  const columns = [
    column('stage', 'text', { paths: [['status', 'title']] }),
    column('value', 'number', { paths: [['currency_value']] }),
  ];
  const outcome = await views.ensure({ rows: { list: 'hiring-2026', listId: 'list-1' }, columns });
  expect(outcome).toEqual({ is: 'built', name: 'attio_list_hiring-2026' });
  await views.ensure(people(column('name')));
  const found = await rows(`
    select e.entry_id, e.parent_object, e.parent_record_id, e.stage, e.value, p.name
    from "attio_list_hiring-2026" e left join attio_people p on p.record_id = e.parent_record_id
    order by e.entry_id`);
  expect(
    found.map((row) => ({ ...row, value: row['value'] === null ? null : Number(row['value']) })),
  ).toEqual([
    {
      entry_id: 'attio-1',
      parent_object: 'people',
      parent_record_id: 'person-1',
      stage: 'Offer',
      value: 10,
      name: 'Ada',
    },
    {
      entry_id: 'attio-2',
      parent_object: 'people',
      parent_record_id: 'person-2',
      stage: null,
      value: null,
      name: null,
    },
  ]);
});
