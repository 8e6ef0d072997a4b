import type { InjectOptions } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/queue/clock.ts';
import { ServiceError } from '../../../src/services/errors.ts';
import { BATCH_URL, ONE, receipt, setUp } from './keyed.ts';
import { AUTHORIZED, createTestServer, ID, MemoryIdempotency } from './support.ts';

describe('a request that comes again with its key', () => {
  it('is answered as the first was, and not done again', async () => {
    const { send, executed } = setUp();
    const [first, second] = [await send('key-1'), await send('key-1')];
    expect(first.statusCode).toBe(202);
    expect(first.headers).not.toHaveProperty('idempotency-replayed');
    expect(second.statusCode).toBe(202);
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect(second.body).toBe(first.body);
    expect(second.headers['content-type']).toBe(first.headers['content-type']);
    expect(second.headers['x-request-id']).not.toBe(first.headers['x-request-id']);
    expect(executed).toHaveLength(1);
  });

  it('may spell its JSON in another way', async () => {
    const { send, executed } = setUp();
    const headers = { 'content-type': 'application/json' };
    await send('k', { headers, payload: '{"contacts":[{"email":"ada@example.com","lastName":"L"}]}' });
    const again = ' {"contacts" : [{"lastName":"\\u004c","email":"ada@example.com"} ]}';
    expect((await send('k', { headers, payload: again })).statusCode).toBe(202);
    expect(executed).toHaveLength(1);
  });

  it.each([
    ['a body', { payload: { contacts: [{ email: 'eve@example.com' }] } }],
    [
      'a body that only a schema takes for the same',
      { payload: { contacts: [{ email: 'ADA@example.com' }] } },
    ],
  ])('but with %s of its own is refused', async (_what, other) => {
    const { send, executed } = setUp();
    await send('k');
    const response = await send('k', other);
    expect(response.statusCode).toBe(422);
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(response.json()).toMatchObject({ type: 'urn:attio-bridge:problem:idempotency-key-reused' });
    expect(response.json().detail).toContain('idempotency-key');
    expect(executed).toHaveLength(1);
    expect((await send('k')).statusCode).toBe(202);
  });

  it('but with a query string of its own is refused', async () => {
    const { send } = setUp();
    const sync = { url: '/v1/sync/people', payload: '' };
    expect((await send('k', sync)).statusCode).toBe(202);
    expect((await send('k', { ...sync, url: '/v1/sync/people?force=true' })).statusCode).toBe(422);
  });

  it.each<[string, InjectOptions]>([
    ['key of the service', { headers: { authorization: 'Bearer other-key' } }],
    ['path', { url: '/v1/sync/people', payload: '' }],
    ['method', { url: '/v1/contacts', method: 'PUT', payload: { email: 'ada@example.com' } }],
    ['idempotency key', { headers: { 'idempotency-key': 'K' } }],
  ])('is another one under another %s', async (_what, other) => {
    const { send, executed } = setUp();
    await send('k');
    const response = await send('k', other);
    expect(response.statusCode).toBe(202);
    expect(response.headers).not.toHaveProperty('idempotency-replayed');
    expect(executed).toHaveLength(2);
  });

  it.each<InjectOptions>([
    { method: 'PUT', url: '/v1/contacts?wait=false', payload: { email: 'ada@example.com' } },
    { method: 'DELETE', url: `/v1/contacts/${ID}?attio=delete`, payload: '' },
    { method: 'POST', url: '/v1/sync/all', payload: '' },
  ])('is kept for %j, too', async (options) => {
    const { send, executed } = setUp();
    const [first, second] = [await send('k', options), await send('k', options)];
    expect(first.statusCode).toBeLessThan(300);
    expect([second.statusCode, second.body]).toEqual([first.statusCode, first.body]);
    expect(executed).toHaveLength(1);
  });

  it('is a new one after 24 hours', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    const { send, executed } = setUp({ clock: systemClock(() => now) });
    await send('k');
    now += 24 * 3600_000;
    await send('k');
    expect(executed).toHaveLength(1);
    now += 1;
    expect((await send('k', { payload: { contacts: [{ email: 'b@example.com' }] } })).statusCode).toBe(202);
    expect(executed).toHaveLength(2);
  });

  it('is refused again when it was refused by the service', async () => {
    const refused = new ServiceError('refused', 'Attio refuses it', {
      attio: { code: 'value_not_found', message: 'no' },
    });
    const { send, executed } = setUp({ batch: () => Promise.reject(refused) });
    const [first, second] = [await send('k'), await send('k')];
    expect([first.statusCode, second.statusCode]).toEqual([422, 422]);
    expect(second.body).toBe(first.body);
    expect(second.headers['content-type']).toBe('application/problem+json');
    expect(executed).toHaveLength(1);
  });

  it.each([
    ['the service could not serve', new ServiceError('unavailable', 'not now'), 503],
    ['something was wrong here', new Error('a fault'), 500],
  ])('is tried again when %s', async (_what, error, status) => {
    const { send, executed, store } = setUp({ batch: (n) => (n === 1 ? Promise.reject(error) : receipt(n)) });
    expect((await send('k')).statusCode).toBe(status);
    expect(store.rows.size).toBe(0);
    const second = await send('k');
    expect(second.json().data.id).toBe('batch-2');
    expect(second.headers).not.toHaveProperty('idempotency-replayed');
    expect((await send('k')).json().data.id).toBe('batch-2');
    expect(executed).toHaveLength(2);
  });

  it.each<[string, InjectOptions, number]>([
    ['a wrong body', { payload: { contacts: [] } }, 400],
    ['no key of the service', { headers: { authorization: '' } }, 401],
    ['a wrong media type', { headers: { 'content-type': 'text/plain' }, payload: 'x' }, 415],
    ['an unknown path', { url: '/v1/nope' }, 404],
  ])('was not begun by one with %s', async (_what, options, status) => {
    const { send, store } = setUp();
    expect((await send('k', options)).statusCode).toBe(status);
    expect(store.rows.size).toBe(0);
    expect((await send('k')).statusCode).toBe(202);
  });

  it('runs again when its answer is longer than 1 MiB', async () => {
    const rejected = Array.from({ length: 999 }, (_, index) => ({
      index,
      errors: [{ path: '/email', message: 'x'.repeat(1200) }],
    }));
    const { send, executed, store } = setUp({ batch: async (n) => ({ id: `${n}`, accepted: 1, rejected }) });
    expect((await send('k')).body.length).toBeGreaterThan(1024 * 1024);
    expect(store.rows.size).toBe(0);
    await send('k');
    expect(executed).toHaveLength(2);
  });
});

describe('an idempotency key', () => {
  it.each(['', 'a b', 'a, b', 'ä', 'x'.repeat(256), 'a\tb'])('is not "%s"', async (key) => {
    const { send, executed } = setUp();
    const response = await send(key);
    expect(response.statusCode).toBe(400);
    expect(response.json().errors).toEqual([
      { path: 'idempotency-key', message: 'must be sent once, with 1 to 255 visible ASCII characters' },
    ]);
    expect(executed).toEqual([]);
  });

  it.each(['!', '~', 'x'.repeat(255), '"quoted"', crypto.randomUUID()])('may be %s', async (key) => {
    const { send } = setUp();
    expect((await send(key)).statusCode).toBe(202);
  });

  it('is no matter to those who only read', async () => {
    const { app, store } = createKeyedReader();
    for (const key of ['k', '']) {
      const headers = { ...AUTHORIZED, 'idempotency-key': key };
      expect((await app.inject({ url: '/v1/conflicts', headers })).statusCode).toBe(200);
    }
    expect(store.rows.size).toBe(0);
  });

  it('is not needed', async () => {
    const { app, executed, store } = setUp();
    for (let n = 0; n < 2; n += 1) {
      await app.inject({ method: 'POST', url: BATCH_URL, payload: ONE, headers: AUTHORIZED });
    }
    expect(executed).toHaveLength(2);
    expect(store.rows.size).toBe(0);
  });

  it('is not stored, nor is the key of the service', async () => {
    const { send, store } = setUp();
    await send('the-key');
    expect(JSON.stringify([...store.rows])).not.toMatch(/the-key|service-key/);
    expect(store.rows.size).toBe(1);
  });
});

function createKeyedReader() {
  const store = new MemoryIdempotency();
  const conflicts = { list: async () => ({ rows: [], next: null }) };
  const server = createTestServer({ idempotency: { store }, services: { conflicts } });
  onTestFinished(() => server.app.close());
  return { ...server, store };
}
