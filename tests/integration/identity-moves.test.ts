import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { expectOneEach, made, recordDeletions, tell } from '../support/identity.ts';
import type { TestService } from '../support/service.ts';
import {
  attio,
  type CompanyJson,
  conflicts,
  contact,
  contactsWith,
  created,
  delivered,
  kindsOf,
  letters,
  outage,
  outbox,
  person,
  put,
  putCompany,
  recovered,
  startWriting,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const MOVED = 'moved@move.example';

function edit(
  service: TestService,
  recordId: string,
  values: Record<string, unknown>,
  object = 'people',
): void {
  service.sandbox.sandbox.edit({ object, recordId, values });
}

/** Two people who are known here, the first of whom has the address that is to move. */
async function two(service: TestService): Promise<{ from: string; to: string }> {
  const from = person(service, { email_addresses: ['from@move.example', MOVED] });
  const to = person(service, { email_addresses: ['to@move.example'] });
  await service.sync('people');
  return { from, to };
}

function move(service: TestService, { from, to }: { from: string; to: string }): void {
  edit(service, from, { email_addresses: ['from@move.example'] });
  edit(service, to, { email_addresses: ['to@move.example', MOVED] });
}

async function holders(service: TestService, address: string): Promise<(string | null)[]> {
  return (await contactsWith(service, address)).map(({ recordId }) => recordId);
}

describe('an address that a person moves in Attio', () => {
  test.each([[['from', 'to']], [['to', 'from']], [['to']], [['from', 'to', 'to', 'from']]] as const)(
    'is that of who has it now (heard of: %j)',
    async (heard) => {
      await using service = await startWriting({ subscribe: false });
      const ids = await two(service);
      move(service, ids);
      for (const who of heard) {
        await tell(service, 'updated', ids[who]);
        await service.settled();
      }
      await expect.poll(() => holders(service, MOVED), { timeout: 20_000 }).toEqual([ids.to]);
      expect(await holders(service, 'from@move.example')).toEqual([ids.from]);
      const answer = await put(service, { email: MOVED, jobTitle: 'Mover' });
      expect([answer.status, answer.body.data.recordId]).toEqual([200, ids.to]);
      expect([attio(service, ids.from)['job_title'], await conflicts(service)]).toEqual([[], []]);
      await expectOneEach(service);
    },
  );

  test('between our look and our request takes the write with it, in two requests', async () => {
    let between = () => {};
    const overtaking = async (url: string, init: RequestInit) => {
      if (init.method === 'PATCH') between();
      return fetch(url, init);
    };
    await using service = await startWriting({ subscribe: false, overrides: { fetch: overtaking } });
    const { from, to } = await two(service);
    edit(service, from, { email_addresses: ['from@move.example'] });
    between = () => edit(service, to, { email_addresses: ['to@move.example', MOVED] });
    service.sandbox.sandbox.clearRequests();
    const answer = await put(service, { email: MOVED, jobTitle: 'Mover' });
    expect([answer.status, answer.body.data.recordId]).toEqual([200, to]);
    expect(kindsOf(writes(service))).toEqual(['PATCH people', 'PATCH people']);
    expect([attio(service, from)['job_title'], attio(service, to)['job_title']]).toEqual([[], ['Mover']]);
    expect(await contact(service, from)).toMatchObject({ recordId: from, emails: ['from@move.example'] });
  });
});

describe('an external id that comes with an address that has moved unheard', () => {
  test.each([false, true])('is that of who has the address now (held back: %s)', async (isHeldBack) => {
    await using service = await startWriting({ subscribe: false });
    const ids = await two(service);
    await put(service, { email: 'from@move.example', externalId: 'x-from' });
    if (isHeldBack) await outage(service);
    else move(service, ids);
    const body = { email: MOVED, jobTitle: 'Mover', externalId: 'x-moved' };
    const first = await put(service, body);
    if (isHeldBack) {
      move(service, ids);
      await recovered(service);
    } else {
      expect(first.body.data).toMatchObject({ recordId: ids.to, externalId: 'x-moved' });
    }
    expect(await contact(service, ids.to)).toMatchObject({ jobTitle: 'Mover', externalId: 'x-moved' });
    expect(await contact(service, ids.from)).toMatchObject({ jobTitle: null, externalId: 'x-from' });
    const again = await put(service, body);
    expect([again.status, again.body.data.recordId]).toEqual([200, ids.to]);
    expect([await conflicts(service), await letters(service)]).toEqual([[], []]);
  });
});

describe('an address that we would give to another', () => {
  test('is refused, by the name of who has it, in one request, and both stay as they are', async () => {
    await using service = await startWriting({ subscribe: false });
    const ids = await two(service);
    service.sandbox.sandbox.clearRequests();
    const attributes = { email_addresses: [MOVED] };
    const answer = await put(service, { email: 'to@move.example', jobTitle: 'Thief', attributes });
    expect([answer.status, answer.body.attio?.code]).toEqual([422, 'uniqueness_conflict']);
    expect(answer.body.detail).toContain(ids.from);
    expect(writes(service)).toHaveLength(1);
    expect(await holders(service, MOVED)).toEqual([ids.from]);
    expect(await contact(service, ids.to)).toMatchObject({
      recordId: ids.to,
      emails: ['to@move.example'],
      jobTitle: null,
    });
  });

  test('while Attio is away is a dead letter, not a loop', async () => {
    await using service = await startWriting({ subscribe: false });
    const ids = await two(service);
    await outage(service);
    const replace = { email_addresses: { replace: ['to@move.example', MOVED] } };
    expect((await put(service, { email: 'to@move.example', attributes: replace })).status).toBe(202);
    service.sandbox.sandbox.clearRequests();
    await recovered(service);
    expect((await letters(service)).map(({ reason }) => reason)).toEqual(['uniqueness_conflict']);
    expect(service.sandbox.sandbox.requests().requests.length).toBeLessThan(20);
    expect(await contact(service, ids.to)).toMatchObject({ recordId: ids.to, emails: ['to@move.example'] });
    expect(await outbox(service)).toMatchObject({ pending: 0, dead: 1 });
  });
});

describe('the domain of a company', () => {
  const find = async (service: TestService, domain: string) => {
    const { body } = await service.get<{ data: CompanyJson[] }>(`/v1/companies?domain=${domain}`);
    return body.data.map(({ recordId }) => recordId);
  };

  test('that changes in Attio finds it, and its contacts stay linked', async () => {
    await using service = await startWriting({ subscribe: false });
    const company = created(service, 'companies', { domains: ['old.example'] });
    await service.sync('companies');
    const ada = await made(service, { email: 'ada@old.example', company: { domain: 'old.example' } });
    edit(service, company, { domains: ['new.example'] }, 'companies');
    await tell(service, 'updated', company, 'companies');
    await service.settled();
    expect([await find(service, 'new.example'), await find(service, 'old.example')]).toEqual([[company], []]);
    const bob = await made(service, { email: 'bob@new.example', company: { domain: 'new.example' } });
    expect([bob.companyRecordId, (await contact(service, ada.id)).companyRecordId]).toEqual([
      company,
      company,
    ]);
    const carol = await made(service, { email: 'carol@old.example', company: { domain: 'old.example' } });
    expect(carol.companyRecordId).not.toBe(company);
    expect(attio(service, company, 'companies')['domains']).toEqual(['new.example']);
  });

  test('that we change finds it, and one that another has is refused by its name', async () => {
    await using service = await startWriting({ subscribe: false });
    const company = created(service, 'companies', { domains: ['old.example'] });
    const other = created(service, 'companies', { domains: ['other.example'] });
    await service.sync('companies');
    const replaced = { domains: { replace: ['new.example'] } };
    expect((await putCompany(service, { domain: 'old.example', attributes: replaced })).status).toBe(200);
    expect([await find(service, 'new.example'), await find(service, 'old.example')]).toEqual([[company], []]);
    service.sandbox.sandbox.clearRequests();
    const answer = await putCompany(service, {
      domain: 'new.example',
      attributes: { domains: ['other.example'] },
    });
    expect([answer.status, answer.body.detail]).toEqual([422, expect.stringContaining(other)]);
    expect(writes(service)).toHaveLength(1);
  });

  test.each([[['one', 'two']], [['two', 'one']], [['one']], [['two']]] as const)(
    'that two have swapped finds the other of them (heard of: %j)',
    async (heard) => {
      await using service = await startWriting({ subscribe: false });
      const ids = {
        one: created(service, 'companies', { domains: ['one.example'] }),
        two: created(service, 'companies', { domains: ['two.example'] }),
      };
      await service.sync('companies');
      const ada = await made(service, { email: 'ada@one.example', company: { domain: 'one.example' } });
      await outage(service);
      await putCompany(service, { domain: 'one.example', name: 'Asked for by the first domain' });
      edit(service, ids.one, { domains: [] }, 'companies');
      edit(service, ids.two, { domains: ['one.example'] }, 'companies');
      edit(service, ids.one, { domains: ['two.example'] }, 'companies');
      await recovered(service);
      for (const which of heard) {
        await tell(service, 'updated', ids[which], 'companies');
        await service.settled();
      }
      await expect
        .poll(async () => [await find(service, 'one.example'), await find(service, 'two.example')], {
          timeout: 20_000,
        })
        .toEqual([[ids.two], [ids.one]]);
      expect(attio(service, ids.two, 'companies')['name']).toEqual(['Asked for by the first domain']);
      expect(attio(service, ids.one, 'companies')['name']).toEqual([]);
      expect((await contact(service, ada.id)).companyRecordId).toBe(ids.one);
      expect([await letters(service), recordDeletions(service)]).toEqual([[], []]);
    },
  );
});

test('an external id that moves from one deal to another is written to where it is now', async () => {
  await using service = await startWriting({ subscribe: false });
  const deal = { externalId: 'order:1', name: 'First', stage: 'Lead' };
  const putDeal = (body: unknown) =>
    service.call<{ data: { id: string; recordId: string } }>('PUT', '/v1/deals', { body });
  const first = (await putDeal(deal)).body.data;
  const second = (await putDeal({ ...deal, externalId: 'order:2', name: 'Second' })).body.data;
  await delivered(service);
  edit(service, first.recordId, { external_id: [] }, 'deals');
  edit(service, second.recordId, { external_id: 'order:1' }, 'deals');
  service.sandbox.sandbox.clearRequests();
  const answer = await putDeal({ ...deal, name: 'Moved' });
  expect([answer.status, answer.body.data.recordId]).toEqual([200, second.recordId]);
  expect(kindsOf(writes(service))).toEqual(['PATCH deals']);
  await expect
    .poll(
      async () =>
        (await service.get<{ data: { recordId: string }[] }>('/v1/deals?externalId=order:1')).body.data,
      { timeout: 20_000 },
    )
    .toMatchObject([{ recordId: second.recordId }]);
});
