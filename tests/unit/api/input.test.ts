import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/domain/json.ts';
import { AUTHORIZED, createTestServer, ID } from './support.ts';

const QUERY_URL = '/v1/records/people/query';
const JSON_TYPE = { 'content-type': 'application/json' };

function setUp() {
  const bodies: JsonObject[] = [];
  const { app } = createTestServer({
    services: {
      contacts: { list: async () => ({ rows: [], next: null }) },
      records: {
        query: async (_object, body) => {
          bodies.push(body);
          return { records: [], cache: 'BYPASS' };
        },
      },
      sync: { start: async () => ({ runId: 'r', alreadyRunning: false }) },
    },
  });
  const post = (payload: string | Buffer, headers: Record<string, string> = JSON_TYPE, url = QUERY_URL) =>
    app.inject({ method: 'POST', url, payload, headers: { ...AUTHORIZED, ...headers } });
  const get = (url: string) => app.inject({ url, headers: AUTHORIZED });
  return { post, get, bodies };
}

describe('a body', () => {
  it.each([
    ['not JSON', '{'],
    ['two values', '{}{}'],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['null', 'null'],
    ['a text with NUL', '{"filter":{"a":"x\\u0000y"}}'],
    ['a name with NUL', '{"filter":{"\\u0000":1}}'],
    ['a lone surrogate', '{"filter":{"a":["\\ud800"]}}'],
    ['a lone surrogate in a name', '{"filter":{"\\udfff":1}}'],
    ['a text that is too long', `{"filter":{"a":"${'x'.repeat(1001)}"}}`],
    ['a prototype', '{"__proto__":{"a":1}}'],
    ['a prototype in the depth', '{"filter":{"a":[{"__proto__":{"a":1}}]}}'],
    ['a constructor with a prototype', '{"filter":{"constructor":{"prototype":{"a":1}}}}'],
    ['a number beyond numbers', '{"filter":{"a":1e999}}'],
    ['an unknown member', '{"filters":{}}'],
    ['a filter that is a list', '{"filter":[]}'],
    ['a limit that is too high', '{"limit":501}'],
    ['a limit of none', '{"limit":0}'],
    ['a limit in text', '{"limit":"5"}'],
    ['a negative offset', '{"offset":-1}'],
    ['half an offset', '{"offset":0.5}'],
    ['sorts that are no list', '{"sorts":{}}'],
  ])('with %s is 400 and reaches no service', async (_what, payload) => {
    const { post, bodies } = setUp();
    const response = await post(payload);
    expect(response.statusCode).toBe(400);
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(response.json().errors.length).toBeGreaterThan(0);
    expect(bodies).toEqual([]);
  });

  it('is told where it is wrong, by JSON pointer', async () => {
    const { post } = setUp();
    const deep = await post('{"filter":{"a/b":{"c~d":["ok","\\u0000"]}}}');
    expect(deep.json().errors).toEqual([
      { path: '/filter/a~1b/c~0d/1', message: 'has a NUL character: take it out' },
    ]);
    const unknown = await post('{"limit":900,"filters":1,"constructor":2}');
    const paths = unknown.json().errors.map((error: { path: string }) => error.path);
    expect(paths.toSorted()).toEqual(['/constructor', '/filters', '/limit']);
  });

  it('may be 20 levels deep and no deeper, whatever its size', async () => {
    const { post } = setUp();
    const nested = (levels: number) => `{"filter":${'{"a":'.repeat(levels - 2)}{}${'}'.repeat(levels - 2)}}`;
    expect((await post(nested(20))).statusCode).toBe(200);
    expect((await post(nested(21))).statusCode).toBe(400);
    expect((await post('['.repeat(500_000))).statusCode).toBe(400);
    expect((await post(`${'['.repeat(400_000)}${']'.repeat(400_000)}`)).statusCode).toBe(400);
  });

  it('counts characters as people do', async () => {
    const { post, bodies } = setUp();
    const emoji = '😀'.repeat(1000);
    expect((await post(JSON.stringify({ filter: { a: emoji } }))).statusCode).toBe(200);
    expect(bodies).toEqual([{ filter: { a: emoji } }]);
    expect((await post(JSON.stringify({ filter: { a: `${emoji}x` } }))).statusCode).toBe(400);
  });

  it('names at most twenty of its faults', async () => {
    const { post } = setUp();
    const response = await post(JSON.stringify({ filter: { a: Array(500).fill('\0') } }));
    expect(response.json().errors).toHaveLength(20);
  });

  it('is 413 above 1 MiB', async () => {
    const { post } = setUp();
    const response = await post(`{"filter":{"a":"${'x'.repeat(1024 * 1024)}"}}`);
    expect(response.statusCode).toBe(413);
    expect(response.headers['content-type']).toBe('application/problem+json');
  });

  it.each([
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'application/jsonp' },
    { 'content-type': 'nonsense' },
    { 'content-type': '' },
  ])('is 415 as %j', async (headers) => {
    const { post } = setUp();
    const response = await post('{}', headers);
    expect(response.statusCode).toBe(415);
    expect(response.headers['content-type']).toBe('application/problem+json');
  });

  it.each(['application/json; charset=utf-8', 'Application/JSON', 'application/json;charset=UTF-8'])(
    'is read as %s',
    async (type) => {
      const { post } = setUp();
      expect((await post('{"limit":5}', { 'content-type': type })).statusCode).toBe(200);
    },
  );

  it('that is not needed may be empty in every way, or an empty object', async () => {
    const { post } = setUp();
    const url = '/v1/sync/people';
    expect((await post('', {}, url)).statusCode).toBe(202);
    expect((await post('', JSON_TYPE, url)).statusCode).toBe(202);
    expect((await post('', { 'content-type': 'application/x-www-form-urlencoded' }, url)).statusCode).toBe(
      202,
    );
    expect((await post('{}', JSON_TYPE, url)).statusCode).toBe(202);
    expect((await post('{"force":true}', JSON_TYPE, url)).statusCode).toBe(400);
    expect((await post('force=true', { 'content-type': 'text/plain' }, url)).statusCode).toBe(415);
  });

  it('that is needed may not be missing', async () => {
    const { post } = setUp();
    expect((await post('', {})).statusCode).toBe(400);
    expect((await post('', JSON_TYPE)).statusCode).toBe(400);
  });
});

describe('a query string', () => {
  it.each([
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=1e2', 'limit'],
    ['limit=', 'limit'],
    ['limit=abc', 'limit'],
    ['limit=5&limit=5', 'limit'],
    ['Limit=5', 'Limit'],
    ['nope=1', 'nope'],
    ['__proto__=1', '__proto__'],
    ['limit[]=1', 'limit[]'],
    ['email=nobody', 'email'],
    ['email=', 'email'],
    ['email=a@b', 'email'],
    ['email=a%00@b.example', 'email'],
    [`email=${'a'.repeat(320)}@b.example`, 'email'],
    ['externalId=', 'externalId'],
    [`externalId=${'a'.repeat(1001)}`, 'externalId'],
    ['externalId=%00', 'externalId'],
    ['cursor=', 'cursor'],
  ])('?%s is 400 and names %s', async (query, name) => {
    const { get } = setUp();
    const response = await get(`/v1/contacts?${query}`);
    expect(response.statusCode).toBe(400);
    expect(response.json().errors.map((error: { path: string }) => error.path)).toEqual([name]);
  });

  it.each(['externalId=%ED%A0%80', 'externalId=%ff', 'externalId=%', '%zz=1'])(
    '?%s is 400: no UTF-8',
    async (query) => {
      const { get } = setUp();
      const response = await get(`/v1/contacts?${query}`);
      expect(response.statusCode).toBe(400);
      expect(response.json().detail).toContain('UTF-8');
    },
  );

  it.each(['limit=1', 'limit=1000', 'externalId=a%2Fb+c', ''])('?%s is fine', async (query) => {
    const { get } = setUp();
    expect((await get(`/v1/contacts?${query}`)).statusCode).toBe(200);
  });

  it('is refused by routes that take none', async () => {
    const { get } = setUp();
    const response = await get(`/v1/contacts/${ID}?expand=1`);
    expect(response.json().errors).toEqual([{ path: 'expand', message: 'is not known here' }]);
  });
});

describe('a path', () => {
  it.each([
    '/v1/contacts/..%2f..%2fhealth',
    '/v1/contacts/a%00b',
    '/v1/contacts/',
    '/v1/contacts/a%20b',
    `/v1/records/People/${ID}`,
    `/v1/records/..%2fpeople/${ID}`,
    '/v1/records/people/not-a-uuid',
    `/v1/records/people/${ID}%2f..`,
    `/v1/records/%F0%9F%98%80/${ID}`,
    '/v1/objects/a.b/attributes',
    '/v1/sync/runs/a%2fb',
  ])('%s is 400 and reaches no service', async (url) => {
    const { get } = setUp();
    const response = await get(url);
    expect(response.statusCode).toBe(400);
    expect(response.json().errors).toHaveLength(1);
  });
});
