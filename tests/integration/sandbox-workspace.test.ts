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

describe('members, search and webhooks', () => {
  test('members are listed and read', async () => {
    const members = await get('/workspace_members');
    expect(members[0]).toMatchObject({ email_address: 'robin@example.com', access_level: 'admin' });
    expect(await get(`/workspace_members/${members[1].id.workspace_member_id}`)).toEqual(members[1]);
    expect(await refusal('GET', `/workspace_members/${crypto.randomUUID()}`)).toEqual([404, 'not_found']);
  });

  test('search finds by name, address and domain', async () => {
    const person = await post('/objects/people/records', {
      values: { name: ['Searchable, Zed'], email_addresses: ['zed@example.org'] },
    });
    const search = (query: string, more = {}) =>
      attio.api('POST', '/objects/records/search', {
        query,
        objects: ['people', 'companies'],
        request_as: { type: 'workspace' },
        ...more,
      });
    for (const query of ['zed search', 'ZED@example']) {
      const { body } = await search(query);
      expect(body.data).toMatchObject([
        { id: person.id, record_text: 'Zed Searchable', email_addresses: ['zed@example.org'] },
      ]);
    }
    expect((await search('', { limit: 3 })).body.data).toHaveLength(3);
    expect((await search('x', { objects: ['nonsense'] })).body.code).toBe('value_not_found');
    expect((await search('x', { request_as: undefined })).body.validation_errors[0].path).toEqual([
      'request_as',
    ]);
  });

  test('a webhook shows its secret once, can be changed, and is not made twice', async () => {
    const webhook = {
      target_url: 'https://example.com/hook',
      subscriptions: [{ event_type: 'record.created', filter: null }],
    };
    const made = await post('/webhooks', webhook);
    expect(made).toMatchObject({ ...webhook, status: 'active' });
    expect(made.secret).toMatch(/^[0-9a-f]{64}$/);
    const path = `/webhooks/${made.id.webhook_id}`;
    expect(await get(path)).not.toHaveProperty('secret');
    expect(await get('/webhooks')).toHaveLength(1);
    expect(await refusal('POST', '/webhooks', { data: webhook })).toEqual([409, 'uniqueness_conflict']);
    const changed = await attio.api('PATCH', path, { data: { target_url: 'https://example.com/other' } });
    expect(changed.body.data.target_url).toBe('https://example.com/other');
    expect((await attio.api('DELETE', path)).body).toEqual({});
    expect(await refusal('GET', path)).toEqual([404, 'not_found']);
    expect(await refusal('DELETE', path)).toEqual([404, 'not_found']);
  });

  test.each([
    [{ target_url: 'http://example.com', subscriptions: [] }, ['data', 'target_url']],
    [
      { target_url: 'https://example.com', subscriptions: [{ event_type: 'record.created' }] },
      ['data', 'subscriptions', 0, 'filter'],
    ],
    [
      { target_url: 'https://example.com', subscriptions: [{ event_type: 'nope', filter: null }] },
      ['data', 'subscriptions', 0, 'event_type'],
    ],
  ])('a bad webhook is refused: %j', async (data, path) => {
    const { status, body } = await attio.api('POST', '/webhooks', { data });
    expect([status, body.code]).toEqual([400, 'validation_type']);
    expect(body.validation_errors[0].path).toEqual(path);
  });
});
