import { afterEach, describe, expect, test } from 'vitest';
import { list, post } from '../support/activity.ts';
import { takeViolations } from '../support/exchanges.ts';
import {
  allContacts,
  byExternalId,
  expectOneEach,
  made,
  merge,
  recordDeletions,
  type Survivor,
  tell,
  tellMerge,
} from '../support/identity.ts';
import { addEntry, addNote, addTask } from '../support/items.ts';
import type { TestService } from '../support/service.ts';
import {
  attio,
  conflicts,
  contact,
  contactStatus,
  delivered,
  letters,
  outbox,
  put,
  removeContact,
  startWriting,
  type WrittenContact,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

type Dead = 'a' | 'b' | 'full sync' | 'created';

/** Which record lives, and what we hear of it, in that order. */
const CASES: readonly (readonly [Survivor, readonly Dead[]])[] = [
  ['new', ['a', 'b']],
  ['new', ['b', 'a']],
  ['new', ['a', 'a', 'b', 'b', 'a']],
  ['new', ['a']],
  ['new', ['b']],
  ['new', ['created']],
  ['new', ['full sync']],
  ['new', ['full sync', 'b', 'a']],
  ['primary', ['b']],
  ['primary', ['full sync']],
  ['primary', ['full sync', 'b', 'b']],
];

interface Pair {
  readonly a: WrittenContact;
  readonly b: WrittenContact;
}

/** Two contacts of ours, with something of everything on their records. */
async function pair(service: TestService): Promise<Pair> {
  const a = await made(service, { email: 'a@pair.example', externalId: 'x-a', jobTitle: 'Both' });
  const b = await made(service, { email: 'b@pair.example', externalId: 'x-b', jobTitle: 'Both' });
  for (const { recordId } of [a, b]) {
    addEntry(service, recordId);
    addNote(service, recordId);
    addTask(service, recordId);
    await post(service, 'comments', { recordId, content: 'Said', authorEmail: 'robin@example.com' });
  }
  await service.sync('all');
  return { a, b };
}

async function hear(service: TestService, heard: readonly Dead[], { a, b }: Pair, survivor: string) {
  for (const what of heard) {
    if (what === 'full sync') await service.sync('all');
    else if (what === 'created') await tell(service, 'created', survivor);
    else await tellMerge(service, (what === 'a' ? a : b).recordId, survivor);
    await service.settled();
  }
  // What is found out by the way is looked at in the background.
  await expect
    .poll(() => allContacts(service), { timeout: 20_000 })
    .toSatisfy((all: WrittenContact[]) =>
      all.every(({ recordId }) => recordId === survivor || ![a.recordId, b.recordId].includes(recordId)),
    );
}

async function entriesOf(service: TestService, id: string): Promise<number> {
  const { body } = await service.get<{ data: { recordId: string }[] }>(
    '/v1/pipelines/recruiting/entries?limit=1000',
  );
  return body.data.filter(({ recordId }) => recordId === id).length;
}

/** Where the writes find out themselves, before we hear of anything. */
const SOME = CASES.filter(([, heard]) => heard.length === 1 && heard[0] !== 'created');

describe.each([
  ['events', CASES],
  ['writes', SOME],
] as const)('a merge, %s first', (first, cases) => {
  test.each(cases)('(%s record, heard of: %j) leaves one contact, with all of both', async (which, heard) => {
    await using service = await startWriting({ subscribe: false });
    const { sandbox } = service.sandbox;
    const { a, b } = await pair(service);
    sandbox.addFault({ kind: 'status', status: 503, match: { method: 'PATCH' } });
    expect((await put(service, { email: 'a@pair.example', lastName: 'Late' })).status).toBe(202);
    expect((await put(service, { email: 'b@pair.example', firstName: 'Later' })).status).toBe(202);
    const survivor = merge(service, [a.recordId, b.recordId], which);
    if (first === 'writes') {
      sandbox.clearFaults();
      await delivered(service);
    }
    await hear(service, heard, { a, b }, survivor);
    sandbox.clearFaults();
    await delivered(service);

    const found = await Promise.all(
      [a.id, b.id, a.recordId, b.recordId, survivor].map((id) => contact(service, id)),
    );
    expect(new Set(found.map(({ id, recordId }) => `${id} ${recordId}`)).size).toBe(1);
    const [one] = found;
    expect(one).toMatchObject({ recordId: survivor, firstName: 'Later', lastName: 'Late', jobTitle: 'Both' });
    expect(one?.emails.toSorted()).toEqual(['a@pair.example', 'b@pair.example']);
    const others = which === 'new' ? [a.id, b.id] : [b.id];
    expect(one?.mergedFrom).toEqual(expect.arrayContaining(others));
    expect(attio(service, survivor)['name']).toEqual([['Later', 'Late']]);
    // One of the two external ids is shown; both find the contact.
    expect(['x-a', 'x-b']).toContain(one?.externalId);
    for (const externalId of ['x-a', 'x-b']) {
      expect((await byExternalId(service, externalId)).map(({ id }) => id)).toEqual([one?.id]);
    }
    await expectOneEach(service);
    // What was about either is about the one.
    for (const id of [a.recordId, b.id]) {
      expect(await list(service, 'notes', `?recordId=${id}`)).toHaveLength(2);
      expect(await list(service, 'tasks', `?recordId=${id}`)).toHaveLength(2);
      expect(await list(service, 'comments', `?recordId=${id}`)).toHaveLength(2);
    }
    expect(await entriesOf(service, survivor)).toBe(2);
    const note = await post(service, 'notes', { recordId: b.recordId, title: 'After', content: 'All.' });
    expect([note.status, note.body.data.recordId]).toEqual([200, survivor]);
    expect([await letters(service), recordDeletions(service)]).toEqual([[], []]);
    expect(await outbox(service)).toEqual(expect.objectContaining({ pending: 0, dead: 0 }));
  });
});

describe('a merge', () => {
  test('that was heard of before the one behind it leads to the last survivor', async () => {
    await using service = await startWriting({ subscribe: false });
    const { a, b } = await pair(service);
    const { recordId: c } = await made(service, { email: 'c@pair.example' });
    const between = merge(service, [a.recordId, b.recordId]);
    const last = merge(service, [between, c]);
    await tellMerge(service, between, last);
    await tellMerge(service, c, last);
    await service.settled();
    await tellMerge(service, b.recordId, between);
    await tellMerge(service, a.recordId, between);
    await service.settled();
    for (const id of [a.id, b.id, a.recordId, between, c, last]) {
      expect(await contact(service, id)).toMatchObject({ recordId: last });
    }
    expect(await list(service, 'notes', `?recordId=${a.id}`)).toHaveLength(2);
    await expectOneEach(service);
  });

  test('whose survivor is deleted before we ever see it: the contacts are deleted, not unknown', async () => {
    await using service = await startWriting({ subscribe: false });
    const { a, b } = await pair(service);
    const survivor = merge(service, [a.recordId, b.recordId]);
    service.sandbox.sandbox.deleteRecord({ object: 'people', recordId: survivor });
    await tellMerge(service, a.recordId, survivor);
    await tell(service, 'deleted', survivor);
    await tellMerge(service, b.recordId, survivor);
    await service.settled();
    for (const id of [a.id, b.id, a.recordId, b.recordId]) expect(await contactStatus(service, id)).toBe(410);
    await expectOneEach(service);
  });

  test('that Attio has told of stands, wherever the address goes afterwards', async () => {
    await using service = await startWriting({ subscribe: false });
    const { a, b } = await pair(service);
    const { recordId: other } = await made(service, { email: 'other@pair.example' });
    const survivor = merge(service, [a.recordId, b.recordId]);
    await tellMerge(service, a.recordId, survivor);
    await service.settled();
    const { sandbox } = service.sandbox;
    const edit = (recordId: string, email_addresses: string[]) =>
      sandbox.edit({ object: 'people', recordId, values: { email_addresses } });
    edit(survivor, ['b@pair.example']);
    edit(other, ['other@pair.example', 'a@pair.example']);
    for (const id of [other, a.recordId, survivor]) await tell(service, 'updated', id);
    await service.settled();
    expect(await contact(service, a.id)).toMatchObject({ recordId: survivor });
    await service.sync('people');
    expect(await contact(service, a.id)).toMatchObject({ recordId: survivor });
    await expectOneEach(service);
  });

  test('is recognised also while an address is on its way to the one that died', async () => {
    await using service = await startWriting({ subscribe: false });
    const { a, b } = await pair(service);
    service.sandbox.sandbox.addFault({ kind: 'status', status: 503, match: { method: 'PATCH' } });
    const attributes = { email_addresses: ['a2@pair.example'] };
    await put(service, { email: 'a@pair.example', attributes });
    const survivor = merge(service, [a.recordId, b.recordId]);
    await service.sync('people');
    expect(await contact(service, a.id)).toMatchObject({ recordId: survivor });
    service.sandbox.sandbox.clearFaults();
    await delivered(service);
    expect(attio(service, survivor)['email_addresses']).toContain('a2@pair.example');
  });

  test('leads to the survivor also for the id of one that we only heard of when it was gone', async () => {
    await using service = await startWriting({ subscribe: false });
    const known = await made(service, { email: 'known@pair.example' });
    const { id } = service.sandbox.sandbox.act({
      method: 'POST',
      path: '/objects/people/records',
      body: { data: { values: { email_addresses: ['unseen@pair.example'] } } },
    }) as { id: { record_id: string } };
    const survivor = merge(service, [known.recordId, id.record_id], 'new');
    await tell(service, 'created', id.record_id);
    await service.settled();
    await tellMerge(service, id.record_id, survivor);
    await tellMerge(service, known.recordId, survivor);
    await service.settled();
    expect((await contact(service, id.record_id)).recordId).toBe(survivor);
    expect((await contact(service, known.id)).recordId).toBe(survivor);
  });

  test('is not taken for one where a pending write alone would give the other the address', async () => {
    await using service = await startWriting({ subscribe: false });
    const { a, b } = await pair(service);
    service.sandbox.sandbox.addFault({ kind: 'status', status: 503, match: { method: 'PATCH' } });
    await put(service, { email: 'a@pair.example', attributes: { email_addresses: ['b@pair.example'] } });
    service.sandbox.sandbox.deleteRecord({ object: 'people', recordId: b.recordId });
    await service.sync('people');
    expect(await contactStatus(service, b.id)).toBe(410);
    service.sandbox.sandbox.clearFaults();
    await delivered(service);
    expect(attio(service, a.recordId)['email_addresses']).toContain('b@pair.example');
  });

  test('does not bring back what was removed here, and its external id is free', async () => {
    await using service = await startWriting({ subscribe: false });
    const { a, b } = await pair(service);
    await removeContact(service, a.id);
    const survivor = merge(service, [a.recordId, b.recordId]);
    await tellMerge(service, a.recordId, survivor);
    await tellMerge(service, b.recordId, survivor);
    await service.settled();
    expect(await contact(service, b.id)).toMatchObject({ recordId: survivor, externalId: 'x-b' });
    expect(await byExternalId(service, 'x-a')).toEqual([]);
    expect(await conflicts(service)).toEqual([]);
  });
});

describe('companies that are merged', () => {
  test('are written to by the id of either, also as the company of a contact', async () => {
    await using service = await startWriting({ subscribe: false });
    const made = async (domain: string) =>
      (
        await service.call<{ data: { id: string; recordId: string } }>('PUT', '/v1/companies', {
          body: { domain },
        })
      ).body.data;
    const [one, two] = [await made('one.example'), await made('two.example')];
    const survivor = merge(service, [one.recordId, two.recordId], 'new', 'companies');
    await tellMerge(service, two.recordId, survivor, 'companies');
    await service.settled();
    const answer = await put(service, { email: 'ada@two.example', company: { recordId: two.recordId } });
    expect([answer.status, answer.body.data.companyRecordId]).toEqual([200, survivor]);
    for (const id of [one.id, two.id]) {
      await expect
        .poll(
          async () =>
            (await service.get<{ data: { recordId: string } }>(`/v1/companies/${id}`)).body.data.recordId,
          { timeout: 20_000 },
        )
        .toBe(survivor);
    }
  });
});
