import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { type ContactJson, startService, type TestService } from '../support/service.ts';

let service: TestService;

beforeAll(async () => {
  service = await startService({ sandbox: { people: 120, companies: 20, deals: 10 } });
  await service.sync('all');
  await service.get('/v1/objects');
  return () => service[Symbol.asyncDispose]();
});

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

interface List<T> {
  readonly data: T[];
  readonly nextCursor: string | null;
}

describe('contacts', () => {
  test('are read page by page, each once', async () => {
    const seen: string[] = [];
    for (let query = '?limit=50'; query !== ''; ) {
      const { body } = await service.get<List<ContactJson>>(`/v1/contacts${query}`);
      seen.push(...body.data.map((contact) => contact.id));
      query = body.nextCursor === null ? '' : `?limit=50&cursor=${body.nextCursor}`;
    }
    expect(new Set(seen).size).toBe(120);
    expect(seen).toHaveLength(120);
  });

  test('are found by any of their addresses, in any case, without a call to Attio', async () => {
    const { sandbox } = service.sandbox;
    const [contact] = (await service.get<List<ContactJson>>('/v1/contacts?limit=1')).body.data;
    const cursor = await service.latest();
    const emails = [contact?.email, 'Second.Address@Example.com'];
    sandbox.edit({
      object: 'people',
      recordId: contact?.recordId ?? '',
      values: { email_addresses: emails },
    });
    await service.change(cursor, (change) => change.changed.includes('email_addresses'));
    sandbox.clearRequests();
    for (const email of [contact?.email?.toUpperCase(), 'second.address@example.com']) {
      const { body } = await service.get<List<ContactJson>>(
        `/v1/contacts?email=${encodeURIComponent(email ?? '')}`,
      );
      expect(body.data.map((found) => found.id)).toEqual([contact?.id]);
    }
    expect(sandbox.requests().total).toBe(0);
  });
});

describe('companies', () => {
  test('are found by domain', async () => {
    type CompanyJson = { id: string; domain: string; domains: string[]; name: string };
    const [company] = (await service.get<List<CompanyJson>>('/v1/companies?limit=1')).body.data;
    const { body } = await service.get<List<CompanyJson>>(`/v1/companies?domain=${company?.domain}`);
    expect(body.data).toEqual([company]);
    const one = await service.get<{ data: CompanyJson }>(`/v1/companies/${company?.id}`);
    expect(one.body.data).toEqual(company);
  });
});

describe('a record', () => {
  test('read by a thousand at once is one request to Attio', async () => {
    const { sandbox } = service.sandbox;
    const [, contact] = (await service.get<List<ContactJson>>('/v1/contacts?limit=2')).body.data;
    sandbox.clearRequests();
    const reads = await Promise.all(
      Array.from({ length: 1_000 }, () => service.get(`/v1/records/people/${contact?.recordId}`)),
    );
    expect(new Set(reads.map((read) => read.status))).toEqual(new Set([200]));
    expect(sandbox.requests().requests.filter((request) => request.path.includes('/records/'))).toHaveLength(
      1,
    );
    const again = await service.get(`/v1/records/people/${contact?.recordId}`);
    expect(again.headers.get('x-cache')).toBe('HIT');
  });

  test('is read anew after its webhook', async () => {
    const { sandbox } = service.sandbox;
    const [, , contact] = (await service.get<List<ContactJson>>('/v1/contacts?limit=3')).body.data;
    const path = `/v1/records/people/${contact?.recordId}`;
    type RecordJson = { data: { values: { job_title: { value: string }[] } } };
    expect((await service.get(path)).headers.get('x-cache')).toBe('MISS');
    expect((await service.get(path)).headers.get('x-cache')).toBe('HIT');
    const cursor = await service.latest();
    sandbox.edit({ object: 'people', recordId: contact?.recordId ?? '', values: { job_title: 'New' } });
    await service.change(cursor, (change) => change.id === contact?.id);
    const fresh = await service.get<RecordJson>(path);
    expect(fresh.body.data.values.job_title[0]?.value).toBe('New');
  });

  test('can be asked for with a filter of Attio', async () => {
    const [contact] = (await service.get<List<ContactJson>>('/v1/contacts?limit=1')).body.data;
    const body = { filter: { email_addresses: contact?.email }, limit: 5 };
    const found = await service.call<{ data: { id: { record_id: string } }[] }>(
      'POST',
      '/v1/records/people/query',
      { body },
    );
    expect(found.body.data.map((record) => record.id.record_id)).toEqual([contact?.recordId]);
    const refused = await service.call<{ detail: string }>('POST', '/v1/records/people/query', {
      body: { filter: { no_such_attribute: 1 } },
    });
    expect(refused.status).toBe(422);
    expect(refused.body.detail).toContain('filter_error');
  });
});

describe('the schema', () => {
  test('is shown with its attributes', async () => {
    const objects = await service.get<{ data: { api_slug: string }[] }>('/v1/objects');
    expect(objects.body.data.map((object) => object.api_slug)).toEqual(
      expect.arrayContaining(['people', 'companies', 'deals']),
    );
    const attributes = await service.get<{ data: { api_slug: string }[] }>('/v1/objects/people/attributes');
    expect(attributes.body.data.map((attribute) => attribute.api_slug)).toContain('email_addresses');
  });
});

describe('bad input costs no call to Attio and gets a problem that names what is wrong', () => {
  const cases: [string, string, number, RegExp][] = [
    ['GET', '/v1/contacts?limit=0', 400, /limit/],
    ['GET', '/v1/contacts?limit=1001', 400, /limit/],
    ['GET', '/v1/contacts?limit=ten', 400, /limit/],
    ['GET', '/v1/contacts?colour=red', 400, /colour/],
    ['GET', '/v1/contacts?email=none', 400, /email/],
    ['GET', '/v1/contacts?cursor=nonsense', 400, /cursor/],
    ['GET', '/v1/contacts?limit=1&limit=2', 400, /limit/],
    ['GET', `/v1/contacts/${randomUUID()}`, 404, /contact/],
    ['GET', '/v1/records/people/not-a-uuid', 400, /recordId/],
    ['GET', `/v1/records/unicorns/${randomUUID()}`, 404, /unicorns/],
    ['GET', '/v1/records/..%2f..%2fself/x', 400, /object/],
    ['GET', '/v1/objects/unicorns/attributes', 404, /unicorns/],
    ['POST', '/v1/sync/unicorns', 404, /SYNC_OBJECTS/],
    ['POST', '/v1/sync/people?wait=maybe', 400, /wait/],
    ['GET', '/v1/sync/runs/none', 404, /run/],
    ['GET', '/v1/changes?after=-1', 400, /after/],
    ['GET', '/v1/changes?after=eyJrIjoiY2hhbmdlcyIsImEiOjk5OTk5OTk5OX0', 400, /after/],
    ['GET', '/v1/changes?wait=31', 400, /wait/],
    ['GET', '/v1/dead-letters?kind=letters', 400, /kind/],
    ['POST', '/v1/dead-letters/999999/replay', 404, /dead letter/],
    ['GET', '/v1/nothing-here', 404, /nothing-here|route/i],
  ];

  test.each(cases)('%s %s: %i', async (method, path, status, names) => {
    service.sandbox.sandbox.clearRequests();
    const answer = await service.call<Record<string, unknown>>(method, path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(JSON.stringify(answer.body)).toMatch(names);
    const calls = service.sandbox.sandbox
      .requests()
      .requests.filter((request) => request.path !== '/v2/self');
    expect(calls).toEqual([]);
  });

  test('without a key: 401', async () => {
    for (const authorization of ['', 'Bearer wrong', 'Basic abc', 'Bearer ']) {
      const answer = await service.call('GET', '/v1/contacts', { headers: { authorization } });
      expect(answer.status).toBe(401);
    }
    expect((await service.call('GET', '/metrics', { headers: { authorization: '' } })).status).toBe(401);
  });
});

test('OpenAPI 3.1 is served, and every route of it answers', async () => {
  const { body } = await service.get<{ openapi: string; paths: Record<string, unknown> }>('/openapi.json');
  expect(body.openapi).toMatch(/^3\.1\./);
  expect(Object.keys(body.paths)).toEqual(
    expect.arrayContaining(['/webhooks', '/health', '/v1/contacts', '/v1/changes', '/v1/sync/{object}']),
  );
  expect((await service.get('/docs')).status).toBeLessThan(400);
});

test('metrics have the names that dashboards rely on', async () => {
  const { body } = await service.get<string>('/metrics');
  for (const name of [
    'attio_requests_total',
    'attio_request_duration_seconds',
    'attio_circuit_state',
    'cache_requests_total',
    'webhook_deliveries_total',
    'webhook_events_total',
    'inbox_pending',
    'inbox_lag_seconds',
    'sync_records_total',
    'dead_letters',
    'process_cpu_seconds_total',
  ]) {
    expect(body).toContain(name);
  }
  expect(body).not.toMatch(/@example|Bearer/);
});
