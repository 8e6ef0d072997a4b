import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../mocks/test-client.ts';

let attio: TestSandbox;
const PEOPLE = '/objects/people/records';
const COMPANIES = '/objects/companies/records';

beforeAll(async () => {
  attio = await startTestSandbox({ people: 30, companies: 6, deals: 4 });
});
afterAll(() => attio.close());
beforeEach(() => attio.sandbox.reset());
afterEach(() => {
  expect(attio.problems.splice(0)).toEqual([]);
});

const create = async (path: string, values: Record<string, unknown>) => {
  const { status, body } = await attio.api('POST', path, { data: { values } });
  expect(status, JSON.stringify(body)).toBe(200);
  return body.data;
};
const emails = (record: { values: Record<string, { email_address: string }[]> }) =>
  record.values['email_addresses']?.map((value) => value.email_address);

describe('creating and reading', () => {
  test('a person is created with normalised values and read back the same', async () => {
    const made = await create(PEOPLE, {
      name: ['Byron, Ada'],
      email_addresses: ['Ada@Mail.Example.com', { email_address: 'ada@example.org' }],
      phone_numbers: ['+44 7700 900123'],
      job_title: 'Analyst',
    });
    expect(emails(made)).toEqual(['ada@mail.example.com', 'ada@example.org']);
    expect(made.values.email_addresses[0]).toMatchObject({
      original_email_address: 'Ada@Mail.Example.com',
      email_domain: 'mail.example.com',
      email_root_domain: 'example.com',
      email_local_specifier: 'ada',
      attribute_type: 'email-address',
      active_until: null,
      created_by_actor: { type: 'api-token' },
    });
    expect(made.values.name[0]).toMatchObject({
      first_name: 'Ada',
      last_name: 'Byron',
      full_name: 'Ada Byron',
    });
    expect(made.values.phone_numbers[0]).toMatchObject({ phone_number: '+447700900123', country_code: 'GB' });
    expect(made.values.description).toEqual([]);
    expect(made.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    const read = await attio.api('GET', `${PEOPLE}/${made.id.record_id}`);
    expect(read.body.data).toEqual(made);
  });

  test('attribute ids may be written, slugs are answered', async () => {
    const { body } = await attio.api('GET', '/objects/people/attributes/job_title');
    const made = await create(PEOPLE, { [body.data.id.attribute_id]: ['Buyer'] });
    expect(made.values.job_title[0].value).toBe('Buyer');
  });

  test('a unique value held by another record is refused and nothing is stored', async () => {
    await create(PEOPLE, { email_addresses: ['taken@example.org'] });
    const before = attio.sandbox.summary()['objects'];
    const { status, body } = await attio.api('POST', PEOPLE, {
      data: { values: { email_addresses: ['free@example.org', 'TAKEN@example.org'] } },
    });
    expect([status, body.code]).toEqual([400, 'uniqueness_conflict']);
    expect(body.message).toContain('conflicts with one already in the system');
    expect(attio.sandbox.summary()['objects']).toEqual(before);
  });

  test.each([
    [{ nonsense: ['x'] }, 'value_not_found'],
    [{ lead_source: ['Nobody made this'] }, 'value_not_found'],
    [{ company: [{ target_object: 'companies', target_record_id: crypto.randomUUID() }] }, 'value_not_found'],
    [{ company: ['unknown.example.com'] }, 'value_not_found'],
    [{ account_manager: ['stranger@example.com'] }, 'value_not_found'],
    [{ created_at: ['2020-01-01'] }, 'validation_type'],
    [{ avatar_url: ['x'] }, 'validation_type'],
    [{ job_title: ['a', 'b'] }, 'validation_type'],
    [{ email_addresses: 'bare@example.com' }, 'validation_type'],
    [{ email_addresses: ['not an address'] }, 'validation_type'],
    [{ phone_numbers: ['0123'] }, 'validation_type'],
    [{ satisfaction: [6] }, 'validation_type'],
    [{ vip: [null] }, 'validation_type'],
    [{ lead_score: [0.12345] }, 'validation_type'],
    [{ primary_location: [{ locality: 'Berlin' }] }, 'validation_type'],
    [{ birthday: ['yesterday'] }, 'validation_type'],
  ])('%j is refused with %s', async (values, code) => {
    const { status, body } = await attio.api('POST', PEOPLE, { data: { values } });
    expect([status, body.code]).toEqual([400, code]);
  });

  test('a deal needs a name and a stage, its currency code is not writable', async () => {
    const deals = '/objects/deals/records';
    const bare = await attio.api('POST', deals, { data: { values: { name: ['No stage'] } } });
    expect([bare.status, bare.body.code]).toEqual([400, 'missing_value']);
    const extra = { name: ['D'], stage: ['Lead'], value: [{ currency_value: 5, currency_code: 'EUR' }] };
    expect((await attio.api('POST', deals, { data: { values: extra } })).body.code).toBe('validation_type');
    const deal = await create(deals, { name: ['D'], stage: ['Lead'], value: ['4.99'] });
    expect(deal.values.value[0]).toMatchObject({ currency_value: 4.99, currency_code: 'USD' });
    expect(deal.values.stage[0].status).toMatchObject({ title: 'Lead', is_archived: false });
  });

  test('every custom type can be written and read', async () => {
    const made = await create(PEOPLE, {
      lead_source: [{ option: 'Event' }],
      interests: ['Analytics', 'Reporting'],
      satisfaction: [4],
      vip: ['true'],
      lead_score: [1.5],
      birthday: ['1990-05-17T23:00:00-02:00'],
      last_contacted_at: ['2026-02-03T10:00+01:00'],
      internal_comment: [{ value: 'hello' }],
      account_manager: ['sam@example.com'],
      primary_location: ['1 Example Road, Leeds, ENG, LS1 1AA, GB'],
    });
    const { values } = made;
    expect(values.lead_source[0].option.title).toBe('Event');
    expect(values.interests.map((one: { option: { title: string } }) => one.option.title)).toEqual([
      'Analytics',
      'Reporting',
    ]);
    expect([values.satisfaction[0].value, values.vip[0].value, values.lead_score[0].value]).toEqual([
      4,
      true,
      1.5,
    ]);
    expect(values.birthday[0].value).toBe('1990-05-18');
    expect(values.last_contacted_at[0].value).toBe('2026-02-03T09:00:00.000000000Z');
    expect(values.account_manager[0].referenced_actor_type).toBe('workspace-member');
    expect(values.primary_location[0]).toMatchObject({
      locality: 'Leeds',
      postcode: 'LS1 1AA',
      country_code: 'GB',
    });
  });
});

describe('updating', () => {
  test('PATCH puts new values of a multi-value attribute first and never repeats one', async () => {
    const made = await create(PEOPLE, { email_addresses: ['a@example.org', 'b@example.org'] });
    const { body } = await attio.api('PATCH', `${PEOPLE}/${made.id.record_id}`, {
      data: { values: { email_addresses: ['B@example.org', 'c@example.org'] } },
    });
    expect(emails(body.data)).toEqual(['c@example.org', 'a@example.org', 'b@example.org']);
  });

  test('PUT stores exactly what was sent and leaves the rest alone', async () => {
    const made = await create(PEOPLE, {
      email_addresses: ['a@example.org', 'b@example.org'],
      job_title: ['Buyer'],
    });
    const path = `${PEOPLE}/${made.id.record_id}`;
    const put = await attio.api('PUT', path, {
      data: { values: { email_addresses: ['b@example.org', 'c@example.org'] } },
    });
    expect(emails(put.body.data)).toEqual(['b@example.org', 'c@example.org']);
    expect(put.body.data.values.job_title[0].value).toBe('Buyer');
    const cleared = await attio.api('PUT', path, {
      data: { values: { job_title: [], email_addresses: [] } },
    });
    expect(cleared.body.data.values).toMatchObject({ job_title: [], email_addresses: [] });
  });

  test('an upsert adds to its matching attribute and replaces every other', async () => {
    const upsert = (values: Record<string, unknown>) =>
      attio.api('PUT', `${PEOPLE}?matching_attribute=email_addresses`, { data: { values } });
    const first = await upsert({
      email_addresses: ['a@example.org'],
      phone_numbers: ['+15551230001', '+15551230002'],
    });
    const again = await upsert({
      email_addresses: ['A@example.org', 'b@example.org'],
      phone_numbers: ['+15551230003'],
    });
    expect(again.body.data.id).toEqual(first.body.data.id);
    expect(emails(again.body.data)).toEqual(['b@example.org', 'a@example.org']);
    expect(again.body.data.values.phone_numbers).toHaveLength(1);
  });

  test('matching_attribute is a required query parameter and must be a unique attribute', async () => {
    const body = {
      data: { values: { email_addresses: ['x@example.org'] }, matching_attribute: 'email_addresses' },
    };
    const missing = await attio.api('PUT', PEOPLE, body);
    expect(missing.status).toBe(400);
    expect(missing.body).toMatchObject({
      code: 'validation_type',
      message: 'Query params validation error.',
    });
    expect(missing.body.validation_errors[0].path).toEqual(['matching_attribute']);
    const codes = await Promise.all(
      ['job_title', 'nonsense'].map(
        async (name) => (await attio.api('PUT', `${PEOPLE}?matching_attribute=${name}`, body)).body.code,
      ),
    );
    expect(codes).toEqual(['matching_attribute_definition_not_unique', 'value_not_found']);
  });

  test('a body that misses its wrapper says where', async () => {
    const { status, body } = await attio.api('POST', PEOPLE, { values: {} });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: 'validation_type',
      message: 'Body payload validation error.',
      validation_errors: [{ code: 'invalid_type', path: ['data'], received: 'undefined' }],
    });
  });
});

describe('two-sided references', () => {
  test('a write of either side shows on both', async () => {
    const company = await create(COMPANIES, { domains: ['one.example.net'], name: ['One'] });
    const other = await create(COMPANIES, { domains: ['two.example.net'], name: ['Two'] });
    const person = await create(PEOPLE, { company: ['one.example.net'] });
    const team = async (id: string) =>
      (await attio.api('GET', `${COMPANIES}/${id}`)).body.data.values.team.map(
        (one: { target_record_id: string }) => one.target_record_id,
      );
    expect(await team(company.id.record_id)).toEqual([person.id.record_id]);

    const reference = [{ target_object: 'people', target_record_id: person.id.record_id }];
    await attio.api('PATCH', `${COMPANIES}/${other.id.record_id}`, { data: { values: { team: reference } } });
    const read = await attio.api('GET', `${PEOPLE}/${person.id.record_id}`);
    expect(read.body.data.values.company[0].target_record_id).toBe(other.id.record_id);
    expect(await team(company.id.record_id)).toEqual([]);

    await attio.api('DELETE', `${COMPANIES}/${other.id.record_id}`);
    expect((await attio.api('GET', `${PEOPLE}/${person.id.record_id}`)).body.data.values.company).toEqual([]);
  });
});

describe('deleting and merging', () => {
  test('a deleted record is gone from reads, queries and lists', async () => {
    const made = await create(PEOPLE, { email_addresses: ['gone@example.org'] });
    const id = made.id.record_id;
    const entry = { parent_record_id: id, parent_object: 'people', entry_values: {} };
    await attio.api('POST', '/lists/recruiting/entries', { data: entry });
    expect((await attio.api('DELETE', `${PEOPLE}/${id}`)).body).toEqual({});
    const read = await attio.api('GET', `${PEOPLE}/${id}`);
    expect([read.status, read.body.code]).toEqual([404, 'not_found']);
    const found = await attio.api('POST', `${PEOPLE}/query`, {
      filter: { email_addresses: 'gone@example.org' },
    });
    expect(found.body.data).toEqual([]);
    const entries = await attio.api('POST', '/lists/recruiting/entries/query', {
      filter: { parent_record: { target_object: 'people', target_record_id: id } },
    });
    expect(entries.body.data).toEqual([]);
    await create(PEOPLE, { email_addresses: ['gone@example.org'] });
  });

  test('a merge mints a new record; both originals die, everything of theirs moves', async () => {
    const one = await create(PEOPLE, { email_addresses: ['one@example.org'], job_title: ['First'] });
    const two = await create(PEOPLE, { email_addresses: ['two@example.org'], description: ['kept'] });
    const [primary, secondary] = [one.id.record_id, two.id.record_id];
    const parent = { parent_record_id: secondary, parent_object: 'people' };
    const entry = await attio.api('POST', '/lists/recruiting/entries', {
      data: { ...parent, entry_values: {} },
    });
    const body = { data: { primary_record_id: primary, secondary_record_id: secondary } };
    const merged = await attio.api('POST', `${PEOPLE}/merge`, body);
    const id = merged.body.data.id.record_id;
    expect([primary, secondary]).not.toContain(id);
    expect(emails(merged.body.data)).toEqual(['one@example.org', 'two@example.org']);
    expect(merged.body.data.values.job_title[0].value).toBe('First');
    expect(merged.body.data.values.description[0].value).toBe('kept');
    for (const dead of [primary, secondary])
      expect((await attio.api('GET', `${PEOPLE}/${dead}`)).status).toBe(404);
    const moved = await attio.api('GET', `/lists/recruiting/entries/${entry.body.data.id.entry_id}`);
    expect(moved.body.data.parent_record_id).toBe(id);
    const again = await attio.api('POST', `${PEOPLE}/merge`, body);
    expect([again.status, again.body.code]).toEqual([404, 'value_not_found']);
    const self = await attio.api('POST', `${PEOPLE}/merge`, {
      data: { primary_record_id: id, secondary_record_id: id },
    });
    expect([self.status, self.body.code]).toEqual([400, 'self_merge']);
  });
});

describe('attribute values', () => {
  test('the history is there, oldest first, each with its end', async () => {
    const made = await create(PEOPLE, { job_title: ['One'] });
    const path = `${PEOPLE}/${made.id.record_id}`;
    for (const title of ['Two', 'Two', 'Three']) {
      await attio.api('PATCH', path, { data: { values: { job_title: [title] } } });
    }
    const values = `${path}/attributes/job_title/values`;
    const now = await attio.api('GET', values);
    expect(now.body.data.map((one: { value: string }) => one.value)).toEqual(['Three']);
    const all = await attio.api('GET', `${values}?show_historic=true`);
    expect(all.body.data.map((one: { value: string }) => one.value)).toEqual(['One', 'Two', 'Three']);
    expect(all.body.data[0].active_until).toBe(all.body.data[1].active_from);
    expect(all.body.data[2].active_until).toBeNull();
    const paged = await attio.api('GET', `${values}?show_historic=true&limit=1&offset=1`);
    expect(paged.body.data.map((one: { value: string }) => one.value)).toEqual(['Two']);
  });

  test('the history of what Attio fills in itself is refused', async () => {
    const { data } = (await attio.api('POST', `${PEOPLE}/query`, { limit: 1 })).body;
    const path = `${PEOPLE}/${data[0].id.record_id}/attributes/last_interaction/values`;
    expect((await attio.api('GET', path)).body.data[0].interaction_type).toBe('email');
    const historic = await attio.api('GET', `${path}?show_historic=true`);
    expect([historic.status, historic.body.code]).toEqual([400, 'validation_type']);
  });
});
