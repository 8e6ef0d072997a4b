import { describe, expect, it } from 'vitest';
import { AUTHORIZED, createTestServer, KEY, type Overrides } from './support.ts';

const PAGE = { contacts: { list: async () => ({ rows: [], next: null }) } };
const DEPLOYED = { trustLoopback: false, protectOperations: true };

async function statusOf(
  access: NonNullable<Overrides['access']>,
  request: { headers?: Record<string, string>; remoteAddress?: string; url?: string },
) {
  const { app } = createTestServer({ services: PAGE, access });
  const response = await app.inject({ url: '/v1/contacts', ...request });
  return response.statusCode;
}

describe('/v1', () => {
  it('opens to every key, whichever comes first', async () => {
    const access = { apiKeys: ['first', 'second', 'with space, and comma'] };
    for (const key of access.apiKeys) {
      expect(await statusOf(access, { headers: { authorization: `Bearer ${key}` } })).toBe(200);
      expect(await statusOf(access, { headers: { authorization: `bearer  ${key}` } })).toBe(200);
    }
  });

  it.each([
    ['no header', undefined],
    ['an empty token', 'Bearer '],
    ['a wrong token', 'Bearer nope'],
    ['a longer token', `Bearer ${KEY}x`],
    ['a shorter token', `Bearer ${KEY.slice(0, -1)}`],
    ['another case', `Bearer ${KEY.toUpperCase()}`],
    ['another scheme', `Basic ${KEY}`],
    ['the bare token', KEY],
  ])('is 401 with %s, and says how to mend it', async (_what, authorization) => {
    const { app } = createTestServer({ services: PAGE });
    const response = await app.inject({
      url: '/v1/contacts',
      headers: authorization === undefined ? {} : { authorization },
    });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer');
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(response.json().detail).toContain('authorization: Bearer');
    expect(response.body).not.toContain(KEY);
  });

  it('takes a key beyond ASCII, as bytes of UTF-8 or of Latin-1', async () => {
    const access = { apiKeys: ['schlüssel'] };
    const utf8 = Buffer.from('schlüssel', 'utf8').toString('latin1');
    expect(await statusOf(access, { headers: { authorization: `Bearer ${utf8}` } })).toBe(200);
    expect(await statusOf(access, { headers: { authorization: 'Bearer schlüssel' } })).toBe(200);
    expect(await statusOf(access, { headers: { authorization: 'Bearer schlussel' } })).toBe(401);
  });

  it('asks for the key before anything else: wrong paths, methods and bodies included', async () => {
    const { app } = createTestServer();
    for (const request of [
      { url: '/v1/nope' },
      { url: '/v1/contacts', method: 'PATCH' as const },
      { url: '/v1/contacts?nope=1' },
      {
        url: '/v1/sync/all',
        method: 'POST' as const,
        payload: '{',
        headers: { 'content-type': 'text/plain' },
      },
    ]) {
      expect((await app.inject(request)).statusCode).toBe(401);
    }
  });

  it('is not opened by a key in the address', async () => {
    expect(await statusOf({}, { url: `/v1/contacts?token=${KEY}&access_token=${KEY}` })).toBe(401);
  });
});

describe('without keys', () => {
  const open = { apiKeys: [] };

  it.each([
    ['127.0.0.1', 'localhost:3000'],
    ['127.0.0.1', '127.0.0.1:3000'],
    ['::1', '[::1]:3000'],
    ['::ffff:127.0.0.1', 'localhost'],
  ])('/v1 is open in development to this machine: %s as %s', async (remoteAddress, host) => {
    expect(await statusOf(open, { remoteAddress, headers: { host } })).toBe(200);
  });

  it.each([
    ['another machine', '10.0.0.7', {}],
    ['another machine that looks like this one', '127.0.0.1.evil.example', {}],
    ['a tunnel on this machine', '127.0.0.1', { host: 'abc.tunnel.example' }],
    ['a proxy on this machine', '127.0.0.1', { 'x-forwarded-for': '203.0.113.9' }],
    ['a proxy that speaks RFC 7239', '127.0.0.1', { forwarded: 'for=203.0.113.9' }],
  ])('/v1 stays shut to %s', async (_who, remoteAddress, headers) => {
    const { app } = createTestServer({ services: PAGE, access: open });
    const response = await app.inject({ url: '/v1/contacts', remoteAddress, headers });
    expect(response.statusCode).toBe(401);
    expect(response.json().detail).toContain('SERVICE_API_KEYS');
  });

  it('/v1 stays shut in staging and production', async () => {
    expect(await statusOf({ ...open, ...DEPLOYED }, {})).toBe(401);
  });
});

describe('metrics and documentation', () => {
  const paths = ['/metrics', '/openapi.json', '/docs', '/docs/json', '/docs/static/swagger-ui.css'];

  it.each(paths)('%s needs a key in staging and production', async (url) => {
    const { app } = createTestServer({ access: DEPLOYED });
    expect((await app.inject({ url })).statusCode).toBe(401);
    expect((await app.inject({ url, headers: AUTHORIZED })).statusCode).toBe(200);
  });

  it.each(paths)('%s is open in development', async (url) => {
    const { app } = createTestServer();
    expect((await app.inject({ url })).statusCode).toBe(200);
  });

  it('are what they say they are', async () => {
    const { app } = createTestServer();
    const metrics = await app.inject('/metrics');
    expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(metrics.body).toBe('metric 1\n');
    const docs = await app.inject('/docs');
    expect(docs.headers['content-type']).toContain('text/html');
    expect(docs.headers['content-security-policy']).toContain("script-src 'self';");
    expect(docs.body).not.toMatch(/(src|href)="(https?:)?\/\//);
    const style = await app.inject('/docs/static/swagger-ui.css');
    expect(style.headers['content-type']).toContain('text/css');
    expect(Number(style.headers['content-length'])).toBe(style.rawPayload.length);
    expect((await app.inject('/docs/json')).json()).toEqual((await app.inject('/openapi.json')).json());
    expect((await app.inject('/docs/static/nope.js')).statusCode).toBe(404);
    expect((await app.inject('/docs/static/..%2f..%2fpackage.json')).statusCode).toBe(404);
  });
});
