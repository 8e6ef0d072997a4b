import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ServiceError, type ServiceErrorKind } from '../../../src/services/errors.ts';
import { AUTHORIZED, CONTACT, createTestServer, ID, SYNCED } from './support.ts';

const CONTACT_URL = `/v1/contacts/${ID}`;

function failingWith(error: unknown) {
  return createTestServer({ services: { contacts: { get: () => Promise.reject(error) } } });
}

describe('a problem', () => {
  it('has the members of RFC 9457 and no query string', async () => {
    const { app } = failingWith(new ServiceError('not_found', 'there is no contact with this id'));
    const response = await app.inject({ url: `${CONTACT_URL}?`, headers: AUTHORIZED });
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(response.json()).toEqual({
      type: 'urn:attio-bridge:problem:not-found',
      title: 'Not Found',
      status: 404,
      detail: 'there is no contact with this id',
      instance: CONTACT_URL,
    });
  });

  it.each([
    ['not_found', 404],
    ['gone', 410],
    ['invalid', 400],
    ['conflict', 409],
    ['refused', 422],
    ['cursor_expired', 410],
    ['unavailable', 503],
  ] as [ServiceErrorKind, number][])('of kind %s is %i', async (kind, status) => {
    const { app } = failingWith(new ServiceError(kind, 'in words', { path: 'after' }));
    const response = await app.inject({ url: CONTACT_URL, headers: AUTHORIZED });
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ status, detail: 'in words' });
    expect(response.headers['content-type']).toBe('application/problem+json');
  });

  it('names the part of the input that a service refused', async () => {
    const { app } = failingWith(new ServiceError('invalid', 'the cursor is too old', { path: 'cursor' }));
    const response = await app.inject({ url: CONTACT_URL, headers: AUTHORIZED });
    expect(response.json().errors).toEqual([{ path: 'cursor', message: 'the cursor is too old' }]);
  });

  it.each([
    [7, '7'],
    [0, '1'],
    [undefined, '5'],
  ])(
    'of "not now" says when to come again (%s → %s s), and is logged with its cause',
    async (given, told) => {
      const cause = new Error('circuit open');
      const { app, log } = failingWith(
        new ServiceError('unavailable', 'Attio is out of reach', {
          cause,
          ...(given === undefined ? {} : { retryAfterSeconds: given }),
        }),
      );
      const response = await app.inject({ url: CONTACT_URL, headers: AUTHORIZED });
      expect(response.statusCode).toBe(503);
      expect(response.headers['retry-after']).toBe(told);
      expect(JSON.stringify(log)).toContain('circuit open');
    },
  );

  it.each([
    ['an error', new Error('password=hunter2')],
    ['an error that claims a status', Object.assign(new Error('hunter2'), { statusCode: 404 })],
    ['an error that claims a code', Object.assign(new Error('hunter2'), { code: 'FST_ERR_VALIDATION' })],
    ['text', 'hunter2'],
    ['nothing', undefined],
    ['a zod error of ours', z.object({ a: z.string() }).safeParse({ a: 1 }).error],
  ])('is an opaque 500 for %s', async (_what, error) => {
    const { app } = failingWith(error);
    const response = await app.inject({ url: CONTACT_URL, headers: AUTHORIZED });
    expect(response.statusCode).toBe(500);
    expect(response.json()).toEqual({
      type: 'urn:attio-bridge:problem:internal',
      title: 'Internal Server Error',
      status: 500,
      detail: 'Something went wrong here. It is in the log under this x-request-id.',
      instance: CONTACT_URL,
    });
  });

  it('of ours is logged as an error, under the id that the caller is given', async () => {
    const { app, log } = failingWith(new Error('the reason'));
    const response = await app.inject({ url: CONTACT_URL, headers: AUTHORIZED });
    const line = log.find((entry) => entry['level'] === 50);
    expect(line).toMatchObject({ err: { message: 'the reason' } });
    expect(line?.['requestId']).toBe(response.headers['x-request-id']);
  });

  it('is what an answer becomes that does not fit its own schema', async () => {
    const { app } = createTestServer({
      services: {
        contacts: {
          get: async () => ({ thing: { ...CONTACT, version: Number.NaN }, mergedFrom: [], sync: SYNCED }),
        },
      },
    });
    const response = await app.inject({ url: CONTACT_URL, headers: AUTHORIZED });
    expect(response.statusCode).toBe(500);
    expect(response.json().type).toBe('urn:attio-bridge:problem:internal');
  });
});

describe('a request that no route takes', () => {
  it.each(['/nope', '/v1', '/v1/', '/v1/nope', '//v1/contacts', '/v1/contacts/a/b'])(
    '%s is 404',
    async (url) => {
      const { app } = createTestServer();
      const response = await app.inject({ url, headers: AUTHORIZED });
      expect(response.statusCode).toBe(404);
      expect(response.headers['content-type']).toBe('application/problem+json');
    },
  );

  it.each([
    ['POST', '/v1/contacts', 'GET, HEAD, PUT'],
    ['PATCH', '/v1/companies', 'GET, HEAD, PUT'],
    ['PATCH', '/v1/sync/runs/x?a=b', 'DELETE, GET, HEAD'],
    ['GET', '/webhooks', 'POST'],
    ['OPTIONS', '/v1/changes', 'GET, HEAD'],
    ['DELETE', '/health', 'GET, HEAD'],
    ['GET', '/v1/sync/all', 'POST'],
  ] as const)('%s %s is 405 and says what the path takes', async (method, url, allow) => {
    const { app } = createTestServer();
    const response = await app.inject({ method, url, headers: AUTHORIZED });
    expect(response.statusCode).toBe(405);
    expect(response.headers['allow']).toBe(allow);
    expect(response.json().detail).toContain(allow);
  });

  it.each(['/v1/contacts/%zz', '/%', '/v1/contacts/%E0%A4%A'])('%s is 400: no UTF-8', async (url) => {
    const { app, log } = createTestServer();
    const response = await app.inject({ url, headers: { ...AUTHORIZED, 'x-request-id': 'mine' } });
    expect(response.statusCode).toBe(400);
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(response.headers['x-request-id']).toBe('mine');
    expect(log.at(-1)).toMatchObject({ msg: 'request', status: 400 });
  });

  it('is 414 when a part of the path is longer than any id', async () => {
    const { app } = createTestServer();
    const response = await app.inject({ url: `/v1/contacts/${'a'.repeat(101)}`, headers: AUTHORIZED });
    expect(response.statusCode).toBe(414);
    expect(response.headers['content-type']).toBe('application/problem+json');
  });
});

describe('the id of a request', () => {
  it.each(['a', 'A-z_0.9', 'x'.repeat(128)])('is the given one: %s', async (id) => {
    const { app } = createTestServer();
    const response = await app.inject({ url: '/health/live', headers: { 'x-request-id': id } });
    expect(response.headers['x-request-id']).toBe(id);
  });

  it.each(['', 'x'.repeat(129), 'a b', 'a\tb', 'ä', 'a,b'])('is made when "%s" is given', async (id) => {
    const { app } = createTestServer();
    const response = await app.inject({ url: '/health/live', headers: { 'x-request-id': id } });
    expect(response.headers['x-request-id']).toBe('made-1');
  });
});

describe('every answer', () => {
  it.each(['/health/live', '/nope', '/v1/contacts', '/metrics', '/openapi.json'])(
    'of %s may be neither cached, framed nor guessed at',
    async (url) => {
      const { app } = createTestServer();
      const { headers } = await app.inject({ url });
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'referrer-policy': 'no-referrer',
      });
    },
  );

  it('is one line in the log and one count, by route and without the query', async () => {
    const { app, log, served } = createTestServer({
      services: { contacts: { list: async () => ({ rows: [], next: null }) } },
    });
    await app.inject({ url: '/v1/contacts?email=ada@example.com', headers: AUTHORIZED });
    await app.inject({ url: '/somewhere/else' });
    expect(log).toHaveLength(2);
    expect(log[0]).toMatchObject({
      level: 30,
      msg: 'request',
      method: 'GET',
      route: '/v1/contacts',
      status: 200,
      requestId: 'made-1',
    });
    expect(log[0]?.['ms']).toBeTypeOf('number');
    expect(JSON.stringify(log)).not.toContain('ada');
    expect(served.map(({ method, route, status }) => [method, route, status])).toEqual([
      ['GET', '/v1/contacts', 200],
      ['GET', 'unmatched', 404],
    ]);
  });
});
