import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { type TestService, until } from '../support/service.ts';
import {
  attio,
  conflicts,
  contact,
  impatient,
  kindsOf,
  outage,
  person,
  put,
  recovered,
  startWriting,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const EMAIL = 'ada@both.example';

function ada(service: TestService): string {
  return person(service, {
    name: [{ first_name: 'Ada', last_name: 'Lovelace', full_name: 'Ada Lovelace' }],
    email_addresses: [EMAIL],
    phone_numbers: [{ original_phone_number: '+15550100001' }],
    job_title: 'Agreed',
    internal_comment: 'Agreed',
  });
}

/** Callers wait for a shorter time, and a write counts as held back sooner. */
function start(): Promise<TestService> {
  return startWriting({
    subscribe: false,
    configure(config) {
      const { outbox, ...others } = impatient(config);
      return { ...others, outbox: { ...outbox, writeWaitMs: 500 } };
    },
  });
}

async function heldBack(service: TestService): Promise<void> {
  await until(async () => {
    const { body } = await service.get<{ checks: { outbox: { oldestAgeSeconds: number } } }>('/health');
    return body.checks.outbox.oldestAgeSeconds >= 1;
  });
}

/** Ada is mirrored; Attio is away. */
async function apart(service: TestService): Promise<string> {
  const recordId = ada(service);
  await service.sync('people');
  await outage(service);
  return recordId;
}

function edit(service: TestService, recordId: string, values: Record<string, unknown>): void {
  service.sandbox.sandbox.edit({ object: 'people', recordId, values });
}

describe('a write that is held back', () => {
  test('is taken without waiting for Attio once the circuit is open, and shown as pending', async () => {
    await using service = await start();
    await apart(service);
    service.sandbox.sandbox.clearRequests();
    const answer = await put(service, { email: EMAIL, jobTitle: 'Ours' });
    expect([answer.status, answer.body.sync]).toEqual([202, { status: 'pending' }]);
    expect(writes(service)).toEqual([]);
    expect(await contact(service, answer.body.data.id)).toMatchObject({
      jobTitle: 'Ours',
      sync: { status: 'pending' },
    });
    await recovered(service);
    expect(await contact(service, answer.body.data.id)).toMatchObject({
      jobTitle: 'Ours',
      sync: { status: 'synced' },
    });
    expect(await conflicts(service)).toEqual([]);
  });

  test('leaves alone what a person has changed since, and writes the rest', async () => {
    await using service = await start();
    const recordId = await apart(service);
    const attributes = { internal_comment: 'Ours' };
    const { body } = await put(service, { email: EMAIL, jobTitle: 'Ours', attributes });
    edit(service, recordId, { job_title: 'Theirs' });
    await recovered(service);
    expect(attio(service, recordId)).toMatchObject({ job_title: ['Theirs'], internal_comment: ['Ours'] });
    expect(await contact(service, body.data.id)).toMatchObject({
      jobTitle: 'Theirs',
      attributes: { internal_comment: 'Ours' },
      sync: { status: 'synced' },
    });
    expect(await conflicts(service)).toMatchObject([
      {
        object: 'people',
        entityId: body.data.id,
        field: 'job_title',
        base: 'Agreed',
        local: 'Ours',
        attio: 'Theirs',
        decided: 'attio',
      },
    ]);
  });

  test('wins over what a person changed before it was accepted, and that is on record', async () => {
    await using service = await start();
    const recordId = await apart(service);
    edit(service, recordId, { job_title: 'Theirs' });
    await put(service, { email: EMAIL, jobTitle: 'Ours' });
    await recovered(service);
    expect(attio(service, recordId)['job_title']).toEqual(['Ours']);
    expect(await conflicts(service)).toMatchObject([
      { field: 'job_title', base: 'Agreed', local: 'Ours', attio: 'Theirs', decided: 'local' },
    ]);
  });

  test('is no conflict with another one of ours', async () => {
    await using service = await start();
    const recordId = await apart(service);
    await put(service, { email: EMAIL, jobTitle: 'One', lastName: 'King' });
    await put(service, { email: EMAIL, jobTitle: 'Two', phone: { replace: [] } });
    await put(service, { email: EMAIL, firstName: 'Augusta', phone: '+15550100001' });
    await recovered(service);
    expect(attio(service, recordId)).toMatchObject({
      job_title: ['Two'],
      name: [['Augusta', 'King']],
      phone_numbers: ['+15550100001'],
    });
    expect(await conflicts(service)).toEqual([]);
  });

  test('and another one after it leave alone what a person has changed since both', async () => {
    await using service = await start();
    const recordId = await apart(service);
    await put(service, { email: EMAIL, jobTitle: 'One' });
    await put(service, { email: EMAIL, jobTitle: 'Two' });
    edit(service, recordId, { job_title: 'Theirs' });
    await recovered(service);
    expect(attio(service, recordId)['job_title']).toEqual(['Theirs']);
    expect(await conflicts(service)).toMatchObject([
      { field: 'job_title', base: 'Agreed', local: 'One', attio: 'Theirs', decided: 'attio' },
      { field: 'job_title', base: 'Agreed', local: 'Two', attio: 'Theirs', decided: 'attio' },
    ]);
  });

  test('does not fill again what a person has cleared since', async () => {
    await using service = await start();
    const recordId = await apart(service);
    await put(service, { email: EMAIL, jobTitle: 'Ours', phone: '+15550100002' });
    edit(service, recordId, { job_title: [], phone_numbers: [] });
    await heldBack(service);
    await recovered(service);
    expect(attio(service, recordId)).toMatchObject({ job_title: [], phone_numbers: ['+15550100002'] });
    expect(await conflicts(service)).toMatchObject([
      { field: 'job_title', base: 'Agreed', local: 'Ours', attio: null, decided: 'attio' },
    ]);
  });

  test('that clears a field does not clear what a person has put there since', async () => {
    await using service = await start();
    const recordId = await apart(service);
    await put(service, { email: EMAIL, jobTitle: null });
    edit(service, recordId, { job_title: 'Theirs' });
    await recovered(service);
    expect(attio(service, recordId)['job_title']).toEqual(['Theirs']);
    expect(await conflicts(service)).toMatchObject([
      { field: 'job_title', local: null, attio: 'Theirs', decided: 'attio' },
    ]);
  });

  test('to a person that we know nothing of leaves no conflict, and what is newer there stays', async () => {
    await using service = await start();
    const recordId = ada(service);
    await outage(service);
    await put(service, { email: EMAIL, jobTitle: 'Ours', firstName: 'Augusta' });
    await put(service, { email: EMAIL, lastName: 'King' });
    await recovered(service);
    expect(attio(service, recordId)).toMatchObject({ job_title: ['Ours'], name: [['Augusta', 'King']] });
    expect(await conflicts(service)).toEqual([]);
  });

  test('that both sides agree on meanwhile is not sent, and is no conflict', async () => {
    await using service = await start();
    const recordId = await apart(service);
    service.sandbox.sandbox.clearRequests();
    await put(service, { email: EMAIL, jobTitle: 'Same' });
    edit(service, recordId, { job_title: 'Same' });
    await recovered(service);
    expect(kindsOf(writes(service))).toEqual([]);
    expect(await conflicts(service)).toEqual([]);
  });

  test('to a record that was deleted meanwhile leaves it deleted, and says so', async () => {
    await using service = await start();
    const recordId = await apart(service);
    service.sandbox.sandbox.clearRequests();
    const { body } = await put(service, { email: EMAIL, jobTitle: 'Ours' });
    service.sandbox.sandbox.deleteRecord({ object: 'people', recordId });
    await heldBack(service);
    await recovered(service);
    expect(kindsOf(writes(service))).toEqual([]);
    expect((await service.get(`/v1/contacts/${body.data.id}`)).status).toBe(410);
    expect(await conflicts(service)).toMatchObject([{ field: 'record', attio: null, decided: 'attio' }]);
  });
});
