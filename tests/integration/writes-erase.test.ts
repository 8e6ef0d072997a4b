import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { add, change } from '../support/pipelines.ts';
import { type TestService, until } from '../support/service.ts';
import {
  conflicts,
  contactStatus,
  contactsWith,
  delivered,
  everythingStored,
  exists,
  outage,
  put,
  quiet,
  recovered,
  removeContact,
  size,
  startWriting,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const EMAIL = 'ada@gone.example';

describe('an erasure', () => {
  const TRACES = ['gone.example', 'zuzanna', 'lovelace', '5550107777', 'secret'];
  const PERSON = {
    email: EMAIL,
    firstName: 'Zuzanna',
    lastName: 'Lovelace',
    phone: '+15550107777',
    externalId: 'secret-crm-id',
    attributes: { internal_comment: 'secret' },
  };

  async function traces(service: TestService): Promise<string[]> {
    const stored = await everythingStored(service);
    return TRACES.filter((trace) => stored.includes(trace));
  }

  test.each(['keep', 'delete'])('leaves nothing of the person in any table (%s)', async (mode) => {
    await using service = await startWriting({ sandbox: { people: 0, companies: 0, deals: 0 } });
    const { id, recordId } = (await put(service, PERSON)).body.data;
    const headers = { 'idempotency-key': 'k1' };
    await service.call('POST', '/v1/contacts/batch', { body: { contacts: [PERSON] }, headers });
    await delivered(service);
    await outage(service);
    await put(service, { ...PERSON, jobTitle: 'Secret agent' });
    service.sandbox.sandbox.edit({ object: 'people', recordId, values: { job_title: 'Secret of theirs' } });
    await recovered(service);
    await put(service, { ...PERSON, attributes: { referred_by: 'secret@pigeon.example' } }, '?wait=false');
    await service.call('POST', '/v1/notes', {
      body: { recordId, title: 'About Zuzanna', content: 'A secret of Lovelace' },
      headers: { 'idempotency-key': 'k2' },
    });
    await service.call('POST', '/v1/tasks', {
      body: { content: 'Ask Zuzanna', linkedRecords: [{ recordId }] },
    });
    await service.call('POST', '/v1/comments', {
      body: { recordId, content: 'Lovelace again', authorEmail: 'robin@example.com' },
    });
    await service.call('POST', '/v1/pipelines/recruiting/entries', { body: { recordId, stage: 'Applied' } });
    await quiet(service);
    expect(await traces(service)).toEqual(TRACES);
    await outage(service);
    await service.call('POST', '/v1/notes', { body: { recordId, title: 'Zuzanna', content: 'Never sent' } });
    await put(service, { ...PERSON, jobTitle: 'Secret, and never sent' });
    const answer = await removeContact(service, id, `?erase=true&attio=${mode}`);
    expect(JSON.stringify(answer.body).toLowerCase()).not.toMatch(/gone\.example|lovelace|secret/);
    expect(await traces(service)).toEqual([]);
    await recovered(service);
    await quiet(service);
    await service.sync('people');
    expect(await traces(service)).toEqual([]);
    expect([await contactStatus(service, id), exists(service, recordId)]).toEqual([410, mode === 'keep']);
  });

  test('is of a change of an entry that is under way', async () => {
    await using service = await startWriting({ configure: (config) => config, subscribe: false });
    const { id, recordId } = (await put(service, PERSON)).body.data;
    const { data: entry } = (await add(service, 'recruiting', { recordId, stage: 'Applied' })).body;
    const { sandbox } = service.sandbox;
    const path = `/lists/recruiting/entries/${entry.entryId}`;
    const theirs = { entry_values: { tags: ['Remote'], start_date: '2026-12-01' } };
    sandbox.act({ method: 'PATCH', path, body: { data: theirs } });
    sandbox.addFault({ kind: 'latency', ms: 1_500, match: { method: 'PATCH' }, count: 1 });
    const { status } = await change(service, 'recruiting', `${entry.id}?wait=false`, {
      attributes: { start_date: '2027-07-07' },
    });
    expect(status).toBe(202);
    // Attio has it, and has not answered.
    await until(async () => JSON.stringify(sandbox.act({ method: 'GET', path })).includes('2027-07-07'));
    await removeContact(service, id, '?erase=true');
    await until(async () => sandbox.requests().requests.every(({ status }) => status !== null));
    await service.stop();
    await service.start();
    expect(await conflicts(service)).toEqual([]);
    expect((await everythingStored(service)).includes('2027-07-07')).toBe(false);
  });

  test('is of all that was merged into the person, too', async () => {
    await using service = await startWriting({ sandbox: { people: 0, companies: 0, deals: 0 } });
    const one = (await put(service, PERSON)).body.data;
    const two = (await put(service, { email: 'countess@gone.example', lastName: 'Lovelace' })).body.data;
    const refused = {
      ...PERSON,
      attributes: { internal_comment: 'secret', referred_by: 'secret@pigeon.example' },
    };
    await put(service, refused, '?wait=false');
    await quiet(service);
    const [primaryRecordId, secondaryRecordId] = [two.recordId, one.recordId];
    service.sandbox.sandbox.merge({ object: 'people', primaryRecordId, secondaryRecordId });
    await quiet(service);
    expect(await contactStatus(service, one.id)).toBe(200);
    await removeContact(service, one.id, '?erase=true&attio=delete');
    await quiet(service);
    expect([await traces(service), size(service)]).toEqual([[], 0]);
  });

  test('is over when the person is written again', async () => {
    await using service = await startWriting();
    const first = (await put(service, PERSON)).body.data;
    await removeContact(service, first.id, '?erase=true&attio=keep');
    const { status: code, body } = await put(service, { email: EMAIL, jobTitle: 'Back' });
    expect([code, body.data]).toMatchObject([
      200,
      { recordId: first.recordId, lastName: 'Lovelace', jobTitle: 'Back', externalId: null },
    ]);
    await quiet(service);
    expect(await contactsWith(service, EMAIL)).toHaveLength(1);
  });

  test.each([true, false])(
    'while the record is being made leaves nothing (webhooks: %s)',
    async (subscribe) => {
      const sandbox = { people: 0, companies: 0, deals: 0 };
      await using service = await startWriting({ subscribe, sandbox });
      const match = { method: 'POST', path: '*/people/records' };
      service.sandbox.sandbox.addFault({ kind: 'latency', ms: 300, match, count: 1 });
      const making = put(service, PERSON);
      await until(async () => (await contactsWith(service, EMAIL)).length === 1 && size(service) === 1);
      const [contact] = await contactsWith(service, EMAIL);
      await removeContact(service, contact?.id ?? '', '?erase=true&attio=delete');
      await making;
      await quiet(service);
      await service.sync('people');
      expect([await traces(service), size(service)]).toEqual([[], 0]);
    },
  );
});
