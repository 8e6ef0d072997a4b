import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { until } from '../support/service.ts';
import {
  asLong,
  attio,
  contact,
  contactsWith,
  delivered,
  kindsOf,
  outage,
  person,
  put,
  quiet,
  recovered,
  size,
  startWriting,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const many = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, i) => make(i));

describe('one person', () => {
  test('comes of fifty requests at once for a new address, and one contact', async () => {
    await using service = await startWriting();
    const before = size(service);
    const answers = await Promise.all(
      many(50, (index) => put(service, { email: 'New@One.example', phone: `+1555010${1000 + (index % 5)}` })),
    );
    expect(answers.every(({ status }) => status === 200 || status === 202)).toBe(true);
    await delivered(service);
    expect(new Set(answers.map(({ body }) => body.data.id)).size).toBe(1);
    expect(size(service)).toBe(before + 1);
    const [found, ...others] = await contactsWith(service, 'new@one.example');
    expect(others).toEqual([]);
    expect(attio(service, found?.recordId ?? '')['phone_numbers']).toHaveLength(5);
    expect(kindsOf(writes(service)).filter((kind) => kind === 'POST people')).toHaveLength(1);
  });

  test('is kept when somebody makes it in Attio at the same moment', async () => {
    let recordId = '';
    const phone = [{ original_phone_number: '+15550100001' }];
    const between = async (url: string, init: RequestInit) => {
      if (recordId === '' && init.method === 'POST' && url.endsWith('/objects/people/records')) {
        recordId = person(service, { email_addresses: ['a@race.example'], phone_numbers: phone });
      }
      return fetch(url, init);
    };
    await using service = await startWriting({ overrides: { fetch: between } });
    const { status, body } = await put(service, { email: 'a@race.example', phone: '+15550100002' });
    expect([status, body.data.recordId]).toEqual([200, recordId]);
    expect(attio(service, recordId)['phone_numbers']).toEqual(['+15550100002', '+15550100001']);
    expect(kindsOf(writes(service))).toEqual(['POST people', 'PATCH people']);
    await service.sandbox.sandbox.settled();
    await service.settled();
    expect(await contactsWith(service, 'a@race.example')).toHaveLength(1);
  });

  test('that Attio knows and we do not is found by any of its addresses', async () => {
    await using service = await startWriting({ subscribe: false });
    const recordId = person(service, { email_addresses: ['a@known.example', 'b@known.example'] });
    const { body } = await put(service, { email: 'b@known.example', jobTitle: 'Found' });
    expect(body.data).toMatchObject({ recordId, emails: ['a@known.example', 'b@known.example'] });
    const again = await put(service, { email: 'a@known.example', jobTitle: 'Again' });
    expect(again.body.data.id).toBe(body.data.id);
  });

  test('asked for by two of its addresses before we know it is one contact in the end', async () => {
    await using service = await startWriting({ subscribe: false });
    const recordId = person(service, { email_addresses: ['a@known.example', 'b@known.example'] });
    await outage(service);
    const one = await put(service, { email: 'a@known.example', jobTitle: 'One', externalId: 'x1' });
    const two = await put(service, { email: 'b@known.example', lastName: 'Two' });
    expect([one.status, two.status]).toEqual([202, 202]);
    await recovered(service);
    expect(attio(service, recordId)).toMatchObject({ job_title: ['One'], name: [['', 'Two']] });
    for (const id of [one.body.data.id, two.body.data.id, recordId]) {
      expect(await contact(service, id)).toMatchObject({ recordId, externalId: 'x1', jobTitle: 'One' });
    }
    const list = await service.get<{ data: { recordId: string }[] }>('/v1/contacts');
    expect(list.body.data.filter((row) => row.recordId === recordId)).toHaveLength(1);
  });

  test('that was merged into another while its write was held back is written where it lives on', async () => {
    await using service = await startWriting({ subscribe: false });
    const [one, two] = [
      person(service, { email_addresses: ['1@m.example'] }),
      person(service, { email_addresses: ['2@m.example'] }),
    ];
    await service.sync('people');
    await outage(service);
    const held = await put(service, { email: '2@m.example', jobTitle: 'Late' });
    expect(held.status).toBe(202);
    const merged = service.sandbox.sandbox.merge({
      object: 'people',
      primaryRecordId: one,
      secondaryRecordId: two,
    });
    const { record_id: survivor } = merged['id'] as { record_id: string };
    await recovered(service);
    expect(attio(service, survivor)['job_title']).toEqual(['Late']);
    expect(await contact(service, held.body.data.id)).toMatchObject({ recordId: survivor, jobTitle: 'Late' });
  });

  test('that was merged while the answer was on its way is one contact', async () => {
    await using service = await startWriting({ configure: asLong });
    const other = person(service, { email_addresses: ['other@m.example'] });
    const { recordId, id } = (await put(service, { email: 'a@m.example' })).body.data;
    await quiet(service);
    const { sandbox } = service.sandbox;
    sandbox.addFault({ kind: 'latency', ms: 3_000, match: { method: 'PATCH' }, count: 1 });
    expect((await put(service, { email: 'a@m.example', jobTitle: 'Ours' })).status).toBe(202);
    const merged = sandbox.merge({ object: 'people', primaryRecordId: recordId, secondaryRecordId: other });
    const { record_id: survivor } = merged['id'] as { record_id: string };
    await quiet(service);
    const after = await contact(service, id);
    expect(after).toMatchObject({ recordId: survivor, jobTitle: 'Ours', sync: { status: 'synced' } });
    const list = await service.get<{ data: { emails: string[] }[] }>('/v1/contacts');
    expect(list.body.data.filter(({ emails }) => emails.includes('a@m.example'))).toHaveLength(1);
  });

  test('that we know by another address only takes the externalId that is asked for', async () => {
    await using service = await startWriting({ subscribe: false });
    const { recordId, id } = (await put(service, { email: 'a@x.example', externalId: 'x1' })).body.data;
    const email_addresses = ['a@x.example', 'b@x.example'];
    service.sandbox.sandbox.edit({ object: 'people', recordId, values: { email_addresses } });
    const { body } = await put(service, { email: 'b@x.example', externalId: 'x2' });
    expect(body.data).toMatchObject({ id, recordId, externalId: 'x2' });
    expect((await put(service, { email: 'c@x.example', externalId: 'x1' })).status).toBe(200);
  });

  test('that was deleted is made anew by the next write', async () => {
    await using service = await startWriting();
    const first = await put(service, { email: 'a@again.example', firstName: 'Ada' });
    service.sandbox.sandbox.deleteRecord({ object: 'people', recordId: first.body.data.recordId });
    const second = await put(service, { email: 'a@again.example', jobTitle: 'Anew' });
    expect(second.status).toBe(200);
    expect(second.body.data.recordId).not.toBe(first.body.data.recordId);
    await service.sandbox.sandbox.settled();
    await service.settled();
    expect(await contactsWith(service, 'a@again.example')).toMatchObject([{ jobTitle: 'Anew' }]);
    service.sandbox.sandbox.deleteRecord({ object: 'people', recordId: second.body.data.recordId });
    await until(async () => (await contactsWith(service, 'a@again.example')).length === 0);
    const third = await put(service, { email: 'a@again.example' });
    expect([third.status, third.body.sync.status]).toEqual([200, 'synced']);
  });
});

describe('writes of one contact', () => {
  test('reach Attio in their order, and hold up no other contact', async () => {
    await using service = await startWriting();
    const { body } = await put(service, { email: 'slow@order.example' });
    const { recordId } = body.data;
    const match = { method: 'PATCH', path: `/records/${recordId}` };
    service.sandbox.sandbox.addFault({ kind: 'status', status: 409, match, count: 2 });
    const titles = many(10, (index) => `Title ${index}`);
    for (const jobTitle of titles) {
      await put(service, { email: 'slow@order.example', jobTitle }, '?wait=false');
    }
    const others = await Promise.all(many(5, (index) => put(service, { email: `o${index}@order.example` })));
    expect(others.map(({ status }) => status)).toEqual(many(5, () => 200));
    expect((await contact(service, body.data.id)).sync.status).toBe('pending');
    await delivered(service);
    expect(attio(service, recordId)['job_title']).toEqual(['Title 9']);
    const sent = writes(service)
      .filter(({ method, status }) => method === 'PATCH' && status === 200)
      .map((request) => /Title \d/.exec(request.body ?? '')?.[0]);
    expect(sent).toEqual(titles);
  });
});
