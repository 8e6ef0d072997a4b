import { describe, expect, it } from 'vitest';
import type { BatchRejection, BatchView } from '../../../src/domain/batches.ts';
import { ServiceError } from '../../../src/services/errors.ts';
import type { BatchReceipt } from '../../../src/services/inputs.ts';
import { AUTHORIZED, createTestServer } from './support.ts';

const MIB = 1024 * 1024;

function setUp() {
  const taken: { items: readonly unknown[]; rejected: readonly BatchRejection[] }[] = [];
  const { app } = createTestServer({
    services: {
      contacts: {
        batch: async (items, rejected): Promise<BatchReceipt> => {
          taken.push({ items, rejected });
          return { id: 'batch-1', accepted: items.length, rejected };
        },
      },
    },
  });
  const post = (payload: string | object, headers: Record<string, string> = {}) =>
    app.inject({
      method: 'POST',
      url: '/v1/contacts/batch',
      payload,
      headers: { ...AUTHORIZED, 'content-type': 'application/json', ...headers },
    });
  return { post, taken };
}

const NOT_EMAIL = 'is not one e-mail address such as ada@example.com';

describe('a batch', () => {
  it('is taken in order, each contact as if it came alone', async () => {
    const { post, taken } = setUp();
    const contacts = [
      { email: 'Ada@Example.com', firstName: 'Ada' },
      { email: 'bob@example.com', phone: null },
      { email: 'ada@example.com', firstName: 'A.' },
    ];
    const response = await post({ contacts });
    expect(response.statusCode).toBe(202);
    expect(response.json()).toEqual({ data: { id: 'batch-1', accepted: 3, rejected: [] } });
    const inputs = [{ ...contacts[0], email: 'ada@example.com' }, contacts[1], contacts[2]];
    expect(taken).toEqual([{ items: inputs.map((input, index) => ({ index, input })), rejected: [] }]);
  });

  it('is taken without those that are wrong, which are told with their places', async () => {
    const { post, taken } = setUp();
    const good = { email: 'ada@example.com' };
    const contacts = [7, good, { email: 'x', nope: 1 }, null, { ...good, attributes: { name: 'x' } }, good];
    const response = await post({ contacts });
    expect(response.statusCode).toBe(202);
    const { data } = response.json();
    expect(data.accepted).toBe(2);
    expect(data.rejected).toEqual([
      { index: 0, errors: [{ path: '', message: 'must be an object with at least email' }] },
      {
        index: 2,
        errors: [
          { path: '/email', message: NOT_EMAIL },
          { path: '/nope', message: 'is not known here' },
        ],
      },
      { index: 3, errors: [{ path: '', message: 'must be an object with at least email' }] },
      {
        index: 4,
        errors: [
          {
            path: '/attributes/name',
            message: 'has its own place beside attributes: send it as firstName and lastName',
          },
        ],
      },
    ]);
    const items = [
      { index: 1, input: good },
      { index: 5, input: good },
    ];
    expect(taken).toEqual([{ items, rejected: data.rejected }]);
  });

  it('tells what the service refuses of it', async () => {
    const rejected = [
      { index: 0, errors: [{ path: '/attributes/x', message: 'is no attribute of people' }] },
    ];
    const { app } = createTestServer({
      services: { contacts: { batch: async () => ({ id: 'b', accepted: 0, rejected }) } },
    });
    const response = await app.inject({
      method: 'POST',
      url: '/v1/contacts/batch',
      payload: { contacts: [{ email: 'a@b.co', attributes: { x: 1 } }] },
      headers: AUTHORIZED,
    });
    expect(response.json().data.rejected).toEqual(rejected);
  });

  it('of which nothing is right is 400 and names the first twenty faults', async () => {
    const { post, taken } = setUp();
    const one = await post({ contacts: [{}, { email: 'a@b.co', firstName: '' }] });
    expect(one.statusCode).toBe(400);
    expect(one.headers['content-type']).toBe('application/problem+json');
    expect(one.json().errors).toEqual([
      { path: '/contacts/0/email', message: 'is missing: it is what the record is found by' },
      { path: '/contacts/1/firstName', message: 'is blank: send null to clear it' },
    ]);
    const many = await post({ contacts: Array(1000).fill({ email: 'x' }) });
    expect(many.json().errors).toHaveLength(20);
    expect(taken).toEqual([]);
  });

  it.each<[unknown, string, string]>([
    [{}, '/contacts', 'must be a list of 1 to 1000 contacts'],
    [{ contacts: [] }, '/contacts', 'must be a list of 1 to 1000 contacts'],
    [{ contacts: {} }, '/contacts', 'must be a list of 1 to 1000 contacts'],
    [{ contacts: null }, '/contacts', 'must be a list of 1 to 1000 contacts'],
    [
      { contacts: Array(1001).fill({ email: 'a@b.co' }) },
      '/contacts',
      'must be a list of 1 to 1000 contacts',
    ],
    [{ contacts: [{ email: 'a@b.co' }], wait: false }, '/wait', 'is not known here'],
    [[], '', 'must be an object with contacts'],
    [{ contacts: [{ email: 'a\0@b.co' }] }, '/contacts/0/email', 'has a NUL character: take it out'],
  ])('is not %j', async (body, path, message) => {
    const { post, taken } = setUp();
    const response = await post(JSON.stringify(body));
    expect(response.statusCode).toBe(400);
    expect(response.json().errors).toEqual([{ path, message }]);
    expect(taken).toEqual([]);
  });

  it('has at most 4 MiB', async () => {
    const { post, taken } = setUp();
    const contacts = Array.from({ length: 1000 }, (_, n) => ({
      email: `a${n}@b.co`,
      firstName: 'f'.repeat(1000),
      lastName: 'l'.repeat(1000),
      jobTitle: 'j'.repeat(1000),
      attributes: { description: 'd'.repeat(500) },
    }));
    expect(JSON.stringify({ contacts }).length).toBeGreaterThan(3 * MIB);
    expect((await post({ contacts })).statusCode).toBe(202);
    const tooLarge = await post(JSON.stringify({ contacts: ['x'.repeat(4 * MIB)] }));
    expect(tooLarge.statusCode).toBe(413);
    expect(tooLarge.json().detail).toContain('(4 MiB)');
    expect(taken).toHaveLength(1);
  });

  it('is JSON', async () => {
    const { post } = setUp();
    expect((await post('email\na@b.co', { 'content-type': 'text/csv' })).statusCode).toBe(415);
    expect((await post('{"contacts":[')).statusCode).toBe(400);
    expect((await post('')).statusCode).toBe(400);
  });
});

describe('how a batch fares', () => {
  const BATCH: BatchView = {
    id: 'batch-1',
    createdAt: '2026-01-01T09:30:00.000Z',
    total: 3,
    synced: 1,
    pending: 1,
    failed: 1,
    errors: [{ index: 2, code: 'uniqueness_conflict', message: 'another record has this value' }],
  };

  it('is shown exactly as promised', async () => {
    const asked: string[] = [];
    const { app } = createTestServer({
      services: {
        batches: {
          get: async (id) => {
            asked.push(id);
            return BATCH;
          },
        },
      },
    });
    const response = await app.inject({ url: '/v1/batches/batch-1', headers: AUTHORIZED });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({ data: BATCH });
    expect(asked).toEqual(['batch-1']);
  });

  it('is 404 when there is none', async () => {
    const get = () => Promise.reject(new ServiceError('not_found', 'there is no batch with this id'));
    const { app } = createTestServer({ services: { batches: { get } } });
    expect((await app.inject({ url: '/v1/batches/x', headers: AUTHORIZED })).statusCode).toBe(404);
    expect((await app.inject({ url: '/v1/batches/x.y', headers: AUTHORIZED })).statusCode).toBe(400);
  });
});
