import { afterEach, describe, expect, test } from 'vitest';
import {
  DEAL,
  deal,
  dealInAttio,
  dealsWith,
  patchDeal,
  putDeal,
  stageInAttio,
  startDeals,
} from '../support/deals.ts';
import { takeViolations } from '../support/exchanges.ts';
import { until } from '../support/service.ts';
import {
  attio,
  contactsWith,
  delivered,
  kindsOf,
  person,
  put,
  quiet,
  size,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const many = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));

describe('a deal', () => {
  test('is made, and found again by its external id', async () => {
    await using service = await startDeals();
    const { body } = await putDeal(service, { ...DEAL, stage: 'in progress', value: { amount: 1250.5 } });
    expect(body.data).toMatchObject({
      externalId: 'order:1',
      name: 'Engine',
      value: { amount: 1250.5 },
      companyRecordId: null,
      contactRecordIds: [],
    });
    await quiet(service);
    const made = await deal(service, body.data.id);
    expect(made).toMatchObject({
      stage: { title: 'In Progress' },
      value: { amount: 1250.5, currencyCode: 'USD' },
      sync: { status: 'synced' },
    });
    expect(made.stage?.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.attributes).not.toHaveProperty('external_id');
    const { recordId } = made;
    expect(attio(service, recordId, 'deals')).toMatchObject({ external_id: ['order:1'], value: [1250.5] });
    expect(stageInAttio(service, recordId)).toBe('In Progress');
    await putDeal(service, { ...DEAL, name: 'Engine II' });
    await quiet(service);
    expect(size(service, 'deals')).toBe(1);
    // The value was left out, so it is as it was.
    expect(attio(service, recordId, 'deals')).toMatchObject({ name: ['Engine II'], value: [1250.5] });
    expect(stageInAttio(service, recordId)).toBe('Lead');
    expect(await dealsWith(service, 'order:1')).toMatchObject([{ id: made.id, recordId, name: 'Engine II' }]);
    expect(await dealsWith(service, 'ORDER:1')).toEqual([]);
    expect(kindsOf(writes(service))).toEqual(['POST deals', 'PATCH deals']);
  });

  test('is one, however many requests ask for it at once', async () => {
    await using service = await startDeals();
    const answers = await Promise.all(
      many(20, (index) => putDeal(service, { ...DEAL, value: { amount: index } })),
    );
    expect(answers.every(({ status }) => status === 200 || status === 202)).toBe(true);
    await delivered(service);
    expect(new Set(answers.map(({ body }) => body.data.id)).size).toBe(1);
    expect(size(service, 'deals')).toBe(1);
    expect(kindsOf(writes(service)).filter((kind) => kind === 'POST deals')).toHaveLength(1);
  });

  test('that Attio has and we have not heard of is changed, not made again', async () => {
    await using service = await startDeals({ subscribe: false });
    const recordId = dealInAttio(service, { external_id: ['order:1'], value: [7] });
    const { body } = await putDeal(service, DEAL);
    await delivered(service);
    expect(await deal(service, body.data.id)).toMatchObject({
      recordId,
      name: 'Engine',
      value: { amount: 7 },
    });
    expect(size(service, 'deals')).toBe(1);
  });

  test('whose answer was lost is not made a second time', async () => {
    await using service = await startDeals({ subscribe: false });
    const match = { method: 'POST', path: '*/deals/records' };
    service.sandbox.sandbox.addFault({ kind: 'lost-answer', match, count: 1 });
    const { body } = await putDeal(service, { ...DEAL, value: { amount: 5 } });
    await delivered(service);
    expect(size(service, 'deals')).toBe(1);
    expect(await deal(service, body.data.id)).toMatchObject({
      value: { amount: 5 },
      sync: { status: 'synced' },
    });
  });

  test('follows what people do in Attio, and is gone when they delete it', async () => {
    await using service = await startDeals();
    const { id } = (await putDeal(service, DEAL)).body.data;
    await quiet(service);
    const { recordId } = await deal(service, id);
    service.sandbox.sandbox.edit({ object: 'deals', recordId, values: { stage: ['Lost'], value: [9] } });
    await until(async () => (await deal(service, id)).value?.amount === 9);
    expect(await deal(service, id)).toMatchObject({ stage: { title: 'Lost' }, externalId: 'order:1' });
    service.sandbox.sandbox.deleteRecord({ object: 'deals', recordId });
    await until(async () => (await service.get(`/v1/deals/${id}`)).status === 410);
    expect(await dealsWith(service, 'order:1')).toEqual([]);
    expect((await patchDeal(service, id, { stage: 'Lead' })).status).toBe(410);
    await putDeal(service, DEAL);
    await quiet(service);
    expect(await dealsWith(service, 'order:1')).toMatchObject([{ name: 'Engine' }]);
  });

  test('null clears, and what is left out is untouched', async () => {
    await using service = await startDeals();
    const { id } = (
      await putDeal(service, {
        ...DEAL,
        value: { amount: 5 },
        companyDomain: 'a.example',
        contactEmails: ['a@a.example'],
      })
    ).body.data;
    await delivered(service);
    const { companyRecordId, contactRecordIds } = await deal(service, id);
    expect([companyRecordId !== null, contactRecordIds.length]).toEqual([true, 1]);
    await putDeal(service, { ...DEAL, value: null, companyDomain: null });
    await delivered(service);
    expect(await deal(service, id)).toMatchObject({ value: null, companyRecordId: null, contactRecordIds });
    await putDeal(service, { ...DEAL, contactEmails: { replace: [] } });
    await delivered(service);
    const { recordId } = await deal(service, id);
    expect(attio(service, recordId, 'deals')).toMatchObject({
      associated_people: [],
      associated_company: [],
    });
  });
});

describe('the company and the people of a deal', () => {
  test('are made first when they are missing, and added to those there are', async () => {
    await using service = await startDeals();
    const known = (await put(service, { email: 'known@deal.example' })).body.data.id;
    const unheard = person(service, { email_addresses: ['unheard@deal.example'] });
    await quiet(service);
    service.sandbox.sandbox.clearRequests();
    const contactEmails = ['Known@deal.example', 'new@deal.example', 'unheard@deal.example'];
    const { status, body } = await putDeal(service, {
      ...DEAL,
      companyDomain: 'deal.example',
      contactEmails,
    });
    expect([200, 202]).toContain(status);
    await delivered(service);
    const kinds = kindsOf(writes(service));
    expect(kinds.toSorted()).toEqual(['POST companies', 'POST deals', 'POST people']);
    expect(kinds.at(-1)).toBe('POST deals');
    const made = await deal(service, body.data.id);
    expect(made.contactRecordIds).toHaveLength(3);
    expect(made.contactRecordIds).toContain(unheard);
    expect(made.contactRecordIds).toContain((await contactsWith(service, 'new@deal.example'))[0]?.recordId);
    expect(attio(service, made.companyRecordId ?? '', 'companies')['domains']).toEqual(['deal.example']);
    await putDeal(service, { ...DEAL, contactEmails: ['fourth@deal.example'] });
    await delivered(service);
    expect((await deal(service, made.id)).contactRecordIds).toHaveLength(4);
    await putDeal(service, { ...DEAL, contactEmails: { replace: ['known@deal.example'] } });
    await delivered(service);
    const [left, ...others] = (await deal(service, made.id)).contactRecordIds;
    expect([left, others]).toEqual([(await contactsWith(service, 'known@deal.example'))[0]?.recordId, []]);
    expect((await contactsWith(service, 'known@deal.example'))[0]?.id).toBe(known);
  });

  test.each([
    ['company', '*companies/records', 'companies'],
    ['contact', '*people/records', 'people'],
  ])('a %s that Attio does not take refuses the deal, naming it', async (_, path, named) => {
    await using service = await startDeals();
    const match = { method: 'POST', path };
    service.sandbox.sandbox.addFault({ kind: 'status', status: 400, code: 'validation_type', match });
    const body = { ...DEAL, companyDomain: 'a.example', contactEmails: ['a@a.example', 'b@a.example'] };
    const { id } = (await putDeal(service, body, '?wait=false')).body.data;
    await delivered(service);
    expect(size(service, 'deals')).toBe(0);
    const { sync } = await deal(service, id);
    expect(sync).toMatchObject({ status: 'failed', detail: expect.stringContaining(named) });
    service.sandbox.sandbox.clearFaults();
    await service.call('POST', '/v1/dead-letters/replay?kind=outbox');
    await delivered(service);
    expect(await deal(service, id)).toMatchObject({
      contactRecordIds: [expect.any(String), expect.any(String)],
      sync: { status: 'synced' },
    });
  });

  test('that are made by others at the moment are waited for', async () => {
    await using service = await startDeals({ subscribe: false });
    service.sandbox.sandbox.addFault({
      kind: 'latency',
      ms: 300,
      match: { method: 'POST', path: '*people/records' },
    });
    const emails = many(4, (index) => `p${index}@wait.example`);
    await Promise.all(emails.map((email) => put(service, { email, lastName: 'Slow' }, '?wait=false')));
    const { id } = (await putDeal(service, { ...DEAL, contactEmails: emails }, '?wait=false')).body.data;
    await delivered(service);
    expect((await deal(service, id)).contactRecordIds).toHaveLength(4);
    expect(kindsOf(writes(service)).at(-1)).toBe('POST deals');
  });
});

describe('the owner of a deal', () => {
  test('is a member by address, shown with it', async () => {
    await using service = await startDeals();
    const { id } = (await putDeal(service, { ...DEAL, ownerEmail: 'Sam@example.com' })).body.data;
    await quiet(service);
    const made = await deal(service, id);
    expect(made.ownerEmail).toBe('sam@example.com');
    expect(attio(service, made.recordId, 'deals')['owner']).toEqual([made.ownerId]);
  });

  test('whom nobody knows is refused, with the nearest', async () => {
    await using service = await startDeals();
    const { status, body } = await putDeal(service, { ...DEAL, ownerEmail: 'sma@example.com' });
    expect([status, body.errors]).toEqual([
      422,
      [{ path: '/ownerEmail', message: expect.stringContaining('sam@example.com') }],
    ]);
    expect(await dealsWith(service, DEAL.externalId)).toEqual([]);
  });

  test('that the workspace wants cannot be left out or cleared: Attio says so', async () => {
    await using service = await startDeals({
      sandbox: { people: 0, companies: 0, deals: 0, dealOwnerRequired: true },
    });
    await service.confirmed();
    const { status, body } = await putDeal(service, DEAL);
    expect([status, body.attio?.code]).toEqual([422, 'missing_value']);
    const owned = await putDeal(service, { ...DEAL, ownerEmail: 'sam@example.com' });
    expect(owned.status).toBeLessThan(300);
    await delivered(service);
    const cleared = await putDeal(service, { ...DEAL, ownerEmail: null });
    expect([cleared.status, cleared.body.attio?.code]).toEqual([422, 'missing_value']);
  });
});

describe('a change of a deal', () => {
  test('that was made in Attio is by either id, and needs no external id', async () => {
    await using service = await startDeals();
    const recordId = dealInAttio(service, { value: [3] });
    await quiet(service);
    const changed = await patchDeal(service, recordId, { stage: 'won 🎉', value: { amount: '4.5' } });
    expect(changed.status).toBeLessThan(300);
    await delivered(service);
    const after = await deal(service, recordId);
    expect(after).toMatchObject({
      externalId: null,
      name: 'Theirs',
      stage: { title: 'Won 🎉' },
      value: { amount: 4.5 },
      sync: { status: 'synced' },
    });
    expect(stageInAttio(service, recordId)).toBe('Won 🎉');
    await patchDeal(service, after.id, { value: null, name: 'Ours' });
    await delivered(service);
    expect(attio(service, recordId, 'deals')).toMatchObject({ name: ['Ours'], value: [] });
    expect(kindsOf(writes(service)).includes('POST deals')).toBe(false);
  });

  test('that was merged away finds the survivor', async () => {
    await using service = await startDeals();
    const [one, two] = [dealInAttio(service), dealInAttio(service)];
    await quiet(service);
    const merged = service.sandbox.sandbox.merge({
      object: 'deals',
      primaryRecordId: one,
      secondaryRecordId: two,
    });
    const { record_id: survivor } = merged['id'] as { record_id: string };
    await quiet(service);
    await patchDeal(service, two, { name: 'Merged' });
    await delivered(service);
    expect(await deal(service, two)).toMatchObject({ recordId: survivor, name: 'Merged' });
  });

  test('of one that was deleted without our knowing does not bring it back', async () => {
    await using service = await startDeals({ subscribe: false });
    const recordId = dealInAttio(service);
    await service.sync('deals');
    service.sandbox.sandbox.deleteRecord({ object: 'deals', recordId });
    const { status } = await patchDeal(service, recordId, { value: { amount: 1 } });
    expect([202, 410]).toContain(status);
    await delivered(service);
    expect((await service.get(`/v1/deals/${recordId}`)).status).toBe(410);
    expect(size(service, 'deals')).toBe(0);
  });

  test('of one that is not there is 404', async () => {
    await using service = await startDeals();
    expect((await patchDeal(service, 'nobody', { stage: 'Lead' })).status).toBe(404);
    expect((await service.get('/v1/deals/nobody')).status).toBe(404);
  });
});
