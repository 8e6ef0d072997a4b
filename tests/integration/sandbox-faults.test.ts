import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../mocks/test-client.ts';

let attio: TestSandbox;

beforeAll(async () => {
  attio = await startTestSandbox({ people: 3, companies: 1, deals: 1 });
});
afterAll(() => attio.close());
beforeEach(() => attio.sandbox.reset());

const query = () => attio.api('POST', '/objects/people/records/query', { limit: 1 });
const create = (email: string) =>
  attio.api('POST', '/objects/people/records', { data: { values: { email_addresses: [email] } } });
const people = () => (attio.sandbox.summary()['objects'] as { people: number }).people;

describe('request faults', () => {
  test('status: Attio errors in its envelope, gateway errors as a page of the proxy', async () => {
    await attio.control('POST', '/faults', { kind: 'status', status: 500, count: 1 });
    const failed = await create('a@example.org');
    expect([failed.status, failed.body.status_code]).toEqual([500, 500]);
    for (const status of [502, 503, 504]) {
      await attio.control('POST', '/faults', { kind: 'status', status, count: 1 });
      const page = await query();
      expect(page.status).toBe(status);
      expect(page.headers.get('content-type')).toContain('text/html');
      expect(page.body).toContain('Cloudflare');
    }
    await attio.control('POST', '/faults', {
      kind: 'status',
      status: 409,
      code: 'concurrent_write_conflict',
      count: 1,
    });
    expect((await create('a@example.org')).body).toMatchObject({
      status_code: 409,
      code: 'concurrent_write_conflict',
    });
    expect(people()).toBe(3);
    expect((await create('a@example.org')).status).toBe(200);
  });

  test('status 429 says when to come back, as a date', async () => {
    attio.sandbox.addFault({ kind: 'status', status: 429, retryAfterSeconds: 3, count: 1 });
    const limited = await query();
    expect(limited.body).toMatchObject({ type: 'rate_limit_error', code: 'rate_limit_exceeded' });
    const wait =
      Date.parse(limited.headers.get('retry-after') ?? '') - Date.parse(limited.headers.get('date') ?? '');
    expect([3000, 4000]).toContain(wait);
  });

  test('disconnect: the request is not carried out and no answer comes', async () => {
    attio.sandbox.addFault({ kind: 'disconnect', count: 1 });
    await expect(create('a@example.org')).rejects.toThrow('fetch failed');
    expect(people()).toBe(3);
  });

  test('lost-answer: the request is carried out and no answer comes', async () => {
    attio.sandbox.addFault({ kind: 'lost-answer', count: 1 });
    await expect(create('a@example.org')).rejects.toThrow('fetch failed');
    expect(people()).toBe(4);
    expect((await create('a@example.org')).body.code).toBe('uniqueness_conflict');
  });

  test('hang: nothing comes until the client gives up', async () => {
    attio.sandbox.addFault({ kind: 'hang', count: 1 });
    const signal = AbortSignal.timeout(50);
    const hanging = fetch(`${attio.url}/v2/objects`, { headers: { authorization: 'Bearer t' }, signal });
    await expect(hanging).rejects.toMatchObject({ name: 'TimeoutError' });
    expect((await query()).status).toBe(200);
  });

  test('malformed: a 200 whose JSON ends too early, or a page', async () => {
    const raw = async () => {
      const answer = await fetch(`${attio.url}/v2/objects`, { headers: { authorization: 'Bearer t' } });
      return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
    };
    attio.sandbox.addFault({ kind: 'malformed', count: 1 });
    const cut = await raw();
    expect([cut.status, cut.type]).toEqual([200, 'application/json; charset=utf-8']);
    expect(() => JSON.parse(cut.text)).toThrow();
    attio.sandbox.addFault({ kind: 'malformed', html: true, count: 1 });
    expect(await raw()).toMatchObject({ status: 200, type: expect.stringContaining('text/html') });
  });

  test('latency adds up and leaves the answer as it is', async () => {
    attio.sandbox.addFault({ kind: 'latency', ms: 5 });
    attio.sandbox.addFault({ kind: 'latency', ms: 5 });
    expect((await query()).status).toBe(200);
  });
});

describe('which requests a fault hits', () => {
  const statuses = async () => [(await query()).status, (await attio.api('GET', '/objects')).status];

  test.each([
    [{ method: 'get' }, [200, 418]],
    [{ path: '/v2/objects/people' }, [418, 200]],
    [{ path: '/objects/people/records/query' }, [418, 200]],
    [{ path: 'records' }, [418, 200]],
    [{ path: '/objects/*/query' }, [418, 200]],
    [{ path: '/v2/objects/*' }, [418, 200]],
    [{ path: '/objects' }, [418, 418]],
    [{ method: 'POST', path: '/objects' }, [418, 200]],
    [{ path: '/objects/nonsense' }, [200, 200]],
  ])('%j', async (match, expected) => {
    await attio.control('POST', '/faults', { kind: 'status', status: 418, match });
    expect(await statuses()).toEqual(expected);
  });

  test('as many as count says, as often as probability says', async () => {
    attio.sandbox.addFault({ kind: 'status', status: 418, count: 2 });
    const three = [await statuses(), await statuses()].flat();
    expect(three).toEqual([418, 418, 200, 200]);
    expect((await attio.control('GET', '/faults')).body).toEqual([]);
    attio.sandbox.addFault({ kind: 'status', status: 418, probability: 0.5 });
    const many = [];
    for (let index = 0; index < 20; index += 1) many.push(...(await statuses()));
    expect(new Set(many)).toEqual(new Set([200, 418]));
    await attio.control('DELETE', '/faults');
    expect(await statuses()).toEqual([200, 200]);
  });

  test('the controls are never hit', async () => {
    attio.sandbox.addFault({ kind: 'disconnect' });
    expect((await attio.control('GET', '/faults')).body).toMatchObject([{ kind: 'disconnect', hits: 0 }]);
  });

  test.each([
    [{ kind: 'nonsense' }, 'kind'],
    [{ kind: 'status' }, 'status'],
    [{ kind: 'status', status: 200 }, 'status'],
    [{ kind: 'latency' }, 'ms'],
    [{ kind: 'disconnect', probability: 2 }, 'probability'],
    [{ kind: 'disconnect', count: 0 }, 'count'],
    [{ kind: 'disconnect', wrong: 1 }, 'wrong'],
  ])('a bad fault is a clear 400: %j', async (fault, named) => {
    const { status, body } = await attio.control('POST', '/faults', fault);
    expect(status).toBe(400);
    expect(body.error).toContain(named);
  });
});

describe('the request log', () => {
  test('says what was asked, how often, and what was answered', async () => {
    await query();
    await create('a@example.org');
    await attio.api('GET', '/nonsense');
    attio.sandbox.addFault({ kind: 'disconnect', count: 1 });
    await create('b@example.org').catch(() => {});
    const { body } = await attio.control('GET', '/requests');
    expect(body.total).toBe(4);
    expect(body.counts).toEqual({
      'POST /objects/{object}/records/query': 1,
      'POST /objects/{object}/records': 2,
      'GET (unknown)': 1,
    });
    expect(body.statuses).toEqual({ 200: 2, 404: 1, disconnect: 1 });
    expect(body.requests[1]).toMatchObject({
      method: 'POST',
      path: '/v2/objects/people/records',
      status: 200,
      fault: null,
    });
    expect(JSON.parse(body.requests[1].body).data.values.email_addresses).toEqual(['a@example.org']);
    const later = await attio.control('GET', `/requests?since=${body.requests[2].id}`);
    expect(later.body.requests).toEqual([body.requests[3]]);
    await attio.control('DELETE', '/requests');
    expect((await attio.control('GET', '/requests')).body).toMatchObject({
      total: 0,
      counts: {},
      requests: [],
    });
  });
});

describe('the controls', () => {
  test('an unknown route lists the ones there are; bad bodies are named', async () => {
    const unknown = await attio.control('GET', '/nonsense');
    expect([unknown.status, unknown.body.error]).toEqual([404, expect.stringContaining('POST /faults')]);
    const edit = await attio.control('POST', '/edit', { object: 'people' });
    expect([edit.status, edit.body.error]).toEqual([400, expect.stringContaining('recordId')]);
    const missing = await attio.control('POST', '/edit', { object: 'people', recordId: 'x', values: {} });
    expect([missing.status, missing.body.code]).toEqual([404, 'not_found']);
    const nobody = await attio.control('POST', '/create', {
      object: 'people',
      values: {},
      actor: { type: 'nonsense' },
    });
    expect(nobody.status).toBe(400);
    const raw = await fetch(`${attio.url}/_sandbox/faults`, { method: 'POST', body: '{' });
    expect(raw.status).toBe(400);
  });

  test('a person can do whatever the API can', async () => {
    const [entry] = (await attio.api('POST', '/lists/recruiting/entries/query', { limit: 1 })).body.data;
    const path = `/lists/recruiting/entries/${entry.id.entry_id}`;
    const body = { data: { entry_values: { stage: ['Hired'] } } };
    const acted = await attio.control('POST', '/act', {
      method: 'PATCH',
      path,
      body,
      actor: 'alex@example.com',
    });
    expect(acted.body.entry_values.stage[0]).toMatchObject({
      status: { title: 'Hired' },
      created_by_actor: { type: 'workspace-member', id: attio.sandbox.world.members[2]?.id },
    });
    const refused = await attio.control('POST', '/act', { method: 'GET', path: '/objects/nonsense' });
    expect([refused.status, refused.body.code]).toEqual([404, 'not_found']);
  });

  test('edits take bare values, and any name for a person', async () => {
    const values = { email_addresses: 'x@example.org' };
    const made = await attio.control('POST', '/create', { object: 'people', values });
    const recordId = made.body.id.record_id;
    const edit = async (job_title: string | null, actor?: unknown) => {
      const { body } = await attio.control('POST', '/edit', {
        object: 'people',
        recordId,
        values: { job_title },
        actor,
      });
      return body.values.job_title;
    };
    const [robin] = attio.sandbox.world.members;
    expect((await edit('a'))[0].created_by_actor).toEqual({ type: 'workspace-member', id: robin?.id });
    const stranger = (await edit('b', 'a stranger'))[0].created_by_actor;
    expect(stranger.id).not.toBe(robin?.id);
    expect((await edit('c', 'a stranger'))[0].created_by_actor).toEqual(stranger);
    expect((await edit('d', { type: 'system' }))[0].created_by_actor).toEqual({ type: 'system', id: null });
    expect(await edit(null)).toEqual([]);
  });

  test('a reset brings the seeded workspace back', async () => {
    const before = (await query()).body.data;
    await create('a@example.org');
    await attio.api('DELETE', `/objects/people/records/${before[0].id.record_id}`);
    attio.sandbox.addFault({ kind: 'status', status: 500 });
    await attio.control('POST', '/reset', {});
    expect((await query()).body.data).toEqual(before);
    expect((await attio.control('GET', '/state')).body.objects).toEqual({
      people: 3,
      companies: 1,
      deals: 1,
    });
  });
});
