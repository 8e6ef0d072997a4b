import { expect, test } from 'vitest';
import { inAttio, list, post, startCounting } from '../support/activity.ts';
import { act, addEntry, tell } from '../support/items.ts';
import { add, type EntryJson, entries } from '../support/pipelines.ts';
import type { Change, TestService } from '../support/service.ts';
import { letters, outage, person, quiet, recovered, startWriting } from '../support/writes.ts';

/** Entries, notes and tasks that turn out to be another one, or nobody's: what is shown and told of them afterwards. */

/** What a follower holds, who has begun at the start of the feed, about one record or at all. */
async function held(service: TestService, kind: string, recordId?: string): Promise<string[]> {
  const { body } = await service.get<{ data: Told[] }>('/v1/changes?limit=1000');
  const known = new Map<string, Told>();
  for (const change of body.data) {
    if (change.type === `${kind}.deleted`) known.delete(change.id);
    else if (change.type.startsWith(`${kind}.`)) known.set(change.id, change);
  }
  const isWanted = ({ data }: Told) =>
    recordId === undefined || data.records?.some((record) => record.recordId === recordId);
  return [...known.values()].filter(isWanted).map(({ id }) => id);
}

type Told = Change & { readonly data: { readonly records?: readonly { readonly recordId: string }[] } };

async function entriesOf(service: TestService, recordId: string): Promise<EntryJson[]> {
  return (await entries(service, 'recruiting')).filter((entry) => entry.recordId === recordId);
}

async function shown(service: TestService, kind: 'notes' | 'tasks'): Promise<string[]> {
  return (await list(service, kind)).map(({ id }) => id).toSorted();
}

test('nothing is written about the address of a contact that was removed here, until it is written anew', async () => {
  await using service = await startCounting();
  const email = 'gone@engines.example';
  const recordId = person(service, { email_addresses: [email] });
  await service.sync('people');
  expect((await service.call('DELETE', `/v1/contacts/${recordId}`)).status).toBe(200);

  const refused = await post(service, 'notes', { email, title: 'Call', content: 'Hello' });
  expect([refused.status, refused.body.detail]).toEqual([422, expect.stringContaining('was removed here')]);
  const task = await post(service, 'tasks', { content: 'Call', linkedRecords: [{ email }] });
  expect(task.status).toBe(422);
  expect([inAttio(service, 'notes'), inAttio(service, 'tasks')]).toEqual([0, 0]);
  expect([await shown(service, 'notes'), await shown(service, 'tasks')]).toEqual([[], []]);

  await service.call('PUT', '/v1/contacts', { body: { email, jobTitle: 'Back' } });
  expect((await post(service, 'notes', { email, title: 'Call', content: 'Hello' })).status).toBe(200);
});

test('a note whose contact is removed before it is made does not stay behind, empty', async () => {
  await using service = await startCounting();
  const recordId = person(service, { email_addresses: ['leaving@engines.example'] });
  await service.sync('people');
  await outage(service);
  const note = await post(service, 'notes', { recordId, title: 'Call', content: 'Words' });
  expect(note.status).toBe(202);
  // Merged, in Attio, into somebody who was removed here.
  expect((await service.call('DELETE', `/v1/contacts/${recordId}`)).status).toBe(200);
  await recovered(service);
  await quiet(service);
  expect(await shown(service, 'notes')).toEqual([]);
  expect(await held(service, 'note')).toEqual([]);
});

test('a task is done although its answer was lost, and then its person', async () => {
  await using service = await startCounting();
  const recordId = person(service, { email_addresses: ['lost@engines.example'] });
  await service.sync('people');
  const { sandbox } = service.sandbox;
  sandbox.addFault({ kind: 'lost-answer', match: { method: 'POST', path: '*/tasks' }, count: 1 });
  // It is told of by its webhook, and not found by a look.
  sandbox.addFault({ kind: 'status', status: 503, match: { method: 'GET', path: '*/tasks' } });
  const { status, body } = await post(service, 'tasks', { content: 'Call', linkedRecords: [{ recordId }] });
  expect(status).toBe(202);
  await sandbox.settled();
  await service.settled();
  sandbox.deleteRecord({ object: 'people', recordId });
  await sandbox.settled();
  await service.settled();
  await recovered(service);
  expect(await list(service, 'tasks')).toMatchObject([{ id: body.data.id, sync: { status: 'synced' } }]);
  expect([inAttio(service, 'tasks'), await letters(service)]).toEqual([1, []]);
});

test('an entry that was found in Attio first, and then written, is in the feed once', async () => {
  await using service = await startWriting({ env: { SYNC_LISTS: 'recruiting' } });
  const recordId = person(service, { email_addresses: ['twice@engines.example'] });
  await service.sync('people');
  const { sandbox } = service.sandbox;
  sandbox.addFault({ kind: 'drop-webhooks', match: { path: 'list-entry.created' } });
  const entryId = addEntry(service, recordId, { stage: ['Applied'] });
  // Known to be there when the write is held against Attio, and not when it was accepted.
  sandbox.addFault({ kind: 'latency', ms: 1_500, match: { path: `/records/${recordId}/entries` }, count: 1 });
  const written = add(service, 'recruiting', { recordId, stage: 'Offer' });
  await service.sync('lists/recruiting');
  expect((await written).body.data).toMatchObject({ entryId, stage: { title: 'Offer' } });
  await quiet(service);
  const [entry] = await entriesOf(service, recordId);
  expect(await held(service, 'entry', recordId)).toEqual([entry?.id]);
});

test('an entry that was made anew outlives late news of the one before', async () => {
  await using service = await startWriting();
  const recordId = person(service, { email_addresses: ['anew@engines.example'] });
  await service.sync('people');
  const oldId = addEntry(service, recordId, { stage: ['Applied'] });
  await service.sync('lists/recruiting');
  await quiet(service);
  const { sandbox } = service.sandbox;
  sandbox.addFault({ kind: 'drop-webhooks', match: { path: 'list-entry.deleted' } });
  act(service, 'DELETE', `/lists/recruiting/entries/${oldId}`);
  const { body } = await add(service, 'recruiting', { recordId, stage: 'Offer' });
  expect(body.data.id).toBe(oldId);
  expect(body.data.entryId).not.toBe(oldId);
  await tell(service, 'list-entry.deleted', {
    list_id: sandbox.world.list('recruiting').id,
    entry_id: oldId,
  });
  await service.settled();
  expect(await entriesOf(service, recordId)).toMatchObject([{ id: oldId, stage: { title: 'Offer' } }]);
  expect(await held(service, 'entry', recordId)).toEqual([oldId]);
});

test('a batch that is sent again after a crash, before its answer was kept, is the same batch', async () => {
  await using service = await startWriting();
  const contacts = [
    { email: 'one@engines.example', jobTitle: 'First' },
    { email: 'two@engines.example', jobTitle: 'Second' },
  ];
  const headers = { 'idempotency-key': 'fair' };
  const send = () =>
    service.call<{ data: { id: string; accepted: number } }>('POST', '/v1/contacts/batch', {
      body: { contacts },
      headers,
    });
  const first = await send();
  await quiet(service);
  // What the crash has left: the batch, the first of its writes, and no answer to the key.
  await service.database.rows('delete from idempotency');
  await service.database.rows('delete from outbox where batch_index = 1');
  const again = await send();
  expect(again.body).toEqual(first.body);
  await quiet(service);
  const rows = await service.database.rows('select batch_id, batch_index from outbox order by batch_index');
  expect(rows.map((row) => ({ ...row, batch_index: Number(row['batch_index']) }))).toMatchObject([
    { batch_id: first.body.data.id, batch_index: 0 },
    { batch_id: first.body.data.id, batch_index: 1 },
  ]);
  expect(await service.database.rows('select id from batch')).toHaveLength(1);
  const other = await service.call('POST', '/v1/contacts/batch', { body: { contacts } });
  expect(other.status).toBe(202);
  expect(await service.database.rows('select id from batch')).toHaveLength(2);
});
