import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { type TestService, until } from '../support/service.ts';
import {
  attio,
  contact,
  contactsWith,
  delivered,
  exists,
  impatient,
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

/** Refused by Attio alone: whom an address belongs to is not known here. A misspelt option is refused before. */
const UNKNOWN = { referred_by: 'pigeon@carrier.example' };

/** Somebody makes the person who was missing. @returns the record id */
function makePerson(service: TestService): string {
  return person(service, { email_addresses: [UNKNOWN.referred_by] });
}

/** Who asks is not waited for; the write is sent when Attio is back. */
async function refusedLater(service: TestService, body: unknown) {
  await outage(service);
  const answer = await put(service, body);
  expect(answer.status).toBe(202);
  await recovered(service);
  return answer.body.data;
}

describe('a value that Attio does not take', () => {
  test('is refused at once in its words, and the contact is as before', async () => {
    await using service = await startWriting();
    const before = (await put(service, { email: 'a@no.example', jobTitle: 'Before', externalId: 'x1' })).body
      .data;
    const body = { email: 'a@no.example', jobTitle: 'After', externalId: 'x2', attributes: UNKNOWN };
    const { status, body: problem } = await put(service, body);
    expect([status, problem.attio?.code]).toEqual([422, 'value_not_found']);
    expect(problem.attio?.message).toContain(UNKNOWN.referred_by);
    const after = await contact(service, before.id);
    expect(after).toMatchObject({ jobTitle: 'Before', externalId: 'x1', sync: { status: 'synced' } });
    expect(after.attributes).toEqual(before.attributes);
    expect(attio(service, before.recordId)['job_title']).toEqual(['Before']);
    expect([await letters(service), await outbox(service)]).toMatchObject([[], { pending: 0, dead: 0 }]);
  });

  test('leaves nothing of a contact that was to be made with it', async () => {
    await using service = await startWriting();
    const answer = await put(service, { email: 'new@no.example', externalId: 'x1', attributes: UNKNOWN });
    expect(answer.status).toBe(422);
    expect(await contactsWith(service, 'new@no.example')).toEqual([]);
    const other = await put(service, { email: 'other@no.example', externalId: 'x1' });
    expect(other.status).toBe(200);
  });

  test.each(['not waited for', 'met after an outage'])('is a dead letter when it is %s', async (how) => {
    await using service = await startWriting();
    const before = (await put(service, { email: 'a@no.example', jobTitle: 'Before', externalId: 'x1' })).body
      .data;
    const body = { email: 'a@no.example', jobTitle: 'After', externalId: 'x2', attributes: UNKNOWN };
    if (how === 'not waited for') {
      expect((await put(service, body, '?wait=false')).status).toBe(202);
      await delivered(service);
    } else await refusedLater(service, body);
    expect(await letters(service)).toMatchObject([{ kind: 'outbox', reason: 'value_not_found' }]);
    // In Attio's words: they say what to mend.
    expect(JSON.stringify(await letters(service))).toContain(UNKNOWN.referred_by);
    expect(await contact(service, before.id)).toMatchObject({
      jobTitle: 'Before',
      externalId: 'x1',
      sync: { status: 'failed', code: 'value_not_found' },
    });
    const mended = await put(service, { email: 'a@no.example', jobTitle: 'Mended' });
    expect(mended.body).toMatchObject({ data: { jobTitle: 'Mended' }, sync: { status: 'synced' } });
  });

  test('takes nothing of an earlier write that is a dead letter', async () => {
    await using service = await startWriting();
    const first = { email: 'new@no.example', lastName: 'Late', attributes: UNKNOWN };
    const { id } = (await put(service, first, '?wait=false')).body.data;
    await delivered(service);
    const second = { email: 'new@no.example', attributes: { referred_by: 'smoke@signals.example' } };
    expect((await put(service, second)).status).toBe(422);
    expect((await contact(service, id)).sync).toMatchObject({ status: 'failed', code: 'value_not_found' });
    const missing = makePerson(service);
    await service.call('POST', '/v1/dead-letters/replay');
    await delivered(service);
    const after = await contact(service, id);
    expect(after).toMatchObject({ lastName: 'Late', sync: { status: 'synced' } });
    expect(attio(service, after.recordId)['referred_by']).toEqual([missing]);
  });

  test('is written when its letter is replayed after the person was made', async () => {
    await using service = await startWriting();
    const body = { email: 'new@no.example', lastName: 'Late', externalId: 'x1', attributes: UNKNOWN };
    const { id } = await refusedLater(service, body);
    expect(await contact(service, id)).toMatchObject({ email: 'new@no.example', sync: { status: 'failed' } });
    const [letter] = await letters(service);
    const again = await service.call('POST', `/v1/dead-letters/${letter?.id}/replay`);
    expect(again.status).toBeLessThan(300);
    await delivered(service);
    expect(await letters(service)).toMatchObject([{ kind: 'outbox', reason: 'value_not_found' }]);
    const missing = makePerson(service);
    await service.call('POST', '/v1/dead-letters/replay');
    await delivered(service);
    expect(await letters(service)).toEqual([]);
    const after = await contact(service, id);
    expect(after).toMatchObject({ lastName: 'Late', externalId: 'x1', sync: { status: 'synced' } });
    expect(attio(service, after.recordId)['referred_by']).toEqual([missing]);
  });
});

describe('an address that another person has', () => {
  test('is refused with the id of that person', async () => {
    await using service = await startWriting();
    const other = person(service, { email_addresses: ['taken@no.example'] });
    const { body } = await put(service, { email: 'a@no.example', jobTitle: 'Before' });
    const attributes = { email_addresses: ['taken@no.example'] };
    const refused = await put(service, { email: 'a@no.example', jobTitle: 'After', attributes });
    expect([refused.status, refused.body.attio?.code]).toEqual([422, 'uniqueness_conflict']);
    expect(refused.body.detail).toContain(other);
    expect(await contact(service, body.data.id)).toMatchObject({
      emails: ['a@no.example'],
      jobTitle: 'Before',
    });
    expect(attio(service, other)['email_addresses']).toEqual(['taken@no.example']);
  });
});

describe('the company of a contact', () => {
  test('that Attio has no record of is refused', async () => {
    await using service = await startWriting();
    const company = { recordId: '11111111-2222-4333-8444-555555555555' };
    const { status, body } = await put(service, { email: 'a@no.example', company });
    expect([status, body.attio?.code]).toEqual([422, 'value_not_found']);
    expect(await contactsWith(service, 'a@no.example')).toEqual([]);
  });

  test('that was deleted without our knowing is made anew, after one refusal', async () => {
    await using service = await startWriting({ subscribe: false });
    const company = { domain: 'old.example' };
    const { data } = (await putCompany(service, company)).body;
    service.sandbox.sandbox.deleteRecord({ object: 'companies', recordId: data.recordId });
    expect((await put(service, { email: 'a@no.example', company })).status).toBe(422);
    await until(async () => (await service.get(`/v1/companies/${data.id}`)).status === 410);
    const again = await put(service, { email: 'a@no.example', company });
    expect(again.body.sync.status).toBe('synced');
    expect(attio(service, again.body.data.companyRecordId ?? '', 'companies')).toMatchObject({
      domains: ['old.example'],
    });
  });

  test('that Attio does not take refuses the contact, naming it', async () => {
    await using service = await startWriting();
    const fault = { kind: 'status', status: 400, code: 'validation_type', count: 1 } as const;
    const company = { domain: 'bad.example' };
    // Not the look, which is a POST as well.
    service.sandbox.sandbox.addFault({ ...fault, match: { method: 'POST', path: '*companies/records' } });
    const { status, body } = await put(service, { email: 'a@no.example', company });
    expect([status, body.detail]).toEqual([422, expect.stringContaining('companies')]);
    expect(await contactsWith(service, 'a@no.example')).toEqual([]);
    const again = await put(service, { email: 'a@no.example', company });
    expect(again.body.sync.status).toBe('synced');
  });

  test('that Attio does not take later leaves letters for both, and both are made by a replay', async () => {
    await using service = await startWriting();
    await outage(service);
    const company = { domain: 'bad.example' };
    const { id } = (await put(service, { email: 'a@no.example', lastName: 'Late', company })).body.data;
    const { sandbox } = service.sandbox;
    sandbox.clearFaults();
    const match = { method: 'POST', path: '*companies/records' };
    sandbox.addFault({ kind: 'status', status: 400, code: 'validation_type', match });
    await delivered(service);
    expect((await letters(service)).map(({ reason }) => reason)).toEqual(['validation_type', 'refused']);
    expect((await contact(service, id)).sync).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('companies'),
    });
    sandbox.clearFaults();
    await service.call('POST', '/v1/dead-letters/replay?kind=outbox');
    await delivered(service);
    const after = await contact(service, id);
    expect(after).toMatchObject({ lastName: 'Late', sync: { status: 'synced' } });
    expect(attio(service, after.companyRecordId ?? '', 'companies')['domains']).toEqual(['bad.example']);
    expect(await letters(service)).toEqual([]);
  });

  test('is refused itself where it is written', async () => {
    await using service = await startWriting();
    const fault = { kind: 'status', status: 400, code: 'validation_type', count: 1 } as const;
    service.sandbox.sandbox.addFault({ ...fault, match: { method: 'POST', path: '*companies/records' } });
    const { status, body } = await putCompany(service, { domain: 'a.example' });
    expect([status, body.attio?.code]).toEqual([422, 'validation_type']);
  });
});

describe('an option', () => {
  test('that does not exist is refused with those that do, and nothing is sent', async () => {
    await using service = await startWriting();
    await service.confirmed();
    const attributes = { tier: 'Silber' };
    const { status, body } = await putCompany(service, { domain: 'a.example', attributes });
    expect([status, body.attio, writes(service)]).toEqual([422, undefined, []]);
    expect(body.detail).toMatch(/^\/attributes\/tier .*Did you mean "Silver"\?.*"Gold", "Silver", "Bronze"/);
  });

  test('is found in any case, each of several, and the second one at fault is named', async () => {
    await using service = await startWriting();
    await service.confirmed();
    const attributes = { lead_source: 'event', interests: ['ANALYTICS', 'reporting'] };
    const { recordId, id } = (await put(service, { email: 'a@no.example', attributes })).body.data;
    await delivered(service);
    expect(attio(service, recordId ?? (await contact(service, id)).recordId)).toMatchObject({
      lead_source: ['Event'],
      interests: ['Analytics', 'Reporting'],
    });
    const wrong = { interests: { replace: ['Analytics', 'Sailing'] } };
    const { status, body } = await put(service, { email: 'a@no.example', attributes: wrong });
    expect([status, body.detail]).toEqual([
      422,
      expect.stringMatching(/^\/attributes\/interests\/replace\/1 is no option/),
    ]);
  });

  test('is taken as it is given while Attio cannot be asked', async () => {
    await using service = await startWriting();
    await outage(service);
    const attributes = { lead_source: 'Website' };
    const { status, body } = await put(service, { email: 'a@no.example', attributes });
    expect([status, body.data.attributes['lead_source']]).toEqual([202, 'Website']);
    await recovered(service);
    const { recordId } = await contact(service, body.data.id);
    expect(attio(service, recordId)['lead_source']).toEqual(['Website']);
  });
});

describe('an externalId', () => {
  test('is unique, finds its contact, and is free again when that is deleted', async () => {
    await using service = await startWriting();
    const { body } = await put(service, { email: 'a@x.example', externalId: 'x1' });
    const taken = await put(service, { email: 'b@x.example', externalId: 'x1' });
    expect([taken.status, taken.body.detail]).toEqual([409, expect.stringContaining(body.data.id)]);
    expect(await contactsWith(service, 'b@x.example')).toEqual([]);
    const find = () => service.get<{ data: { id: string }[] }>('/v1/contacts?externalId=x1');
    expect((await find()).body.data).toMatchObject([{ id: body.data.id }]);
    await service.call('DELETE', `/v1/contacts/${body.data.id}`);
    expect((await find()).body.data).toEqual([]);
    const heir = await put(service, { email: 'b@x.example', externalId: 'x1' });
    expect(heir.status).toBe(200);
    expect((await find()).body.data).toMatchObject([{ id: heir.body.data.id }]);
  });

  test('that goes back is left to the contact that took it meanwhile', async () => {
    await using service = await startWriting();
    const a = (await put(service, { email: 'a@x.example', externalId: 'x1' })).body.data;
    await outage(service);
    await put(service, { email: 'a@x.example', externalId: 'x2', attributes: UNKNOWN });
    const b = (await put(service, { email: 'b@x.example', externalId: 'x1' })).body.data;
    await recovered(service);
    expect(await contact(service, b.id)).toMatchObject({ externalId: 'x1', sync: { status: 'synced' } });
    expect((await contact(service, a.id)).externalId).not.toBe('x1');
    expect((await contact(service, a.id)).sync).toMatchObject({ status: 'failed' });
  });

  test('of a later write stands when an earlier one is refused', async () => {
    await using service = await startWriting();
    const a = (await put(service, { email: 'a@x.example', externalId: 'x1' })).body.data;
    await outage(service);
    await put(service, { email: 'a@x.example', externalId: 'x2', attributes: UNKNOWN });
    await put(service, { email: 'a@x.example', externalId: 'x3', jobTitle: 'Later' });
    await recovered(service);
    expect(await contact(service, a.id)).toMatchObject({ externalId: 'x3', jobTitle: 'Later' });
  });
});

describe('a write that could not be sent for too long', () => {
  test('is a dead letter, and is sent when it is replayed', async () => {
    await using service = await startWriting({
      configure(config) {
        const { outbox, ...others } = impatient(config);
        return { ...others, outbox: { ...outbox, giveUpAfterHours: 1 / 3600 } };
      },
    });
    await put(service, { email: 'soon@no.example' });
    service.sandbox.sandbox.clearRequests();
    await outage(service);
    const { body } = await put(service, { email: 'late@no.example' });
    await expect.poll(() => letters(service), { timeout: 20_000 }).toMatchObject([{ reason: 'gave_up' }]);
    expect((await contact(service, body.data.id)).sync).toMatchObject({ status: 'failed', code: 'gave_up' });
    service.sandbox.sandbox.clearFaults();
    await service.call('POST', '/v1/dead-letters/replay?kind=outbox');
    await delivered(service);
    const after = await contact(service, body.data.id);
    expect(exists(service, after.recordId)).toBe(true);
    expect(writes(service).filter(({ status }) => status === 200)).toHaveLength(1);
  });
});
