import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../mocks/test-client.ts';

let attio: TestSandbox;
const ids = new Map<string, string>();

const PEOPLE: Record<string, Record<string, unknown>> = {
  ada: {
    name: [{ first_name: 'Ada', last_name: 'Byron', full_name: 'Ada Byron' }],
    email_addresses: ['ada@one.example.net', 'ada.b@mail.example.net'],
    phone_numbers: ['+447700900001'],
    job_title: ['Head of Things'],
    lead_score: [10],
    vip: [true],
    birthday: ['1990-05-17'],
    last_contacted_at: ['2026-03-01T10:00:00Z'],
    lead_source: ['Event'],
    account_manager: ['robin@example.com'],
    company: ['one.example.net'],
    primary_location: [
      {
        line_1: null,
        line_2: null,
        line_3: null,
        line_4: null,
        locality: 'Leeds',
        region: 'ENG',
        postcode: null,
        country_code: 'GB',
        latitude: '53.8',
        longitude: '-1.5',
      },
    ],
  },
  bob: {
    name: ['Zulu, Bob'],
    email_addresses: ['bob@two.example.net'],
    phone_numbers: ['+15551230001'],
    job_title: ['Engineer'],
    lead_score: [200],
    vip: [false],
    last_contacted_at: ['2026-04-01T10:00:00.5Z'],
    lead_source: ['Referral'],
    account_manager: ['sam@example.com'],
  },
  cy: { name: ['Cy'], lead_score: [55.5], job_title: ['engineer of things'] },
};

beforeAll(async () => {
  attio = await startTestSandbox({ people: 0, companies: 0, deals: 0 });
  const company = { data: { values: { domains: ['one.example.net'], name: ['One'] } } };
  ids.set('one', (await attio.api('POST', '/objects/companies/records', company)).body.data.id.record_id);
  for (const [name, values] of Object.entries(PEOPLE)) {
    const { body } = await attio.api('POST', '/objects/people/records', { data: { values } });
    ids.set(name, body.data.id.record_id);
    const entry = { parent_record_id: ids.get(name), parent_object: 'people' };
    const entry_values = { stage: [name === 'ada' ? 'Offer' : 'Applied'] };
    await attio.api('POST', '/lists/recruiting/entries', { data: { ...entry, entry_values } });
  }
});
afterAll(() => attio.close());
afterEach(() => {
  expect(attio.problems.splice(0)).toEqual([]);
});

const nameOf = (id: string) => [...ids].find(([, one]) => one === id)?.[0] ?? id;
const query = (body: unknown) => attio.api('POST', '/objects/people/records/query', body);
const found = async (filter: unknown) => {
  const { status, body } = await query({ filter });
  expect(status, JSON.stringify(body)).toBe(200);
  return body.data.map((one: { id: { record_id: string } }) => nameOf(one.id.record_id)).join(' ');
};
const sorted = async (...sorts: unknown[]) =>
  (await query({ sorts })).body.data
    .map((one: { id: { record_id: string } }) => nameOf(one.id.record_id))
    .join(' ');

describe('filters', () => {
  test.each<[unknown, string]>([
    [{}, 'ada bob cy'],
    [{ email_addresses: 'ada.b@mail.example.net' }, 'ada'],
    [{ email_addresses: 'ADA@one.example.net' }, ''],
    [{ email_addresses: { email_address: { $eq: 'bob@two.example.net' } } }, 'bob'],
    [
      { email_addresses: { $in: ['bob@two.example.net', 'ada@one.example.net', 'x@example.net'] } },
      'ada bob',
    ],
    [{ email_addresses: { email_domain: 'mail.example.net' } }, 'ada'],
    [{ email_addresses: { email_root_domain: 'example.net' } }, 'ada bob'],
    [{ email_addresses: { email_local_specifier: { $starts_with: 'BO' } } }, 'bob'],
    [{ email_addresses: { $not_empty: true } }, 'ada bob'],
    [{ email_addresses: { $not_empty: false } }, 'cy'],
    [{ name: 'Ada Byron' }, 'ada'],
    [{ name: { last_name: { $contains: 'ULU' } } }, 'bob'],
    [{ job_title: { $ends_with: 'of things' } }, 'ada cy'],
    [{ job_title: 'Engineer' }, 'bob'],
    [{ job_title: { $starts_with: 'head', $ends_with: 'THINGS' } }, 'ada'],
    [{ lead_score: { $gte: 55.5 } }, 'bob cy'],
    [{ lead_score: { $gt: 10, $lt: '200' } }, 'cy'],
    [{ lead_score: '10' }, 'ada'],
    [{ vip: true }, 'ada'],
    [{ vip: false }, 'bob'],
    [{ birthday: { $lte: '1990-05-17', $gt: '1990' } }, 'ada'],
    [{ last_contacted_at: { $gte: '2026-04-01T10:00:00.500000000Z' } }, 'bob'],
    [{ last_contacted_at: '2026-03-01T11:00:00+01:00' }, 'ada'],
    [{ lead_source: 'Event' }, 'ada'],
    [{ lead_source: { active_from: { $gte: '2020-01-01' } } }, 'ada bob'],
    [{ phone_numbers: { $starts_with: '+44' } }, 'ada'],
    [{ phone_numbers: { country_code: 'US' } }, 'bob'],
    [{ primary_location: { locality: 'Leeds', country_code: 'GB' } }, 'ada'],
    [{ primary_location: { locality: 'Leeds', country_code: 'US' } }, ''],
    [{ created_at: { $gte: '2020-01-01T00:00:00Z' } }, 'ada bob cy'],
    [{ $or: [{ name: 'Cy' }, { vip: true }] }, 'ada cy'],
    [{ $and: [{ vip: true }, { name: 'Cy' }] }, ''],
    [{ $not: { vip: true } }, 'bob cy'],
    [{ $and: [{ $not: { name: { first_name: 'Bob' } } }, { job_title: { $not_empty: true } }] }, 'ada cy'],
    [
      {
        path: [
          ['people', 'company'],
          ['companies', 'name'],
        ],
        constraints: { $contains: 'on' },
      },
      'ada',
    ],
    [
      {
        path: [
          ['people', 'company'],
          ['companies', 'domains'],
        ],
        constraints: { root_domain: 'example.net' },
      },
      'ada',
    ],
    [
      {
        path: [
          ['people', 'company'],
          ['companies', 'team'],
          ['people', 'vip'],
        ],
        constraints: true,
      },
      'ada',
    ],
  ])('%j finds "%s"', async (filter, names) => {
    expect(await found(filter)).toBe(names);
  });

  test('by id, reference and actor', async () => {
    expect(await found({ record_id: ids.get('cy') })).toBe('cy');
    expect(await found({ record_id: { $in: [ids.get('cy'), ids.get('ada'), crypto.randomUUID()] } })).toBe(
      'ada cy',
    );
    expect(await found({ company: { target_object: 'companies', target_record_id: ids.get('one') } })).toBe(
      'ada',
    );
    expect(await found({ company: { target_record_id: { $in: [ids.get('one')] } } })).toBe('ada');
    const [robin] = attio.sandbox.world.members;
    const actor = { referenced_actor_type: 'workspace-member', referenced_actor_id: robin?.id };
    expect(await found({ account_manager: actor })).toBe('ada');
    expect(await found({ $not: { created_by: actor } })).toBe('ada bob cy');
  });

  test.each<unknown>([
    { nonsense: 'x' },
    { $nor: [] },
    { $and: {} },
    { name: { nonsense: 'x' } },
    { name: { $like: 'x' } },
    { name: { $gt: 'x' } },
    { name: 5 },
    { name: {} },
    { lead_score: 'many' },
    { vip: 'maybe' },
    { lead_source: { $in: ['Event'] } },
    { primary_location: 'Leeds' },
    { primary_location: { latitude: '53.8' } },
    { company: 'one.example.net' },
    { account_manager: { referenced_actor_type: 'workspace-member' } },
    { last_contacted_at: { $gte: '2026-04-01' } },
    { record_id: { $in: 'x' } },
    { phone_numbers: { original_phone_number: '+447700900001' } },
    {
      path: [
        ['companies', 'team'],
        ['people', 'name'],
      ],
      constraints: 'x',
    },
    {
      path: [
        ['people', 'name'],
        ['companies', 'name'],
      ],
      constraints: 'x',
    },
    {
      path: [
        ['people', 'company'],
        ['nonsense', 'name'],
      ],
      constraints: 'x',
    },
    { path: [], constraints: 'x' },
  ])('%j is a filter_error', async (filter) => {
    const { status, body } = await query({ filter });
    expect([status, body.code, body.type]).toEqual([400, 'filter_error', 'invalid_request_error']);
  });

  test('what is not even a query body is a validation_type', async () => {
    for (const body of [
      { filter: 'x' },
      { limit: -1 },
      { sorts: [{ attribute: 'name' }] },
      { offset: '3' },
    ]) {
      expect((await query(body)).body).toMatchObject({ status_code: 400, code: 'validation_type' });
    }
  });

  test('entries are found by their own values and by their parents', async () => {
    const entries = async (filter: unknown) => {
      const { body } = await attio.api('POST', '/lists/recruiting/entries/query', { filter });
      return body.data.map((one: { parent_record_id: string }) => nameOf(one.parent_record_id)).join(' ');
    };
    expect(await entries({ stage: 'Applied' })).toBe('bob cy');
    expect(
      await entries({ parent_record: { target_object: 'people', target_record_id: ids.get('ada') } }),
    ).toBe('ada');
    const path = [
      ['recruiting', 'parent_record'],
      ['people', 'email_addresses'],
    ];
    expect(await entries({ path, constraints: { email_domain: 'two.example.net' } })).toBe('bob');
    const deep = [
      ['recruiting', 'parent_record'],
      ['people', 'company'],
      ['companies', 'name'],
    ];
    expect(await entries({ path: deep, constraints: 'One' })).toBe('ada');
    const bad = await attio.api('POST', '/lists/recruiting/entries/query', { filter: { nonsense: 1 } });
    expect(bad.body.code).toBe('filter_error');
  });
});

describe('order and pages', () => {
  test('creation order unless asked otherwise', async () => {
    expect(await sorted()).toBe('ada bob cy');
    expect(await sorted({ attribute: 'created_at', direction: 'desc' })).toBe('cy bob ada');
    expect(await sorted({ attribute: 'created_at', direction: 'asc' })).toBe('ada bob cy');
  });

  test('by value, by field, by path; rows without one come last', async () => {
    expect(await sorted({ attribute: 'lead_score', direction: 'desc' })).toBe('bob cy ada');
    expect(await sorted({ attribute: 'name', field: 'last_name', direction: 'desc' })).toBe('bob ada cy');
    expect(await sorted({ attribute: 'vip', direction: 'asc' })).toBe('bob ada cy');
    expect(await sorted({ attribute: 'lead_source', direction: 'asc' })).toBe('bob ada cy');
    const path = [
      ['people', 'company'],
      ['companies', 'name'],
    ];
    expect(await sorted({ path, direction: 'asc' })).toBe('ada bob cy');
    expect((await query({ sorts: [{ attribute: 'nonsense', direction: 'asc' }] })).body.code).toBe(
      'filter_error',
    );
  });

  test('pages by limit and offset, 500 by default', async () => {
    const page = async (limit: number, offset: number) => (await query({ limit, offset })).body.data.length;
    expect(await Promise.all([page(2, 0), page(2, 2), page(2, 4), page(0, 0)])).toEqual([2, 1, 0, 0]);
    const big = await startTestSandbox({ people: 501, companies: 0, deals: 0 });
    try {
      const all = await big.api('POST', '/objects/people/records/query', {});
      const rest = await big.api('POST', '/objects/people/records/query', { offset: 500 });
      expect([all.body.data.length, rest.body.data.length]).toEqual([500, 1]);
    } finally {
      await big.close();
    }
  });
});
