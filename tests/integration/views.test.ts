/** What people see who ask the database: views with a column per attribute. */
import { afterEach, expect, test } from 'vitest';
import { ENGINE } from '../support/engines.ts';
import { takeViolations } from '../support/exchanges.ts';
import { startService, type TestService } from '../support/service.ts';
import {
  type AttioRecord,
  attioHas,
  attributesOf,
  byId,
  columnsOf,
  createRich,
  eventsDone,
  recordsOf,
  stageOf,
  typeOf,
  viewHas,
} from '../support/views.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const WORKSPACE = { people: 60, companies: 12, deals: 30 };

/** A view has the columns that Attio's attributes ask for, and in each row what Attio has. */
async function expectView(service: TestService, object: string): Promise<void> {
  const attributes = attributesOf(service, object).filter(
    ({ api_slug: slug }) => !['record_id', 'created_at'].includes(slug),
  );
  const columns = await columnsOf(service, `attio_${object}`);
  expect(columns.slice(0, 3).map(([name]) => name)).toEqual(['record_id', 'created_at', 'web_url']);
  expect(columns.slice(3)).toEqual(attributes.map((one) => [one.api_slug, typeOf(one)]));
  const found = byId(await service.database.rows(`select * from attio_${object}`));
  const records = recordsOf(service, object);
  expect(found.size).toBe(records.length);
  for (const record of records) {
    const row = found.get(record.id.record_id) ?? {};
    expect(row['web_url']).toBe(record.web_url);
    for (const one of attributes) expect(viewHas(one, row)).toEqual(attioHas(one, record));
  }
}

test('the views have a typed column per attribute, and hold what Attio holds', async () => {
  await using service = await startService({ sandbox: WORKSPACE, subscribe: false });
  const richId = createRich(service);
  await service.sync('all');
  for (const object of ['people', 'companies', 'deals']) {
    await expectView(service, object);
  }
  const rich = byId(await service.database.rows('select * from attio_people')).get(richId) ?? {};
  const place = rich['primary_location'];
  expect(typeof place === 'string' ? JSON.parse(place) : place).toMatchObject({ locality: 'Berlin' });
  expect(rich['name']).toBe("Renée O'Neill");
  expect(rich['job_title']).toBe('He said "no" \\ 🎉');
  expect(Number(rich['lead_score'])).toBe(12.75);
});

test('values are of the type that their columns say', async () => {
  await using service = await startService({ sandbox: WORKSPACE, subscribe: false });
  const id = createRich(service);
  await service.sync('all');
  const type = ENGINE === 'sqlite' ? 'typeof' : 'pg_typeof';
  const asked = [
    'job_title',
    'lead_score',
    'satisfaction',
    'vip',
    'birthday',
    'last_contacted_at',
    'interests',
  ];
  const [row = {}] = await service.database.rows(
    `select ${asked.map((slug) => `cast(${type}(${slug}) as text) as ${slug}`).join(', ')} from attio_people where record_id = '${id}'`,
  );
  expect(asked.map((slug) => row[slug])).toEqual(
    ENGINE === 'sqlite'
      ? ['text', 'real', 'integer', 'integer', 'text', 'text', 'text']
      : ['text', 'numeric', 'numeric', 'boolean', 'date', 'timestamp with time zone', 'jsonb'],
  );
  const [found = {}] = await service.database.rows(
    `select count(*) as n from attio_people where vip and lead_score > 12 and birthday < '1990-01-01'`,
  );
  expect(Number(found['n'])).toBe(1);
});

test('people, companies and deals can be joined: the queries of the README', async () => {
  await using service = await startService({ sandbox: WORKSPACE, subscribe: false });
  service.sandbox.sandbox.createRecord({
    object: 'people',
    values: { name: [{ first_name: 'No', last_name: 'Mail', full_name: 'No Mail' }] },
  });
  await service.sync('all');
  const [people, companies, deals] = ['people', 'companies', 'deals'].map((o) => recordsOf(service, o));
  const target = (record: AttioRecord, slug: string) => record.values[slug]?.[0]?.['target_record_id'];
  const amount = (record: AttioRecord) => Number(record.values['value']?.[0]?.['currency_value'] ?? 0);
  const sum = (some: readonly AttioRecord[] = []) => some.reduce((total, deal) => total + amount(deal), 0);

  const totals = await service.database.rows(`
    select c.name as company, count(p.record_id) as people, d.deals, d.total
    from attio_companies c
    left join attio_people p on p.company = c.record_id
    left join (
      select associated_company, count(*) as deals, sum(value) as total
      from attio_deals group by associated_company
    ) d on d.associated_company = c.record_id
    group by c.record_id, c.name, d.deals, d.total
    order by d.total desc nulls last, c.name`);
  const expected = (companies ?? []).map((company) => {
    const of = (some: readonly AttioRecord[] | undefined, slug: string) =>
      (some ?? []).filter((one) => target(one, slug) === company.id.record_id);
    const own = of(deals, 'associated_company');
    return {
      company: company.values['name']?.[0]?.['value'],
      people: of(people, 'company').length,
      deals: own.length,
      total: sum(own),
    };
  });
  const byName = (a: { company: unknown }, b: { company: unknown }) =>
    String(a.company) < String(b.company) ? -1 : 1;
  expect(
    totals
      .map((row) => ({
        company: row['company'],
        people: Number(row['people']),
        deals: Number(row['deals'] ?? 0),
        total: Number(row['total'] ?? 0),
      }))
      .toSorted(byName),
  ).toEqual(expected.toSorted(byName));
  expect(expected.some(({ people: some, total }) => some > 0 && total > 0)).toBe(true);

  const without = await service.database.rows(
    `select name, web_url from attio_people where email_addresses = '[]' order by name`,
  );
  expect(without.map((row) => row['name'])).toEqual(['No Mail']);

  const stages = await service.database.rows(
    `select stage, count(*) as deals, sum(value) as total, max(value) as largest
     from attio_deals group by stage order by total desc nulls last`,
  );
  expect(new Map(stages.map((row) => [row['stage'], [Number(row['deals']), Number(row['total'])]]))).toEqual(
    new Map(
      Object.entries(Object.groupBy(deals ?? [], (deal) => stageOf(deal))).map(([title, some]) => [
        title,
        [some?.length, sum(some)],
      ]),
    ),
  );
});

test('the views show no one who is gone or was removed here', async () => {
  await using service = await startService({ sandbox: WORKSPACE });
  await service.sync('all');
  const [first, second, third] = recordsOf(service, 'people').map(({ id }) => id.record_id);
  service.sandbox.sandbox.deleteRecord({ object: 'people', recordId: first ?? '' });
  await eventsDone(service, 'record.deleted');
  await service.call('DELETE', `/v1/contacts/${second}?attio=keep`);
  const found = byId(await service.database.rows('select record_id from attio_people'));
  expect([first, second, third].map((id) => found.has(id))).toEqual([false, false, true]);
  expect(found.size).toBe(WORKSPACE.people - 2);
});
