import { afterAll, afterEach, describe, expect, test } from 'vitest';
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
import { prepareService, type TestService } from '../support/service.ts';
import {
  attio,
  conflicts,
  delivered,
  impatient,
  letters,
  outage,
  quiet,
  recovered,
  size,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const STAGES = '/objects/deals/attributes/stage/statuses';

describe('a stage', () => {
  test('that does not exist is refused with those that do, and the nearest', async () => {
    await using service = await startDeals();
    const { status, body } = await putDeal(service, { ...DEAL, stage: 'In Progres' });
    expect([status, body.errors?.[0]?.path]).toEqual([422, '/stage']);
    expect(body.detail).toMatch(/Did you mean "In Progress"\?.*"Lead", "In Progress", "Won 🎉", "Lost"/);
    expect([writes(service), await dealsWith(service, DEAL.externalId)]).toEqual([[], []]);
  });

  test('that is archived is refused', async () => {
    await using service = await startDeals();
    service.sandbox.sandbox.act({
      method: 'PATCH',
      path: `${STAGES}/Lost`,
      body: { data: { is_archived: true } },
    });
    const recordId = dealInAttio(service);
    await quiet(service);
    const { status, body } = await patchDeal(service, recordId, { stage: 'lost' });
    expect([status, body.errors]).toEqual([
      422,
      [{ path: '/stage', message: expect.stringContaining('archived') }],
    ]);
    expect(stageInAttio(service, recordId)).toBe('Lead');
  });

  test('can be named by its id, and one that was made just now is known', async () => {
    await using service = await startDeals();
    const { id, stage } = (await putDeal(service, DEAL)).body.data;
    await delivered(service);
    service.sandbox.sandbox.act({ method: 'POST', path: STAGES, body: { data: { title: 'Signed' } } });
    await patchDeal(service, id, { stage: 'Signed' });
    await delivered(service);
    const { recordId } = await deal(service, id);
    expect(stageInAttio(service, recordId)).toBe('Signed');
    await patchDeal(service, id, { stage: stage?.id });
    await delivered(service);
    expect(stageInAttio(service, recordId)).toBe('Lead');
  });

  test('is taken as it is given while Attio cannot be asked; what it refuses later is a dead letter', async () => {
    await using service = await startDeals();
    await outage(service);
    const good = await putDeal(service, { ...DEAL, stage: 'in progress', ownerEmail: 'Sam@example.com' });
    const bad = await putDeal(service, { ...DEAL, externalId: 'order:2', stage: 'Nowhere' });
    expect([good.status, bad.status]).toEqual([202, 202]);
    expect(good.body.data.stage).toEqual({ id: null, title: 'in progress' });
    await recovered(service);
    expect(await deal(service, good.body.data.id)).toMatchObject({
      stage: { title: 'In Progress' },
      ownerEmail: 'sam@example.com',
      sync: { status: 'synced' },
    });
    expect(await letters(service)).toMatchObject([{ kind: 'outbox', reason: 'value_not_found' }]);
    expect((await deal(service, bad.body.data.id)).sync).toMatchObject({ status: 'failed' });
    expect(size(service, 'deals')).toBe(1);
    service.sandbox.sandbox.act({ method: 'POST', path: STAGES, body: { data: { title: 'Nowhere' } } });
    await service.call('POST', '/v1/dead-letters/replay?kind=outbox');
    await delivered(service);
    expect((await deal(service, bad.body.data.id)).sync.status).toBe('synced');
  });
});

describe('bad input', () => {
  test.each<[string, object, string]>([
    ['no external id', { externalId: undefined }, '/externalId'],
    ['a blank external id', { externalId: ' ' }, '/externalId'],
    ['an external id with a blank at its end', { externalId: 'a ' }, '/externalId'],
    ['an external id of two lines', { externalId: 'a\nb' }, '/externalId'],
    ['an external id that is too long', { externalId: 'x'.repeat(201) }, '/externalId'],
    ['no name', { name: undefined }, '/name'],
    ['no stage', { stage: undefined }, '/stage'],
    ['a value that is no number', { value: { amount: 'much' } }, '/value/amount'],
    ['a value without an amount', { value: {} }, '/value'],
    ['a value with too many decimals', { value: { amount: 1.23456 } }, '/value'],
    ['another currency', { value: { amount: 1, currencyCode: 'EUR' } }, '/value'],
    ['a domain that is none', { companyDomain: 'https://a.example' }, '/companyDomain'],
    ['an address that is none', { contactEmails: ['nobody'] }, '/contactEmails/0'],
    ['an owner that is no address', { ownerEmail: 'sam' }, '/ownerEmail'],
    ['a member as an attribute', { attributes: { stage: 'Lead' } }, '/attributes/stage'],
    ['the external id as an attribute', { attributes: { external_id: 'x' } }, '/attributes/external_id'],
    ['an attribute that deals lack', { attributes: { tier: 'Gold' } }, '/attributes/tier'],
    ['an unknown member', { title: 'x' }, '/title'],
  ])('%s is 400 and names the member', async (_, wrong, path) => {
    const service = await shared();
    const { status, body } = await putDeal(service, { ...DEAL, ...wrong });
    expect([status, JSON.stringify(body.errors ?? body)]).toEqual([
      400,
      expect.stringContaining(`"path":"${path}`),
    ]);
    expect(writes(service)).toEqual([]);
  });

  test.each<[string, object]>([
    ['nothing', {}],
    ['a name that is cleared', { name: null }],
    ['a stage that is cleared', { stage: null }],
    ['an external id', { externalId: 'x' }],
  ])('of a change, %s is 400', async (_, body) => {
    const service = await shared();
    expect((await patchDeal(service, 'any', body)).status).toBe(400);
  });

  let one: TestService | null = null;

  /** Nothing of these tests changes it. */
  async function shared(): Promise<TestService> {
    one ??= await startDeals();
    await one.confirmed();
    return one;
  }

  afterAll(async () => one?.[Symbol.asyncDispose]());
});

describe('a workspace without the attribute for external ids', () => {
  const sandbox = { people: 0, companies: 0, deals: 0, dealExternalId: false };
  const draft = {
    title: 'External id',
    description: null,
    api_slug: 'external_id',
    type: 'text',
    is_required: false,
    is_multiselect: false,
    config: {},
  };

  function makeAttribute(service: TestService, is_unique: boolean): void {
    const body = { data: { ...draft, is_unique } };
    service.sandbox.sandbox.act({ method: 'POST', path: '/objects/deals/attributes', body });
  }

  test('is told so, and how to mend it; deals made in Attio are read and changed all the same', async () => {
    await using service = await startDeals({ sandbox });
    const recordId = dealInAttio(service);
    await quiet(service);
    const refused = await putDeal(service, DEAL);
    expect(refused.status).toBe(422);
    expect(refused.body.detail).toMatch(/"external_id".*does not exist.*npm run cli -- doctor --fix/);
    expect(await deal(service, recordId)).toMatchObject({ externalId: null, name: 'Theirs' });
    await patchDeal(service, recordId, { stage: 'Lost' });
    await delivered(service);
    expect(stageInAttio(service, recordId)).toBe('Lost');
  });

  test('takes deals as soon as it has been made', async () => {
    await using service = await startDeals({ sandbox });
    await service.confirmed();
    makeAttribute(service, true);
    expect((await putDeal(service, DEAL)).status).toBeLessThan(300);
    await delivered(service);
    expect(await dealsWith(service, DEAL.externalId)).toMatchObject([{ sync: { status: 'synced' } }]);
  });

  test('is told that one which is not unique does not do', async () => {
    await using service = await startDeals({ sandbox });
    makeAttribute(service, false);
    const { status, body } = await putDeal(service, DEAL);
    expect([status, body.detail]).toEqual([422, expect.stringContaining('not unique')]);
  });

  test('met when Attio is back leaves a dead letter that says so', async () => {
    await using service = await prepareService({ sandbox, configure: impatient, subscribe: false });
    // From the start: nothing is known of the workspace's schema.
    service.sandbox.sandbox.addFault({ kind: 'disconnect' });
    await service.start();
    expect((await putDeal(service, DEAL)).status).toBe(202);
    await recovered(service);
    expect(JSON.stringify(await letters(service))).toContain('doctor --fix');
  });
});

describe('a deal that was written in an outage', () => {
  test('is made afterwards, once', async () => {
    await using service = await startDeals();
    await outage(service);
    const body = { ...DEAL, companyDomain: 'out.example', contactEmails: ['a@out.example', 'b@out.example'] };
    const { status, body: answer } = await putDeal(service, body);
    expect([status, answer.sync.status]).toEqual([202, 'pending']);
    expect(answer.data).toMatchObject({ externalId: 'order:1', name: 'Engine', contactRecordIds: [] });
    await patchDeal(service, answer.data.id, { value: { amount: 9 } });
    await recovered(service);
    await quiet(service);
    expect(size(service, 'deals')).toBe(1);
    const after = await deal(service, answer.data.id);
    expect(after).toMatchObject({ value: { amount: 9 }, sync: { status: 'synced' } });
    expect(after.contactRecordIds).toHaveLength(2);
    expect(await dealsWith(service, DEAL.externalId)).toHaveLength(1);
  });

  test('leaves what a person has changed meanwhile, with a row of both values', async () => {
    await using service = await startDeals();
    const { id } = (await putDeal(service, { ...DEAL, value: { amount: 1 } })).body.data;
    await quiet(service);
    const { recordId } = await deal(service, id);
    await outage(service);
    const held = await patchDeal(service, id, { stage: 'Lost', value: { amount: 2 } });
    expect([held.status, held.body.data.value?.amount]).toEqual([202, 2]);
    service.sandbox.sandbox.edit({ object: 'deals', recordId, values: { stage: ['Won 🎉'] } });
    await recovered(service);
    expect([stageInAttio(service, recordId), attio(service, recordId, 'deals')['value']]).toEqual([
      'Won 🎉',
      [2],
    ]);
    expect(await conflicts(service)).toMatchObject([
      {
        object: 'deals',
        entityId: id,
        field: 'stage',
        base: { title: 'Lead' },
        local: { title: 'Lost' },
        attio: { title: 'Won 🎉' },
        decided: 'attio',
      },
    ]);
    expect(await deal(service, id)).toMatchObject({ stage: { title: 'Won 🎉' }, value: { amount: 2 } });
  });
});

test('a workspace without deals refuses them', async () => {
  await using service = await startDeals({ subscribe: false });
  service.sandbox.sandbox.addFault({
    kind: 'status',
    status: 404,
    code: 'not_found',
    match: { path: '*/objects/deals/*' },
  });
  const { body } = await putDeal(service, DEAL, '?wait=false');
  await delivered(service);
  expect(await letters(service)).toMatchObject([{ kind: 'outbox' }]);
  expect((await deal(service, body.data.id)).sync).toMatchObject({ status: 'failed' });
});

test('what Attio refuses for good is told in its words, and the deal is as before', async () => {
  await using service = await startDeals();
  const { id } = (await putDeal(service, { ...DEAL, value: { amount: 1 } })).body.data;
  await quiet(service);
  const match = { method: 'PATCH', path: '*/deals/records/*' };
  service.sandbox.sandbox.addFault({ kind: 'status', status: 400, code: 'validation_type', match });
  const { status, body } = await patchDeal(service, id, { value: { amount: 2 } });
  expect([status, body.attio?.code]).toEqual([422, 'validation_type']);
  expect(await deal(service, id)).toMatchObject({ value: { amount: 1 }, sync: { status: 'synced' } });
  expect(await letters(service)).toEqual([]);
});
