import { describe, expect, it } from 'vitest';
import { encodeCursor } from '../../../src/api/cursor.ts';
import type { SyncState } from '../../../src/domain/sync-state.ts';
import { ServiceError } from '../../../src/services/errors.ts';
import { AUTHORIZED, COMPANY, CONTACT, createTestServer, ID, type Overrides, SYNCED } from './support.ts';

function setUp(services: NonNullable<Overrides['services']>) {
  const { app } = createTestServer({ services });
  return (url: string) => app.inject({ url, headers: AUTHORIZED });
}

describe('a contact', () => {
  it('shows exactly what is promised', async () => {
    const withMore = { ...CONTACT, kind: 'people', keys: ['ada@example.com'] };
    const get = setUp({ contacts: { get: async () => ({ thing: withMore, mergedFrom: [], sync: SYNCED }) } });
    const response = await get(`/v1/contacts/${ID}`);
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({ data: { ...CONTACT, sync: SYNCED }, sync: SYNCED });
  });

  it('names those that were merged into it, when there are any', async () => {
    const get = setUp({
      contacts: { get: async () => ({ thing: CONTACT, mergedFrom: ['old'], sync: SYNCED }) },
    });
    expect((await get(`/v1/contacts/${ID}`)).json().data.mergedFrom).toEqual(['old']);
  });

  it('is found by a UUID in any case, and by any other id of ours as it is', async () => {
    const asked: string[] = [];
    const get = setUp({
      contacts: {
        get: async (id) => {
          asked.push(id);
          return { thing: CONTACT, mergedFrom: [], sync: SYNCED };
        },
      },
    });
    await get(`/v1/contacts/${ID.toUpperCase()}`);
    await get('/v1/contacts/Own_Id-7');
    expect(asked).toEqual([ID, 'Own_Id-7']);
  });

  it('that was deleted is 410', async () => {
    const gone = new ServiceError('gone', 'this contact was deleted at 2026-01-01T00:00:00.000Z');
    const get = setUp({ contacts: { get: () => Promise.reject(gone) } });
    const response = await get(`/v1/contacts/${ID}`);
    expect(response.statusCode).toBe(410);
    expect(response.json()).toMatchObject({ type: 'urn:attio-bridge:problem:gone', status: 410 });
  });

  it('may lack nearly everything', async () => {
    const bare = { ...CONTACT, email: null, emails: [], firstName: null, recordId: null, attributes: {} };
    const get = setUp({ contacts: { get: async () => ({ thing: bare, mergedFrom: [], sync: SYNCED }) } });
    expect((await get(`/v1/contacts/${ID}`)).json()).toEqual({
      data: { ...bare, sync: SYNCED },
      sync: SYNCED,
    });
  });
});

describe('what is told of Attio', () => {
  it.each<SyncState>([
    { status: 'synced', recordId: null },
    { status: 'pending' },
    { status: 'failed', code: 'uniqueness_conflict', detail: 'another record has this value' },
  ])('is shown beside a thing, in it, and in every row: %j', async (sync) => {
    const get = setUp({
      contacts: {
        get: async () => ({ thing: CONTACT, mergedFrom: [], sync }),
        list: async () => ({ rows: [{ thing: CONTACT, sync }], next: null }),
      },
    });
    const one = (await get(`/v1/contacts/${ID}`)).json();
    expect([one.sync, one.data.sync]).toEqual([sync, sync]);
    expect((await get('/v1/contacts')).json().data[0].sync).toEqual(sync);
  });
});

describe('the list of contacts', () => {
  it('goes on where its cursor says, until there is no more', async () => {
    const asked: unknown[] = [];
    const get = setUp({
      contacts: {
        list: async (query) => {
          asked.push(query);
          return {
            rows: [{ thing: CONTACT, sync: SYNCED }],
            next: query.after === undefined ? 'id-1' : null,
          };
        },
      },
    });
    const first = (await get('/v1/contacts?limit=1')).json();
    expect(first.data).toEqual([{ ...CONTACT, sync: SYNCED }]);
    const second = (await get(`/v1/contacts?limit=1&cursor=${first.nextCursor}`)).json();
    expect(second.nextCursor).toBeNull();
    expect(asked).toEqual([{ limit: 1 }, { limit: 1, after: 'id-1' }]);
  });

  it('asks for 100, by e-mail in lower case or by external id', async () => {
    const asked: unknown[] = [];
    const get = setUp({
      contacts: {
        list: async (query) => {
          asked.push(query);
          return { rows: [], next: null };
        },
      },
    });
    await get('/v1/contacts');
    await get('/v1/contacts?email=Ada%2Btag@Example.COM');
    await get('/v1/contacts?externalId=crm%3A7');
    expect(asked).toEqual([
      { limit: 100 },
      { limit: 100, email: 'ada+tag@example.com' },
      { limit: 100, externalId: 'crm:7' },
    ]);
  });

  it.each([
    ['of another list', encodeCursor('companies', 'id-1')],
    ['of another kind', encodeCursor('contacts', 7)],
    ['that was shortened', encodeCursor('contacts', 'id-1').slice(0, -2)],
    ['in another spelling', `${encodeCursor('contacts', 'id-1')}=`],
    ['with more in it', Buffer.from('{"k":"contacts","a":"x","b":1}').toString('base64url')],
    ['made up', 'abc'],
    ['in JSON', '{"k":"contacts","a":"x"}'],
  ])('refuses a cursor %s', async (_which, cursor) => {
    const get = setUp({});
    const response = await get(`/v1/contacts?cursor=${encodeURIComponent(cursor)}`);
    expect(response.statusCode).toBe(400);
    expect(response.json().errors[0].path).toBe('cursor');
  });
});

describe('companies', () => {
  it('show exactly what is promised', async () => {
    const get = setUp({
      companies: { get: async () => ({ thing: COMPANY, mergedFrom: ['old'], sync: SYNCED }) },
    });
    expect((await get(`/v1/companies/${ID}`)).json()).toEqual({
      data: { ...COMPANY, mergedFrom: ['old'], sync: SYNCED },
      sync: SYNCED,
    });
  });

  it('are listed, by domain in lower case', async () => {
    const asked: unknown[] = [];
    const get = setUp({
      companies: {
        list: async (query) => {
          asked.push(query);
          return { rows: [{ thing: COMPANY, sync: SYNCED }], next: 'id-1' };
        },
      },
    });
    const page = (await get('/v1/companies?domain=Example.COM&limit=3')).json();
    expect(page).toEqual({
      data: [{ ...COMPANY, sync: SYNCED }],
      nextCursor: encodeCursor('companies', 'id-1'),
    });
    await get(`/v1/companies?cursor=${page.nextCursor}`);
    expect(asked).toEqual([
      { limit: 3, domain: 'example.com' },
      { limit: 100, after: 'id-1' },
    ]);
  });

  it.each(['nodot', 'https://example.com', 'a b.com', '.com', 'user@example.com'])(
    'are not asked for by "%s"',
    async (domain) => {
      const get = setUp({});
      const response = await get(`/v1/companies?domain=${encodeURIComponent(domain)}`);
      expect(response.json().errors[0].path).toBe('domain');
    },
  );
});

describe('the schema', () => {
  const objects = Array.from({ length: 5 }, (_, n) => ({ api_slug: `object_${n}`, id: { object_id: 'x' } }));

  it('is listed as Attio answers it, in pages', async () => {
    const get = setUp({ schema: { objects: async () => objects } });
    const first = (await get('/v1/objects?limit=3')).json();
    expect(first.data).toEqual(objects.slice(0, 3));
    const second = (await get(`/v1/objects?limit=3&cursor=${first.nextCursor}`)).json();
    expect(second).toEqual({ data: objects.slice(3), nextCursor: null });
    expect((await get('/v1/objects')).json()).toEqual({ data: objects, nextCursor: null });
  });

  it('has attributes per object', async () => {
    const get = setUp({ schema: { attributes: async (object) => [{ api_slug: 'name', of: object }] } });
    expect((await get('/v1/objects/people/attributes')).json()).toEqual({
      data: [{ api_slug: 'name', of: 'people' }],
      nextCursor: null,
    });
  });
});
