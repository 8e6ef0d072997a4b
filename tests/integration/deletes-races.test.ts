import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { expectOneEach, made, merge, recordDeletions, tell, tellMerge } from '../support/identity.ts';
import { type Change, type TestService, until } from '../support/service.ts';
import {
  asLong,
  attio,
  conflicts,
  contact,
  contactStatus,
  contactsWith,
  delivered,
  exists,
  kindsOf,
  letters,
  outage,
  person,
  put,
  quiet,
  recovered,
  removeContact,
  size,
  startWriting,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const EMAIL = 'ada@race.example';

function del(service: TestService, recordId: string): void {
  service.sandbox.sandbox.deleteRecord({ object: 'people', recordId });
}

/** What followers were told of one record. */
async function told(service: TestService, after: string, ids: readonly string[]): Promise<Change[]> {
  return (await service.changes(after)).data.filter(({ id }) => ids.includes(id));
}

/** Attio takes no changes of records; what is read goes on. */
function noWrites(service: TestService): void {
  service.sandbox.sandbox.addFault({ kind: 'status', status: 503, match: { method: 'PATCH' } });
}

/** A workspace in which one record can be made invisible: as if Attio had deleted it, and then given it back. */
function withVeil() {
  const veil: { recordId: string; in: 'nothing' | 'queries' | 'everything' } = {
    recordId: '',
    in: 'nothing',
  };
  const veiled = async (url: string, init: RequestInit) => {
    if (veil.in === 'everything' && url.includes(`/records/${veil.recordId}`)) {
      return Response.json(
        { status_code: 404, type: 'invalid_request_error', code: 'not_found', message: 'No such record.' },
        { status: 404 },
      );
    }
    const response = await fetch(url, init);
    if (veil.in === 'nothing' || !url.endsWith('/records/query')) return response;
    const body = (await response.json()) as { data: { id: { record_id: string } }[] };
    const data = body.data.filter(({ id }) => id.record_id !== veil.recordId);
    return Response.json({ ...body, data }, { status: response.status, headers: stamps(response) });
  };
  return { veil, veiled };
}

function stamps(response: Response): Record<string, string> {
  const at = response.headers.get('x-accurate-at');
  return at === null ? {} : { 'x-accurate-at': at };
}

describe('a record that is deleted in Attio', () => {
  test.each([
    [['deleted', 'updated']],
    [['updated', 'deleted']],
    [['updated']],
    [['deleted', 'deleted', 'updated', 'created']],
  ] as const)('is gone, and told so once (heard of: %j)', async (heard) => {
    await using service = await startWriting({ subscribe: false });
    const { id, recordId } = await made(service, { email: EMAIL });
    const cursor = await service.latest();
    service.sandbox.sandbox.edit({ object: 'people', recordId, values: { job_title: 'Last words' } });
    del(service, recordId);
    for (const what of heard) await tell(service, what, recordId);
    await service.settled();
    expect([await contactStatus(service, id), await contactStatus(service, recordId)]).toEqual([410, 410]);
    expect((await told(service, cursor, [id, recordId])).map(({ type }) => type)).toEqual(['record.deleted']);
    expect(await contactsWith(service, EMAIL)).toEqual([]);
  });

  test.each(['first', 'last'])(
    'while an update of ours waits stays deleted (heard of it %s)',
    async (when) => {
      await using service = await startWriting({ subscribe: false });
      const { id, recordId } = await made(service, { email: EMAIL });
      const before = size(service);
      noWrites(service);
      expect((await put(service, { email: EMAIL, jobTitle: 'Ours' })).status).toBe(202);
      del(service, recordId);
      if (when === 'first') {
        await tell(service, 'deleted', recordId);
        await service.settled();
      }
      service.sandbox.sandbox.clearFaults();
      await delivered(service);
      await tell(service, 'deleted', recordId);
      await service.settled();
      expect([await contactStatus(service, id), size(service)]).toEqual([410, before - 1]);
      expect(await conflicts(service)).toMatchObject([{ field: 'record', attio: null, decided: 'attio' }]);
      expect([await letters(service), recordDeletions(service)]).toEqual([[], []]);
    },
  );

  test('is not brought back by a read that was under way before', async () => {
    await using service = await startWriting({ subscribe: false, configure: asLong });
    const { id, recordId } = await made(service, { email: EMAIL });
    const { sandbox } = service.sandbox;
    sandbox.addFault({ kind: 'latency', ms: 3_500, match: { path: '/people/records/query' }, count: 1 });
    const asked = sandbox.requests().total;
    const run = service.sync('people');
    await until(async () => sandbox.requests().total > asked);
    del(service, recordId);
    await tell(service, 'deleted', recordId);
    await until(async () => (await contactStatus(service, id)) === 410);
    await run;
    await service.settled();
    expect(await contactStatus(service, id)).toBe(410);
    await expectOneEach(service);
  });

  test('before the answer of the write that made it is heard leaves no contact', async () => {
    await using service = await startWriting({ subscribe: false, configure: asLong });
    const { sandbox } = service.sandbox;
    const known = size(service);
    sandbox.addFault({
      kind: 'latency',
      ms: 3_000,
      match: { method: 'POST', path: '*/people/records' },
      count: 1,
    });
    const answer = put(service, { email: EMAIL });
    await until(async () => size(service) > known);
    const recordId = [...sandbox.world.object('people').table.inOrder()].at(-1)?.id ?? '';
    del(service, recordId);
    await tell(service, 'deleted', recordId);
    await service.settled();
    const { id } = (await answer).body.data;
    await delivered(service);
    expect([await contactStatus(service, id), await contactsWith(service, EMAIL)]).toEqual([410, []]);
    await service.sync('people');
    await expectOneEach(service);
  });

  test('or merged before that: the contact is the survivor', async () => {
    await using service = await startWriting({ subscribe: false, configure: asLong });
    const { sandbox } = service.sandbox;
    const other = person(service, { email_addresses: ['other@race.example'] });
    await service.sync('people');
    const known = size(service);
    sandbox.addFault({
      kind: 'latency',
      ms: 3_000,
      match: { method: 'POST', path: '*/people/records' },
      count: 1,
    });
    const answer = put(service, { email: EMAIL, jobTitle: 'Made' });
    await until(async () => size(service) > known);
    const recordId = [...sandbox.world.object('people').table.inOrder()].at(-1)?.id ?? '';
    const survivor = merge(service, [other, recordId]);
    for (const dead of [recordId, other]) await tellMerge(service, dead, survivor);
    await service.settled();
    const { id } = (await answer).body.data;
    await delivered(service);
    for (const each of [id, recordId, other]) {
      expect(await contact(service, each)).toMatchObject({ recordId: survivor, jobTitle: 'Made' });
    }
    await service.sync('people');
    await expectOneEach(service);
  });
});

describe('a deletion that a caller has asked for', () => {
  test.each([true, false])(
    'stands against what a person changes meanwhile (webhooks: %s)',
    async (subscribe) => {
      await using service = await startWriting({ subscribe });
      const { id, recordId } = await made(service, { email: EMAIL });
      await quiet(service);
      await outage(service);
      await removeContact(service, id, '?attio=delete');
      service.sandbox.sandbox.edit({ object: 'people', recordId, values: { job_title: 'Too late' } });
      await recovered(service);
      await quiet(service);
      expect([await contactStatus(service, id), exists(service, recordId)]).toEqual([410, false]);
      expect(recordDeletions(service)).toHaveLength(1);
    },
  );

  test('before a write, both while Attio is away: the person is made anew, and is one contact', async () => {
    await using service = await startWriting({ subscribe: false });
    const { id, recordId } = await made(service, { email: EMAIL, jobTitle: 'Old' });
    const before = size(service);
    await outage(service);
    await removeContact(service, id, '?attio=delete');
    const anew = await put(service, { email: EMAIL, jobTitle: 'New' });
    await recovered(service);
    expect([exists(service, recordId), size(service)]).toEqual([false, before]);
    const [found, ...others] = await contactsWith(service, EMAIL);
    expect([found?.id, others]).toEqual([anew.body.data.id, []]);
    expect(attio(service, found?.recordId ?? '')).toMatchObject({ job_title: ['New'] });
    await service.sync('people');
    await expectOneEach(service);
  });
});

describe('a tombstone that is wrong', () => {
  test('is not made by an event: the record is looked for, and is there', async () => {
    await using service = await startWriting({ subscribe: false });
    const { id, recordId } = await made(service, { email: EMAIL });
    const cursor = await service.latest();
    await tell(service, 'deleted', recordId);
    await service.settled();
    expect(await contactStatus(service, id)).toBe(200);
    expect(await told(service, cursor, [id, recordId])).toEqual([]);
  });

  test.each(['an event', 'a full sync'])(
    'is taken back by %s: the contact is back with its history',
    async (by) => {
      const { veil, veiled } = withVeil();
      await using service = await startWriting({ subscribe: false, overrides: { fetch: veiled } });
      const before = await made(service, { email: EMAIL, jobTitle: 'Analyst', externalId: 'crm:7' });
      await service.sync('people');
      const { id, recordId } = before;
      const cursor = await service.latest();
      veil.recordId = recordId;
      veil.in = 'everything';
      if (by === 'an event') await tell(service, 'deleted', recordId);
      else await service.sync('people');
      await service.settled();
      expect(await contactStatus(service, id)).toBe(410);
      veil.in = 'nothing';
      if (by === 'an event') await tell(service, 'updated', recordId);
      else await service.sync('people');
      await service.settled();
      const after = await contact(service, id);
      expect(after).toMatchObject({
        id,
        recordId,
        jobTitle: 'Analyst',
        externalId: 'crm:7',
        deletedAt: null,
      });
      expect(after.version).toBeGreaterThan(before.version);
      // Its followers were told that it is gone: it is told as created, once.
      expect((await told(service, cursor, [id, recordId])).map(({ type }) => type)).toEqual([
        'record.deleted',
        'record.created',
      ]);
      await expectOneEach(service);
    },
  );

  test('is not believed of a query alone when there is something to write: the record is asked for', async () => {
    const { veil, veiled } = withVeil();
    await using service = await startWriting({ subscribe: false, overrides: { fetch: veiled } });
    const { id, recordId } = await made(service, { email: EMAIL });
    const before = size(service);
    veil.recordId = recordId;
    veil.in = 'queries';
    service.sandbox.sandbox.clearRequests();
    expect((await put(service, { email: EMAIL, jobTitle: 'Ours' })).status).toBe(202);
    expect(await contactStatus(service, id)).toBe(200);
    veil.in = 'nothing';
    await delivered(service);
    expect([kindsOf(writes(service)), size(service)]).toEqual([['PATCH people'], before]);
    expect(await contact(service, id)).toMatchObject({ recordId, jobTitle: 'Ours' });
    expect(await conflicts(service)).toEqual([]);
  });
});
