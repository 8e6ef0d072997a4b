import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../mocks/test-client.ts';

let attio: TestSandbox;
const PEOPLE = '/objects/people/records';

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

describe('who may ask', () => {
  test('a live token is described, a revoked one is inactive, none is a 400', async () => {
    const live = await attio.api('GET', '/self');
    expect(live.body).toMatchObject({ active: true, iss: 'attio.com', token_type: 'Bearer', exp: null });
    expect(live.body.sub).toBe(live.body.workspace_id);
    const revoked = await attio.api('GET', '/self', undefined, { authorization: 'Bearer revoked' });
    expect([revoked.status, revoked.body]).toEqual([200, { active: false }]);
    const none = await attio.api('GET', '/self', undefined, { authorization: '' });
    expect(none.body).toMatchObject({ status_code: 400, code: 'missing_value' });
  });

  test('a revoked or missing token is a 401 everywhere else; Basic works', async () => {
    for (const authorization of ['Bearer revoked', '', 'Nonsense']) {
      const { status, body } = await attio.api('GET', '/objects', undefined, { authorization });
      expect(status).toBe(401);
      expect(body).toMatchObject({ status_code: 401, type: 'auth_error', code: 'unauthorized' });
    }
    const basic = { authorization: `Basic ${Buffer.from('key:').toString('base64')}` };
    expect((await attio.api('GET', '/objects', undefined, basic)).status).toBe(200);
  });

  test('a token can be revoked while running', async () => {
    await attio.control('POST', '/tokens', { token: 'test', active: false });
    expect((await attio.api('GET', '/objects')).status).toBe(401);
    await attio.control('POST', '/tokens', { token: 'test', active: true });
    expect((await attio.api('GET', '/objects')).status).toBe(200);
  });
});

describe('errors and headers', () => {
  test('an unknown route is told from a missing record by its message', async () => {
    const { status, body } = await attio.api('GET', PEOPLE);
    expect(status).toBe(404);
    expect(body).toEqual({
      status_code: 404,
      type: 'invalid_request_error',
      code: 'not_found',
      message: 'Could not find endpoint "GET /v2/objects/people/records".',
    });
    expect((await attio.api('GET', '/objects/nonsense')).body.message).toBe(
      'Object with slug/ID "nonsense" not found.',
    );
  });

  test('reads say the instant they are true at, strictly increasing', async () => {
    const instants: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      const { headers } = await attio.api('POST', `${PEOPLE}/query`, { limit: 1 });
      expect(headers.get('x-attio-record-query-score')).toBe('0');
      expect(headers.get('x-attio-execution-id')).toMatch(/^[0-9a-f-]{36}$/);
      instants.push(headers.get('x-accurate-at') ?? '');
    }
    const made = await create(PEOPLE, {});
    expect(instants).toEqual([...new Set(instants)].sort());
    expect(made.created_at > (instants.at(-1) ?? '')).toBe(true);
    expect(instants[0]).toMatch(/\.\d{9}Z$/);
  });
});
