import type { InjectOptions } from 'fastify';
import { describe, expect, it } from 'vitest';
import type { SyncState } from '../../../src/domain/sync-state.ts';
import { ServiceError } from '../../../src/services/errors.ts';
import type { WriteOptions } from '../../../src/services/inputs.ts';
import { AUTHORIZED, COMPANY, CONTACT, createTestServer, ID, SYNCED } from './support.ts';

function setUp(sync: SyncState = SYNCED, failure?: Error) {
  const asked: unknown[] = [];
  /** Notes a call; the signal is there and tells nothing yet. */
  const note = ({ signal, ...options }: WriteOptions, ...args: unknown[]) => {
    asked.push([...args, { ...options, aborted: signal.aborted }]);
    if (failure !== undefined) throw failure;
  };
  const { app, log } = createTestServer({
    services: {
      contacts: {
        upsert: async (input, options) => {
          note(options, input);
          return { thing: CONTACT, sync };
        },
        remove: async (id, options) => {
          note(options, id);
          return { thing: { ...CONTACT, deletedAt: '2026-01-03T00:00:00.000Z' }, sync };
        },
      },
      companies: {
        upsert: async (input, options) => {
          note(options, input);
          return { thing: COMPANY, sync };
        },
      },
    },
  });
  const call = (method: 'PUT' | 'DELETE', url: string, payload?: InjectOptions['payload']) =>
    app.inject({ method, url, headers: AUTHORIZED, ...(payload === undefined ? {} : { payload }) });
  return { call, asked, log };
}

const WAITING = { wait: true, aborted: false };

describe('writing a contact', () => {
  it('hands over what was sent, the address in lower case', async () => {
    const { call, asked } = setUp();
    const input = {
      email: 'ada@example.com',
      firstName: 'Ada ',
      lastName: null,
      phone: '+44 20 7123 4567 ext. 8',
      jobTitle: 'Head of “Analysis”',
      company: { domain: 'example.co.uk' },
      externalId: 'crm:7',
      attributes: {
        description: 'two\nlines',
        tags: ['a'],
        score: -1.5,
        vip: true,
        owner: null,
        links: { replace: [] },
      },
    };
    const response = await call('PUT', '/v1/contacts', { ...input, email: 'Ada@Example.COM' });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({ data: { ...CONTACT, sync: SYNCED }, sync: SYNCED });
    expect(asked).toEqual([[input, WAITING]]);
  });

  it('touches nothing that was left out', async () => {
    const { call, asked } = setUp();
    await call('PUT', '/v1/contacts', { email: 'ada@example.com' });
    expect(asked).toEqual([[{ email: 'ada@example.com' }, WAITING]]);
  });

  it.each([
    { phone: null },
    { phone: { replace: [] } },
    { phone: { replace: ['+44 20 7123 4567', '020.7123-4567 x12'] } },
    { company: null },
    { company: { recordId: ID } },
    { externalId: null },
    { jobTitle: '太郎' },
    { attributes: {} },
    { attributes: { 'a-1': 1e15, b_2: -1e15, c: Array(100).fill('x'), d: { e: { f: [1] } } } },
    { attributes: { phone_numbers: ['+15550100123'], email_addresses: { replace: ['a@example.com'] } } },
    { attributes: Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`slug_${n}`, n])) },
  ])('takes %j', async (members) => {
    const { call, asked } = setUp();
    const response = await call('PUT', '/v1/contacts', { email: 'ada@example.com', ...members });
    expect(response.statusCode).toBe(200);
    expect(asked).toEqual([[{ email: 'ada@example.com', ...members }, WAITING]]);
  });

  it.each([
    'a@b.co',
    "o'hara+tag@mail.example.com",
    'first.last@example.museum',
    'jörg@example.com',
    'a@xn--bcher-kva.example',
    'a@example.xn--p1ai',
    `${'l'.repeat(64)}@${'d'.repeat(63)}.example`,
  ])('takes %s for an address', async (email) => {
    const { call } = setUp();
    expect((await call('PUT', '/v1/contacts', { email })).statusCode).toBe(200);
  });

  it('finds a company by its record id in any case', async () => {
    const { call, asked } = setUp();
    await call('PUT', '/v1/contacts', { email: 'a@b.co', company: { recordId: ID.toUpperCase() } });
    expect(asked).toEqual([[{ email: 'a@b.co', company: { recordId: ID } }, WAITING]]);
  });
});

describe('writing a company', () => {
  it('hands over what was sent, the domain in lower case', async () => {
    const { call, asked } = setUp();
    const input = {
      domain: 'example.com',
      name: 'Example',
      externalId: null,
      attributes: { employee_range: null },
    };
    const response = await call('PUT', '/v1/companies', { ...input, domain: 'Example.COM' });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({ data: { ...COMPANY, sync: SYNCED }, sync: SYNCED });
    expect(asked).toEqual([[input, WAITING]]);
  });

  it.each(['xn--bcher-kva.example', 'a-b.c1.co.uk', `${'d'.repeat(63)}.example`])(
    'takes %s for a domain',
    async (domain) => {
      const { call } = setUp();
      expect((await call('PUT', '/v1/companies', { domain })).statusCode).toBe(200);
    },
  );
});

describe('deleting a contact', () => {
  it('keeps it in Attio, and its traces here, unless told otherwise', async () => {
    const { call, asked } = setUp();
    const response = await call('DELETE', `/v1/contacts/${ID}`);
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({ data: { id: ID, deletedAt: expect.any(String) }, sync: SYNCED });
    await call('DELETE', `/v1/contacts/${ID.toUpperCase()}?attio=delete&erase=true&wait=false`);
    await call('DELETE', '/v1/contacts/own-1?attio=keep&erase=false&wait=true');
    expect(asked).toEqual([
      [ID, { attio: 'keep', erase: false, ...WAITING }],
      [ID, { attio: 'delete', erase: true, wait: false, aborted: false }],
      ['own-1', { attio: 'keep', erase: false, ...WAITING }],
    ]);
  });

  it.each([
    ['attio=remove', 'attio', 'must be keep or delete'],
    ['attio=', 'attio', 'must be keep or delete'],
    ['erase=1', 'erase', 'must be true or false'],
    ['wait=5', 'wait', 'must be true or false'],
    ['force=true', 'force', 'is not known here'],
  ])('is not asked for by ?%s', async (query, path, message) => {
    const { call, asked } = setUp();
    const response = await call('DELETE', `/v1/contacts/${ID}?${query}`);
    expect(response.statusCode).toBe(400);
    expect(response.json().errors).toEqual([{ path, message }]);
    expect(asked).toEqual([]);
  });
});

const WRITES: ['PUT' | 'DELETE', string, object | undefined][] = [
  ['PUT', '/v1/contacts', { email: 'ada@example.com' }],
  ['PUT', '/v1/companies', { domain: 'example.com' }],
  ['DELETE', `/v1/contacts/${ID}`, undefined],
];

describe.each(WRITES)('the answer to %s %s', (method, url, payload) => {
  it('is 202 while Attio is yet to have it', async () => {
    const { call } = setUp({ status: 'pending' });
    const response = await call(method, url, payload);
    expect(response.statusCode).toBe(202);
    expect(response.json()).toMatchObject({
      data: { sync: { status: 'pending' } },
      sync: { status: 'pending' },
    });
  });

  it('does not wait for Attio when told so, and is 202 whatever has come of it by then', async () => {
    const { call, asked } = setUp(SYNCED);
    expect((await call(method, `${url}?wait=false`, payload)).statusCode).toBe(202);
    expect(asked).toEqual([[expect.anything(), expect.objectContaining({ wait: false })]]);
    expect((await call(method, `${url}?wait=no`, payload)).json().errors).toEqual([
      { path: 'wait', message: 'must be true or false' },
    ]);
  });

  it('is 422 with the words of Attio when it refuses', async () => {
    const attio = { code: 'uniqueness_conflict', message: 'The value is taken.' };
    const { call } = setUp(SYNCED, new ServiceError('refused', 'Attio has refused this', { attio }));
    const response = await call(method, url, payload);
    expect(response.statusCode).toBe(422);
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(response.json()).toEqual({
      type: 'urn:attio-bridge:problem:refused',
      title: 'Unprocessable Entity',
      status: 422,
      detail: 'Attio has refused this. Attio says uniqueness_conflict: The value is taken.',
      instance: url,
      attio,
    });
  });

  it('names each member that the workspace does not take', async () => {
    const errors = [
      { path: '/attributes/nope', message: 'is no attribute of people' },
      { path: '/attributes/score', message: 'must be a number' },
    ];
    const { call } = setUp(SYNCED, new ServiceError('invalid', 'two attributes are wrong', { errors }));
    const response = await call(method, url, payload);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ detail: 'two attributes are wrong', errors });
  });

  it('is 409 when another thing has the external id', async () => {
    const conflict = new ServiceError('conflict', 'another contact has this externalId', {
      path: '/externalId',
    });
    const { call } = setUp(SYNCED, conflict);
    const response = await call(method, url, payload);
    expect(response.statusCode).toBe(409);
    expect(response.json().errors).toEqual([
      { path: '/externalId', message: 'another contact has this externalId' },
    ]);
  });
});
