import type { InjectOptions } from 'fastify';
import { describe, expect, it } from 'vitest';
import type { Deal } from '../../../src/domain/entities.ts';
import type { SyncState } from '../../../src/domain/sync-state.ts';
import { ServiceError } from '../../../src/services/errors.ts';
import { AUTHORIZED, createTestServer, ID, SYNCED } from './support.ts';

const DEAL: Deal = {
  id: ID,
  externalId: 'order:1',
  name: 'Engine',
  stage: { id: ID, title: 'Lead' },
  value: { amount: 1250.5, currencyCode: 'EUR' },
  companyRecordId: null,
  contactRecordIds: [ID],
  ownerId: ID,
  ownerEmail: 'robin@example.com',
  attributes: { notes: 'x' },
  recordId: ID,
  webUrl: null,
  version: 2,
  createdAt: '2026-01-01T09:30:00.000Z',
  updatedAt: '2026-01-02T09:30:00.000Z',
  deletedAt: null,
};

function setUp(sync: SyncState = SYNCED, failure?: Error) {
  const asked: unknown[] = [];
  const answer = async (...args: unknown[]) => {
    asked.push(args);
    if (failure !== undefined) throw failure;
    return { thing: DEAL, sync };
  };
  const { app } = createTestServer({
    services: {
      deals: {
        get: async (id) => ({ ...(await answer(id)), mergedFrom: ['older'] }),
        list: async (query) => ({ rows: [await answer(query)], next: ID }),
        upsert: async (input, { wait }) => answer(input, wait),
        update: async (id, change, { wait }) => answer(id, change, wait),
      },
    },
  });
  const call = (method: 'GET' | 'PUT' | 'PATCH', url: string, payload?: InjectOptions['payload']) =>
    app.inject({ method, url, headers: AUTHORIZED, ...(payload === undefined ? {} : { payload }) });
  return { call, asked };
}

describe('deals over HTTP', () => {
  it('are written with what was sent, addresses and domains in lower case', async () => {
    const { call, asked } = setUp();
    const input = {
      externalId: 'Order:1',
      name: 'Engine',
      stage: 'Won 🎉',
      value: { amount: '12.50', currencyCode: 'EUR' },
      companyDomain: 'Example.COM',
      contactEmails: { replace: ['Ada@Example.com'] },
      ownerEmail: null,
      attributes: { notes: null },
    };
    const response = await call('PUT', '/v1/deals?wait=false', input);
    expect(response.statusCode).toBe(202);
    expect(response.json()).toEqual({ data: { ...DEAL, sync: SYNCED }, sync: SYNCED });
    const lower = { companyDomain: 'example.com', contactEmails: { replace: ['ada@example.com'] } };
    expect(asked).toEqual([[{ ...input, ...lower }, false]]);
  });

  it('are changed by what was sent, and pending is 202', async () => {
    const { call, asked } = setUp({ status: 'pending' });
    const response = await call('PATCH', `/v1/deals/${ID.toUpperCase()}`, { value: null });
    expect([response.statusCode, response.json().sync]).toEqual([202, { status: 'pending' }]);
    expect(asked).toEqual([[ID, { value: null }, true]]);
  });

  it('are read one by one and in lists, from where a cursor says', async () => {
    const { call, asked } = setUp();
    expect((await call('GET', `/v1/deals/${ID}`)).json().data).toEqual({
      ...DEAL,
      sync: SYNCED,
      mergedFrom: ['older'],
    });
    const { data, nextCursor } = (await call('GET', '/v1/deals?externalId=Order:1&limit=1')).json();
    expect(data).toHaveLength(1);
    await call('GET', `/v1/deals?cursor=${nextCursor}`);
    expect(asked.slice(1)).toEqual([[{ externalId: 'Order:1', limit: 1 }], [{ after: ID, limit: 100 }]]);
  });

  it('tell what was refused, member by member', async () => {
    const errors = [{ path: '/stage', message: 'is no stage of this workspace.' }];
    const { call } = setUp(SYNCED, new ServiceError('refused', 'Not this.', { errors }));
    const response = await call('PATCH', `/v1/deals/${ID}`, { stage: 'Nowhere' });
    expect([response.statusCode, response.json()]).toMatchObject([422, { detail: 'Not this.', errors }]);
  });

  it.each([
    [{}, ''],
    [{ contactEmails: ['a@b.example'] }, '/contactEmails'],
    [{ value: { amount: Number.NaN } }, '/value/amount'],
    [{ value: 7 }, '/value'],
    [{ name: ' ' }, '/name'],
  ])('are not changed by %j', async (change, path) => {
    const { call, asked } = setUp();
    const response = await call('PATCH', `/v1/deals/${ID}`, change);
    expect([response.statusCode, asked]).toEqual([400, []]);
    expect(response.json().errors[0].path).toBe(path);
  });
});
