import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../mocks/test-client.ts';

let attio: TestSandbox;

beforeAll(async () => {
  attio = await startTestSandbox({ people: 30, companies: 6, deals: 4, dealExternalId: false });
});
afterAll(() => attio.close());
beforeEach(() => attio.sandbox.reset());
afterEach(() => {
  expect(attio.problems.splice(0)).toEqual([]);
});

const get = async (path: string) => (await attio.api('GET', path)).body.data;
const post = async (path: string, data: unknown) => {
  const { status, body } = await attio.api('POST', path, { data });
  expect(status, JSON.stringify(body)).toBe(200);
  return body.data;
};
const refusal = async (method: string, path: string, body?: unknown) => {
  const answer = await attio.api(method, path, body);
  return [answer.status, answer.body.code];
};
const firstPerson = async () =>
  (await attio.api('POST', '/objects/people/records/query', { limit: 1 })).body.data[0].id
    .record_id as string;
const slugs = (items: { api_slug: string }[]) => items.map((item) => item.api_slug);
const titles = (items: { title: string }[]) => items.map((item) => item.title);

describe('objects', () => {
  test('the standard ones are there, others can be made, renamed and filled', async () => {
    expect(slugs(await get('/objects'))).toEqual(['people', 'companies', 'deals']);
    const made = await post('/objects', { api_slug: 'ships', singular_noun: 'Ship', plural_noun: 'Ships' });
    expect(await get('/objects/ships')).toEqual(made);
    expect(await get(`/objects/${made.id.object_id}`)).toEqual(made);
    expect(
      await refusal('POST', '/objects', {
        data: { api_slug: 'ships', singular_noun: 'S', plural_noun: 'Ss' },
      }),
    ).toEqual([409, 'slug_conflict']);
    expect(await refusal('PATCH', '/objects/ships', { data: {} })).toEqual([400, 'validation_type']);
    expect(await refusal('PATCH', '/objects/ships', { data: { api_slug: 'people' } })).toEqual([
      409,
      'slug_conflict',
    ]);
    await attio.api('PATCH', '/objects/ships', { data: { plural_noun: 'Fleet' } });
    expect((await get('/objects/ships')).plural_noun).toBe('Fleet');
    const record = await post('/objects/ships/records', { values: {} });
    expect(record.web_url).toContain('/ships/record/');
    expect(await refusal('GET', '/objects/nonsense')).toEqual([404, 'not_found']);
  });
});

describe('attributes', () => {
  const draft = {
    description: null,
    is_required: false,
    is_unique: false,
    is_multiselect: false,
    config: {},
  };

  test('every standard attribute reads as Attio describes it', async () => {
    const attributes = await get('/objects/people/attributes');
    const email = attributes.find((one: { api_slug: string }) => one.api_slug === 'email_addresses');
    expect(email).toMatchObject({
      type: 'email-address',
      is_unique: true,
      is_multiselect: true,
      is_writable: true,
    });
    expect(email.config.currency).toEqual({ default_currency_code: null, display_type: null });
    const company = await get('/objects/people/attributes/company');
    expect(company.relationship).toMatchObject({
      object_slug: 'companies',
      api_slug: 'team',
      is_multiselect: true,
    });
    expect(await get('/objects/people/attributes?limit=2&offset=1')).toEqual(attributes.slice(1, 3));
    expect(await refusal('GET', '/objects/people/attributes/nonsense')).toEqual([404, 'not_found']);
  });

  test('a unique one can be added to deals and is what an upsert matches by', async () => {
    const unique = { ...draft, title: 'External id', api_slug: 'external_id', type: 'text', is_unique: true };
    const made = await post('/objects/deals/attributes', unique);
    expect(made).toMatchObject({ is_unique: true, is_system_attribute: false, api_slug: 'external_id' });
    expect(await refusal('POST', '/objects/deals/attributes', { data: unique })).toEqual([
      409,
      'slug_conflict',
    ]);
    const upsert = (name: string) =>
      attio.api('PUT', '/objects/deals/records?matching_attribute=external_id', {
        data: { values: { external_id: ['x-1'], name: [name], stage: ['Lead'] } },
      });
    const [one, two] = [await upsert('One'), await upsert('Two')];
    expect(two.body.data.id).toEqual(one.body.data.id);
    expect(two.body.data.values.name[0].value).toBe('Two');
  });

  test('people and companies take no custom unique attributes', async () => {
    const unique = { ...draft, title: 'Id', api_slug: 'ext', type: 'text', is_unique: true };
    expect(await refusal('POST', '/objects/people/attributes', { data: unique })).toEqual([
      400,
      'validation_type',
    ]);
    await post('/objects/people/attributes', { ...unique, is_unique: false });
    expect(await refusal('PATCH', '/objects/people/attributes/ext', { data: { is_unique: true } })).toEqual([
      400,
      'validation_type',
    ]);
  });

  test('custom ones can be changed and archived, system ones cannot', async () => {
    const patch = { title: 'Grade', is_archived: true, default_value: null };
    const changed = await attio.api('PATCH', '/objects/people/attributes/satisfaction', { data: patch });
    expect(changed.body.data).toMatchObject({ title: 'Grade', is_archived: true });
    expect(slugs(await get('/objects/people/attributes'))).not.toContain('satisfaction');
    expect(slugs(await get('/objects/people/attributes?show_archived=true'))).toContain('satisfaction');
    expect(await refusal('PATCH', '/objects/people/attributes/name', { data: { title: 'x' } })).toEqual([
      400,
      'system_edit_unauthorized',
    ]);
  });

  test('a relationship is made with both its ends', async () => {
    await post('/objects/people/attributes', {
      ...draft,
      title: 'Manager',
      api_slug: 'manager',
      type: 'record-reference',
      relationship: { object: 'people', title: 'Reports', api_slug: 'reports', is_multiselect: true },
    });
    const boss = await firstPerson();
    const report = await post('/objects/people/records', {
      values: { manager: [{ target_object: 'people', target_record_id: boss }] },
    });
    const read = await get(`/objects/people/records/${boss}`);
    expect(read.values.reports[0].target_record_id).toBe(report.id.record_id);
  });

  test('defaults fill what a create leaves out', async () => {
    await post('/objects/people/attributes', {
      ...draft,
      title: 'Follow up',
      api_slug: 'follow_up',
      type: 'date',
      default_value: { type: 'dynamic', template: 'P1M' },
    });
    await attio.api('PATCH', '/objects/people/attributes/lead_score', {
      data: { default_value: { type: 'static', template: [{ value: 7 }] } },
    });
    const { values, created_at } = await post('/objects/people/records', { values: {} });
    expect(values.lead_score[0].value).toBe(7);
    expect(values.follow_up[0].value > created_at.slice(0, 10)).toBe(true);
  });

  test('options: listed, added, renamed, archived; only on selects', async () => {
    const path = '/objects/people/attributes/lead_source/options';
    expect(titles(await get(path))).toEqual(['Website', 'Referral', 'Event', 'Outbound']);
    const made = await post(path, { title: 'Podcast' });
    expect(await refusal('POST', path, { data: { title: 'Podcast' } })).toEqual([409, 'slug_conflict']);
    await attio.api('PATCH', `${path}/${made.id.option_id}`, { data: { title: 'Radio' } });
    await attio.api('PATCH', `${path}/Event`, { data: { is_archived: true } });
    expect(titles(await get(path))).toEqual(['Website', 'Referral', 'Outbound', 'Radio']);
    expect(titles(await get(`${path}?show_archived=true`))).toContain('Event');
    expect(await refusal('PATCH', `${path}/Nothing`, { data: { title: 'x' } })).toEqual([
      400,
      'value_not_found',
    ]);
    expect(
      await refusal('POST', '/objects/people/attributes/name/options', { data: { title: 'x' } }),
    ).toEqual([400, 'validation_type']);
    expect(
      await refusal('POST', '/objects/people/records', { data: { values: { lead_source: ['Event'] } } }),
    ).toEqual([400, 'value_not_found']);
  });

  test('statuses: listed, added, changed; of objects and of lists', async () => {
    expect(titles(await get('/objects/deals/attributes/stage/statuses'))).toEqual([
      'Lead',
      'In Progress',
      'Won 🎉',
      'Lost',
    ]);
    const path = '/lists/recruiting/attributes/stage/statuses';
    const made = await post(path, {
      title: 'Parked',
      celebration_enabled: true,
      target_time_in_status: 'P7D',
    });
    expect(made).toMatchObject({ celebration_enabled: true, target_time_in_status: 'P7D' });
    const changed = await attio.api('PATCH', `${path}/${made.id.status_id}`, { data: { title: 'On hold' } });
    expect(changed.body.data.title).toBe('On hold');
    expect(await refusal('POST', path, { data: { title: 'Applied' } })).toEqual([409, 'slug_conflict']);
    expect(await refusal('GET', '/lists/nonsense/attributes')).toEqual([404, 'not_found']);
  });
});
