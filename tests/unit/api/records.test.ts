import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../../src/services/errors.ts';
import { AUTHORIZED, createTestServer, ID } from './support.ts';

const RECORD = { id: { record_id: ID }, values: { name: [{ first_name: 'Ada' }] }, created_at: 'x' };

describe('a record of Attio', () => {
  it.each(['HIT', 'MISS', 'STALE'] as const)('comes as it is, and says %s', async (cache) => {
    const asked: unknown[] = [];
    const { app } = createTestServer({
      services: {
        records: {
          get: async (...query) => {
            asked.push(query);
            return { record: RECORD, cache };
          },
        },
      },
    });
    const response = await app.inject({
      url: `/v1/records/people/${ID.toUpperCase()}`,
      headers: AUTHORIZED,
    });
    expect(response.json()).toEqual({ data: RECORD });
    expect(response.headers['x-cache']).toBe(cache);
    expect(asked).toEqual([['people', ID]]);
  });

  it('comes with what every answer has, to the byte, at once or later', async () => {
    const name = 'Zoë, 李, 🙂';
    const record = { ...RECORD, name };
    for (const found of [
      { record, cache: 'HIT' as const },
      Promise.resolve({ record, cache: 'MISS' as const }),
    ]) {
      const { app, served } = createTestServer({ services: { records: { get: () => found } } });
      const request = { url: `/v1/records/people/${ID}`, headers: { ...AUTHORIZED, 'x-request-id': 'mine' } };
      const response = await app.inject(request);
      const bytes = Buffer.from(JSON.stringify({ data: record }));
      expect(response.rawPayload).toEqual(bytes);
      expect(response.headers).toMatchObject({
        'cache-control': 'no-store',
        'content-type': 'application/json; charset=utf-8',
        'content-length': String(bytes.length),
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-request-id': 'mine',
      });
      expect(served).toMatchObject([{ route: '/v1/records/:object/:recordId', status: 200 }]);
      const head = await app.inject({ ...request, method: 'HEAD' });
      expect(head.headers['content-length']).toBe(String(bytes.length));
      expect(head.payload).toBe('');
    }
  });

  it('is 503 while Attio is out of reach and nothing is cached', async () => {
    const away = new ServiceError('unavailable', 'GET /objects/{object}: circuit_open', {
      retryAfterSeconds: 3,
    });
    const { app } = createTestServer({ services: { records: { get: () => Promise.reject(away) } } });
    const response = await app.inject({ url: `/v1/records/people/${ID}`, headers: AUTHORIZED });
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('3');
    expect(response.headers['x-cache']).toBeUndefined();
  });
});

describe('a query of records', () => {
  function setUp(cache: 'HIT' | 'BYPASS') {
    const asked: unknown[] = [];
    const { app } = createTestServer({
      services: {
        records: {
          query: async (...query) => {
            asked.push(query);
            return { records: [RECORD], cache };
          },
        },
      },
    });
    const query = (url: string, payload: object) =>
      app.inject({ method: 'POST', url, payload, headers: AUTHORIZED });
    return { query, asked };
  }

  it('passes a filter through, and takes an answer from the cache only when asked to', async () => {
    const { query, asked } = setUp('BYPASS');
    const body = { filter: { $or: [{ name: 'Ada' }, { age: { $gte: 3 } }] }, sorts: [{ attribute: 'name' }] };
    const response = await query('/v1/records/people/query', body);
    expect(response.json()).toEqual({ data: [RECORD], nextCursor: null });
    expect(response.headers['x-cache']).toBe('BYPASS');
    await query('/v1/records/people/query?cache=true', { limit: 500, offset: 1000 });
    await query('/v1/records/people/query?cache=false', {});
    expect(asked).toEqual([
      ['people', body, { cache: false }],
      ['people', { limit: 500, offset: 1000 }, { cache: true }],
      ['people', {}, { cache: false }],
    ]);
  });

  it.each(['cache=1', 'cache=', 'cache=True', 'cache=yes'])('does not guess what ?%s means', async (text) => {
    const { query, asked } = setUp('HIT');
    const response = await query(`/v1/records/people/query?${text}`, {});
    expect(response.json().errors).toEqual([{ path: 'cache', message: 'must be true or false' }]);
    expect(asked).toEqual([]);
  });

  it('shows what Attio has against it', async () => {
    const refused = new ServiceError('refused', 'Attio knows no attribute "nope"');
    const { app } = createTestServer({ services: { records: { query: () => Promise.reject(refused) } } });
    const response = await app.inject({
      method: 'POST',
      url: '/v1/records/people/query',
      payload: { filter: { nope: 1 } },
      headers: AUTHORIZED,
    });
    expect(response.statusCode).toBe(422);
    expect(response.json().detail).toBe('Attio knows no attribute "nope"');
  });
});
