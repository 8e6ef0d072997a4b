import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../mocks/test-client.ts';

let attio: TestSandbox;

beforeAll(async () => {
  attio = await startTestSandbox({ people: 30, companies: 6, deals: 4 });
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

describe('lists and entries', () => {
  test('lists can be read, made and changed', async () => {
    const lists = await get('/lists');
    expect(slugs(lists)).toEqual(['recruiting', 'partnerships']);
    expect(lists[0].parent_object).toEqual(['people']);
    const made = await post('/lists', {
      name: 'Friends',
      api_slug: 'friends',
      parent_object: 'people',
      workspace_access: 'full-access',
      workspace_member_access: [],
    });
    expect(await get(`/lists/${made.id.list_id}`)).toEqual(made);
    await attio.api('PATCH', '/lists/friends', { data: { name: 'Foes' } });
    expect((await get('/lists/friends')).name).toBe('Foes');
    expect(await refusal('GET', '/lists/nonsense')).toEqual([404, 'not_found']);
    const clash = {
      name: 'x',
      api_slug: 'friends',
      parent_object: 'people',
      workspace_access: 'full-access',
    };
    expect(await refusal('POST', '/lists', { data: { ...clash, workspace_member_access: [] } })).toEqual([
      409,
      'slug_conflict',
    ]);
    expect(
      await refusal('POST', '/lists', {
        data: { ...clash, parent_object: 'nonsense', workspace_member_access: [] },
      }),
    ).toEqual([404, 'not_found']);
  });

  test('an entry is made, read, changed both ways and deleted', async () => {
    const parent = await firstPerson();
    const path = '/lists/recruiting/entries';
    const made = await post(path, {
      parent_record_id: parent,
      parent_object: 'people',
      entry_values: { stage: 'Applied', tags: ['Remote'], value: [{ currency_value: 10 }] },
    });
    const one = `${path}/${made.id.entry_id}`;
    expect(made).toMatchObject({ parent_record_id: parent, parent_object: 'people' });
    expect(made.entry_values.stage[0].status.title).toBe('Applied');
    expect(made.entry_values.stage[0].status.id.object_id).toBe(made.id.list_id);
    const patched = await attio.api('PATCH', one, {
      data: { entry_values: { stage: ['Offer'], tags: ['Senior'] } },
    });
    const tags = (answer: { body: { data: { entry_values: { tags: { option: { title: string } }[] } } } }) =>
      titles(answer.body.data.entry_values.tags.map((value) => value.option));
    expect(tags(patched)).toEqual(['Senior', 'Remote']);
    const put = await attio.api('PUT', one, { data: { entry_values: { tags: ['Referred'] } } });
    expect(tags(put)).toEqual(['Referred']);
    const history = await get(`${one}/attributes/stage/values?show_historic=true`);
    expect(history.map((value: { status: { title: string } }) => value.status.title)).toEqual([
      'Applied',
      'Offer',
    ]);
    const entries = await get(`/objects/people/records/${parent}/entries`);
    expect(entries).toContainEqual({
      list_id: made.id.list_id,
      list_api_slug: 'recruiting',
      entry_id: made.id.entry_id,
      created_at: made.created_at,
    });
    expect((await attio.api('DELETE', one)).body).toEqual({});
    expect(await refusal('GET', one)).toEqual([404, 'not_found']);
  });

  test('an upsert by parent makes one, changes it, and refuses when there are two', async () => {
    const { id } = await post('/objects/people/records', { values: {} });
    const body = (stage: string) => ({
      data: { parent_record_id: id.record_id, parent_object: 'people', entry_values: { stage: [stage] } },
    });
    const made = await attio.api('PUT', '/lists/recruiting/entries', body('Applied'));
    const again = await attio.api('PUT', '/lists/recruiting/entries', body('Offer'));
    expect(again.body.data.id).toEqual(made.body.data.id);
    await attio.api('POST', '/lists/recruiting/entries', body('Applied'));
    expect(await refusal('PUT', '/lists/recruiting/entries', body('Hired'))).toEqual([
      400,
      'multiple_match_results',
    ]);
  });

  test('the parent must exist, fit and stay', async () => {
    const path = '/lists/recruiting/entries';
    const parent = { parent_record_id: await firstPerson(), parent_object: 'people' };
    const wrongKey = { data: { ...parent, values: {} } };
    const answer = await attio.api('POST', path, wrongKey);
    expect(answer.body.validation_errors[0].path).toEqual(['data', 'entry_values']);
    const unknown = { data: { ...parent, parent_record_id: crypto.randomUUID(), entry_values: {} } };
    expect(await refusal('POST', path, unknown)).toEqual([400, 'value_not_found']);
    expect(
      await refusal('POST', path, { data: { ...parent, parent_object: 'companies', entry_values: {} } }),
    ).toEqual([400, 'validation_type']);
    const made = await post(path, { ...parent, entry_values: {} });
    expect(
      await refusal('PATCH', `${path}/${made.id.entry_id}`, { data: { ...parent, entry_values: {} } }),
    ).toEqual([400, 'immutable_value']);
    expect(await refusal('GET', path)).toEqual([404, 'not_found']);
  });
});
