import { afterEach, describe, expect, test } from 'vitest';
import { list, post } from '../support/activity.ts';
import { takeViolations } from '../support/exchanges.ts';
import { byExternalId, expectOneEach, made, recordDeletions, tell } from '../support/identity.ts';
import type { TestService } from '../support/service.ts';
import {
  attio,
  conflicts,
  contact,
  delivered,
  kindsOf,
  letters,
  outage,
  person,
  put,
  recovered,
  size,
  startWriting,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const BOTH = ['a@same.example', 'b@same.example'];

/** Contacts that were made here by one address each. */
async function apart(service: TestService): Promise<[string, string]> {
  const one = await put(service, { email: BOTH[0], jobTitle: 'One', externalId: 'x-1', firstName: 'Ada' });
  const two = await put(service, { email: BOTH[1], jobTitle: 'Two', externalId: 'x-2', lastName: 'King' });
  expect([one.status, two.status]).toEqual([202, 202]);
  return [one.body.data.id, two.body.data.id];
}

/** Resolves when the write was tried in vain, and is put off. @returns the id of its contact */
async function unsent(service: TestService, body: unknown): Promise<string> {
  const { status, body: answer } = await put(service, body);
  expect(status).toBe(202);
  return answer.data.id;
}

/**
 * What was decided, each once: it is put on record when the two are found to be one, and again when the earlier write is
 * held against the record after the later one.
 */
async function onRecord(service: TestService): Promise<string[]> {
  const kept = (await conflicts(service)).map(({ field, local, attio: theirs, decided }) => {
    return [field, local, theirs, decided].join(' ');
  });
  return [...new Set(kept)];
}

async function expectOnePerson(
  service: TestService,
  ids: readonly string[],
  recordId: string,
): Promise<void> {
  const found = await Promise.all([...ids, recordId].map((id) => contact(service, id)));
  expect(new Set(found.map(({ id }) => id)).size).toBe(1);
  expect(found[0]).toMatchObject({ recordId, sync: { status: 'synced' } });
  await service.sync('people');
  await expectOneEach(service);
  expect([await letters(service), recordDeletions(service)]).toEqual([[], []]);
}

/** Attio takes no writes; what is read goes on. */
function writesAway(service: TestService): void {
  for (const method of ['PATCH', 'PUT']) {
    service.sandbox.sandbox.addFault({ kind: 'status', status: 503, match: { method } });
  }
  service.sandbox.sandbox.addFault({
    kind: 'status',
    status: 503,
    match: { method: 'POST', path: '*/people/records' },
  });
}

describe('two contacts that were made while Attio was away', () => {
  test.each([false, true])('are one when a person has both addresses (told first: %s)', async (told) => {
    await using service = await startWriting({ subscribe: false });
    if (told) writesAway(service);
    else await outage(service);
    const ids = await apart(service);
    const recordId = person(service, { email_addresses: BOTH });
    const note = await post(service, 'notes', { recordId: ids[1], title: 'About her', content: 'Early.' });
    expect(note.status).toBe(202);
    if (told) {
      await tell(service, 'created', recordId);
      await service.settled();
      expect((await contact(service, ids[0])).id).toBe((await contact(service, ids[1])).id);
      // What waits to be written about the one is seen on the other.
      expect(await list(service, 'notes', `?recordId=${ids[0]}`)).toHaveLength(1);
    }
    await recovered(service);
    await expectOnePerson(service, ids, recordId);
    // The later of the two stands, and the other one is on record.
    expect(attio(service, recordId)).toMatchObject({ job_title: ['Two'], name: [['Ada', 'King']] });
    expect(await onRecord(service)).toEqual(['job_title One Two attio']);
    for (const externalId of ['x-1', 'x-2']) {
      expect(await byExternalId(service, externalId)).toMatchObject([{ recordId }]);
    }
    expect(await list(service, 'notes', `?recordId=${ids[0]}`)).toHaveLength(1);
    expect(kindsOf(writes(service)).filter((kind) => kind === 'POST people' && !told)).toEqual([]);
  });

  test('are as the later one says, also when that one is delivered first', async () => {
    await using service = await startWriting({ subscribe: false });
    writesAway(service);
    const ids = [await unsent(service, { email: BOTH[0], jobTitle: 'One' })];
    const recordId = person(service, { email_addresses: BOTH });
    service.sandbox.sandbox.clearFaults();
    const two = await put(service, { email: BOTH[1], jobTitle: 'Two' });
    await recovered(service);
    await expectOnePerson(service, [...ids, two.body.data.id], recordId);
    expect(attio(service, recordId)).toMatchObject({ job_title: ['Two'] });
    expect(await onRecord(service)).toEqual(['job_title One Two attio']);
  });

  test('are one when the one is said to have the address of the other', async () => {
    await using service = await startWriting({ subscribe: false });
    await outage(service);
    const before = size(service);
    const [, two] = await apart(service);
    const third = await put(service, {
      email: 'c@same.example',
      phone: '+15550100001',
      attributes: { email_addresses: ['b@same.example'] },
    });
    await recovered(service);
    expect(size(service)).toBe(before + 2);
    const found = await contact(service, two);
    expect(await contact(service, third.body.data.id)).toMatchObject({ id: found.id });
    expect(found.emails.toSorted()).toEqual(['b@same.example', 'c@same.example']);
    expect(found).toMatchObject({ jobTitle: 'Two', phone: '+15550100001' });
    await service.sync('people');
    await expectOneEach(service);
  });
});

test('a contact whose address somebody gives to a person that we know is that person', async () => {
  await using service = await startWriting({ subscribe: false });
  const known = await made(service, { email: 'a@same.example', jobTitle: 'Old', externalId: 'x-1' });
  await outage(service);
  const late = await put(service, { email: 'b@same.example', jobTitle: 'New', phone: '+15550100001' });
  service.sandbox.sandbox.edit({
    object: 'people',
    recordId: known.recordId,
    values: { email_addresses: BOTH },
  });
  await recovered(service);
  await expectOnePerson(service, [known.id, late.body.data.id], known.recordId);
  expect(attio(service, known.recordId)).toMatchObject({
    job_title: ['New'],
    phone_numbers: ['+15550100001'],
  });
  expect(await conflicts(service)).toMatchObject([
    { field: 'job_title', local: 'New', attio: 'Old', decided: 'local' },
  ]);
});

describe('a contact that is made with an address which a person has', () => {
  test.each([false, true])('is that person (known here: %s)', async (known) => {
    await using service = await startWriting({ subscribe: false });
    const recordId = person(service, { email_addresses: ['b@same.example'], job_title: 'Theirs' });
    if (known) await service.sync('people');
    const before = size(service);
    service.sandbox.sandbox.clearRequests();
    const attributes = { email_addresses: ['b@same.example'] };
    const answer = await put(service, { email: 'a@same.example', firstName: 'Ada', attributes });
    expect([answer.status, answer.body.data.recordId]).toEqual([200, recordId]);
    expect(answer.body.data.emails.toSorted()).toEqual(BOTH);
    expect([size(service), kindsOf(writes(service))]).toEqual([before, ['PATCH people']]);
    expect(attio(service, recordId)).toMatchObject({ name: [['Ada', '']], job_title: ['Theirs'] });
    await service.sync('people');
    await expectOneEach(service);
  });

  test('is refused when its addresses are those of two people, after few requests', async () => {
    await using service = await startWriting({ subscribe: false });
    const before = [
      person(service, { email_addresses: ['b@same.example'] }),
      person(service, { email_addresses: ['c@same.example'] }),
    ];
    await service.sync('people');
    service.sandbox.sandbox.clearRequests();
    const attributes = { email_addresses: ['b@same.example', 'c@same.example'] };
    const answer = await put(service, { email: 'a@same.example', attributes });
    expect([answer.status, answer.body.attio?.code]).toEqual([422, 'uniqueness_conflict']);
    expect(before.some((id) => answer.body.detail?.includes(id))).toBe(true);
    expect(writes(service).length).toBeLessThanOrEqual(2);
    await delivered(service);
    await expectOneEach(service);
  });
});
