import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WEBHOOK_EVENTS } from '../../src/domain/webhook-events.ts';
import { takeViolations } from '../support/exchanges.ts';
import {
  act,
  addComment,
  addEntry,
  addList,
  addNote,
  addTask,
  asked,
  idsIn,
  living,
  personId,
  tell,
  told,
} from '../support/items.ts';
import { type ContactJson, startService, type TestService, until } from '../support/service.ts';

let service: TestService;

beforeAll(async () => {
  service = await startService({ sandbox: { people: 40, companies: 5, deals: 5 } });
  await service.sync('all');
});
afterAll(() => service[Symbol.asyncDispose]());
afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const sandbox = () => service.sandbox.sandbox;

/** Does something that changes an item in Attio, and waits for what followers are told of it. */
async function changed(type: string, attioId: string, change: () => unknown) {
  const cursor = await service.latest();
  change();
  return told(service, cursor, type, attioId);
}

async function made(type: string, make: () => string) {
  const cursor = await service.latest();
  const attioId = make();
  return { attioId, change: await told(service, cursor, type, attioId) };
}

async function settledAs(type: string, outcome: string): Promise<void> {
  const line = `webhook_events_total{type="${type}",outcome="${outcome}"}`;
  await until(async () => (await service.get<string>('/metrics')).body.includes(line));
}

/** An event of which nothing is mirrored: it stays in the inbox. */
async function isKept(type: string, ids: Record<string, string>): Promise<void> {
  const cursor = await service.latest();
  await tell(service, type, ids);
  await settledAs(type, 'kept');
  expect((await service.changes(cursor)).data).toEqual([]);
}

/** Events after which a definition is asked for anew. */
async function asksAnew(route: string, event: () => unknown): Promise<void> {
  const before = asked(service, route);
  await event();
  await until(async () => asked(service, route) > before);
}

const isGone = async (kind: string, attioId: string) => {
  expect(await living(service, kind)).not.toContain(attioId);
};

function newAttribute(on: string, slug: string): void {
  act(service, 'POST', `${on}/attributes`, {
    title: slug,
    description: null,
    api_slug: slug,
    type: 'text',
    is_required: false,
    is_unique: false,
    is_multiselect: false,
    config: {},
  });
}

async function attributesOf(object: string): Promise<string[]> {
  const { body } = await service.get<{ data: { api_slug: string; title: string }[] }>(
    `/v1/objects/${object}/attributes`,
  );
  return body.data.map((attribute) => attribute.title);
}

/** Each type of event, and that it has its effect; the README's table says the same in words. */
const EFFECTS: Readonly<Record<string, () => Promise<void>>> = {
  async 'record.created'() {
    const cursor = await service.latest();
    const { id } = sandbox().createRecord({
      object: 'people',
      values: { email_addresses: ['new@example.com'] },
    });
    const { record_id: recordId } = id as { record_id: string };
    await service.change(cursor, (row) => row.type === 'record.created' && row.id === recordId);
    expect((await service.get(`/v1/contacts/${recordId}`)).status).toBe(200);
  },
  async 'record.updated'() {
    const recordId = personId(service, 1);
    const cursor = await service.latest();
    sandbox().edit({ object: 'people', recordId, values: { job_title: 'Astronomer' } });
    await service.change(cursor, (row) => row.type === 'record.updated' && row.id === recordId);
    const { body } = await service.get<{ data: ContactJson }>(`/v1/contacts/${recordId}`);
    expect(body.data.jobTitle).toBe('Astronomer');
  },
  async 'record.deleted'() {
    const recordId = personId(service, 2);
    const { attioId: note } = await made('note.created', () => addNote(service, recordId));
    const { attioId: entry } = await made('entry.created', () => addEntry(service, recordId));
    const comment = await made('comment.created', () => addComment(service, { recordId }).commentId);
    const cursor = await service.latest();
    sandbox().deleteRecord({ object: 'people', recordId });
    await service.change(cursor, (row) => row.type === 'record.deleted' && row.id === recordId);
    expect((await service.get(`/v1/contacts/${recordId}`)).status).toBe(410);
    // What goes with it, whether Attio tells or not: of comments it does not.
    await told(service, cursor, 'note.deleted', note);
    await told(service, cursor, 'entry.deleted', entry);
    await told(service, cursor, 'comment.deleted', comment.attioId);
  },
  async 'record.merged'() {
    const [one, two] = [personId(service, 3), personId(service, 4)];
    const { attioId: note } = await made('note.created', () => addNote(service, two));
    const cursor = await service.latest();
    const { id } = sandbox().merge({ object: 'people', primaryRecordId: one, secondaryRecordId: two });
    const { record_id: survivor } = id as { record_id: string };
    for (const dead of [one, two]) {
      await service.change(cursor, (row) => row.type === 'record.merged' && row.mergedId === dead);
    }
    await told(service, cursor, 'note.updated', note);
    expect(await linksOf('notes', note)).toEqual([survivor]);
  },
  async 'list-entry.created'() {
    const recordId = personId(service, 5);
    const { change } = await made('entry.created', () =>
      addEntry(service, recordId, { stage: ['Interview'], value: [1234] }),
    );
    expect(change.object).toBe('people');
    expect(change.data).toMatchObject({
      stage: { title: 'Interview' },
      value: { amount: 1234 },
      records: [{ object: 'people', recordId }],
    });
  },
  async 'list-entry.updated'() {
    const { attioId } = await made('entry.created', () => addEntry(service, personId(service, 6)));
    const path = `/lists/recruiting/entries/${attioId}`;
    const change = await changed('entry.updated', attioId, () =>
      act(service, 'PATCH', path, { entry_values: { stage: ['Offer'] } }),
    );
    expect(change.changed).toEqual(['stage']);
    expect(change.data['stage']).toMatchObject({ title: 'Offer' });
  },
  async 'list-entry.deleted'() {
    const { attioId } = await made('entry.created', () => addEntry(service, personId(service, 7)));
    await changed('entry.deleted', attioId, () =>
      act(service, 'DELETE', `/lists/recruiting/entries/${attioId}`),
    );
    await isGone('entries', attioId);
  },
  async 'list.created'() {
    await asksAnew('GET /lists', () => addList(service, 'speakers'));
    const entry = act<{ id: { entry_id: string } }>(service, 'POST', '/lists/speakers/entries', {
      parent_record_id: personId(service, 8),
      parent_object: 'people',
      entry_values: {},
    });
    await until(async () => (await living(service, 'entries')).includes(entry.id.entry_id));
    expect((await service.sync('lists/speakers')).status).toBe('succeeded');
  },
  async 'list.updated'() {
    addList(service, 'guests');
    await until(async () => (await service.call('POST', '/v1/sync/lists/guests')).status === 202);
    await asksAnew('GET /lists', () => act(service, 'PATCH', '/lists/guests', { api_slug: 'visitors' }));
    await until(async () => (await service.call('POST', '/v1/sync/lists/visitors')).status === 202);
    expect((await service.call('POST', '/v1/sync/lists/guests')).status).toBe(404);
  },
  async 'list.deleted'() {
    const listId = addList(service, 'retired');
    const entry = act<{ id: { entry_id: string } }>(service, 'POST', '/lists/retired/entries', {
      parent_record_id: personId(service, 9),
      parent_object: 'people',
      entry_values: {},
    });
    await until(async () => (await living(service, 'entries')).includes(entry.id.entry_id));
    const cursor = await service.latest();
    // The API cannot delete lists: people can.
    const { lists } = sandbox().world;
    const index = lists.findIndex((list) => list.id === listId);
    lists.splice(index, 1);
    await tell(service, 'list.deleted', { list_id: listId });
    await told(service, cursor, 'entry.deleted', entry.id.entry_id);
    expect((await service.call('POST', '/v1/sync/lists/retired')).status).toBe(404);
  },
  async 'list-attribute.created'() {
    await asksAnew('GET /{target}/{identifier}/attributes', () =>
      newAttribute('/lists/recruiting', 'source'),
    );
    const { change } = await made('entry.created', () =>
      addEntry(service, personId(service, 10), { source: ['A friend'] }),
    );
    expect(change.data['attributes']).toMatchObject({ source: 'A friend' });
  },
  async 'list-attribute.updated'() {
    newAttribute('/lists/recruiting', 'hue');
    await service.settled();
    await asksAnew('GET /{target}/{identifier}/attributes', () =>
      act(service, 'PATCH', '/lists/recruiting/attributes/hue', { title: 'Colour' }),
    );
  },
  async 'object-attribute.created'() {
    newAttribute('/objects/people', 'hobby');
    await until(async () => (await attributesOf('people')).includes('hobby'));
  },
  async 'object-attribute.updated'() {
    newAttribute('/objects/people', 'pet');
    await until(async () => (await attributesOf('people')).includes('pet'));
    act(service, 'PATCH', '/objects/people/attributes/pet', { title: 'Animal' });
    await until(async () => (await attributesOf('people')).includes('Animal'));
  },
  async 'note.created'() {
    const recordId = personId(service, 11);
    const { change } = await made('note.created', () => addNote(service, recordId, 'First call'));
    expect(change.data).toMatchObject({
      title: 'First call',
      content: 'They **like** it',
      contentPlaintext: 'They like it',
      createdBy: { type: 'workspace-member' },
      records: [{ object: 'people', recordId }],
    });
  },
  async 'note.updated'() {
    const { attioId } = await made('note.created', () => addNote(service, personId(service, 11)));
    const change = await changed('note.updated', attioId, () =>
      act(service, 'PATCH', `/notes/${attioId}`, { title: 'A long call' }),
    );
    expect(change.changed).toEqual(['title']);
  },
  async 'note-content.updated'() {
    const { attioId } = await made('note.created', () => addNote(service, personId(service, 11)));
    const change = await changed('note.updated', attioId, () =>
      act(service, 'PATCH', `/notes/${attioId}`, { content: 'Not any more' }),
    );
    expect(change.changed).toEqual(['content', 'contentPlaintext']);
    await settledAs('note-content.updated', 'done');
  },
  async 'note.deleted'() {
    const { attioId } = await made('note.created', () => addNote(service, personId(service, 11)));
    await changed('note.deleted', attioId, () => act(service, 'DELETE', `/notes/${attioId}`));
    await isGone('notes', attioId);
  },
  async 'task.created'() {
    const recordId = personId(service, 12);
    const { change } = await made('task.created', () => addTask(service, recordId, 'Send the offer'));
    expect(change.data).toMatchObject({
      content: 'Send the offer',
      deadlineAt: '2027-01-31T09:00:00.000Z',
      isCompleted: false,
      records: [{ object: 'people', recordId }],
    });
  },
  async 'task.updated'() {
    const { attioId } = await made('task.created', () => addTask(service, null));
    const change = await changed('task.updated', attioId, () =>
      act(service, 'PATCH', `/tasks/${attioId}`, { is_completed: true }),
    );
    expect(change.changed).toEqual(['completedAt', 'isCompleted']);
  },
  async 'task.deleted'() {
    const { attioId } = await made('task.created', () => addTask(service, null));
    await changed('task.deleted', attioId, () => act(service, 'DELETE', `/tasks/${attioId}`));
    await isGone('tasks', attioId);
  },
  async 'comment.created'() {
    const recordId = personId(service, 13);
    const { change } = await made('comment.created', () => addComment(service, { recordId }).commentId);
    expect(change.data).toMatchObject({
      content: 'Interesting',
      author: { type: 'workspace-member' },
      resolvedAt: null,
      records: [{ object: 'people', recordId }],
    });
    const [entryId = ''] = idsIn(service, { list: 'recruiting' });
    const onEntry = await made('comment.created', () => addComment(service, { entryId }).commentId);
    expect(onEntry.change.data['entryId']).toBe(entryId);
  },
  async 'comment.resolved'() {
    const { threadId, head } = await thread();
    const change = await changed('comment.updated', head, () => sandbox().resolveThread(threadId, true));
    expect(change.changed).toEqual(['resolvedAt', 'resolvedBy']);
  },
  async 'comment.unresolved'() {
    const { threadId, head } = await thread();
    await changed('comment.updated', head, () => sandbox().resolveThread(threadId, true));
    const change = await changed('comment.updated', head, () => sandbox().resolveThread(threadId, false));
    expect(change.data['resolvedAt']).toBeNull();
  },
  async 'comment.deleted'() {
    const { head, answers } = await thread();
    const cursor = await service.latest();
    // Only the first one's event arrives: the thread goes with it.
    sandbox().addFault({ kind: 'drop-webhooks', match: { path: 'comment.deleted' } });
    act(service, 'DELETE', `/comments/${head}`);
    sandbox().clearFaults();
    await tell(service, 'comment.deleted', { comment_id: head }, { thread_id: head });
    for (const id of [head, ...answers]) await told(service, cursor, 'comment.deleted', id);
  },
  async 'workspace-member.created'() {
    const event = { workspace_member_id: randomUUID() };
    await asksAnew('GET /workspace_members', () => tell(service, 'workspace-member.created', event));
  },
  'call-recording.created': () =>
    isKept('call-recording.created', { meeting_id: randomUUID(), call_recording_id: randomUUID() }),
  'activity-attribute.created': () =>
    isKept('activity-attribute.created', { activity_id: randomUUID(), attribute_id: randomUUID() }),
};

async function thread(): Promise<{ threadId: string; head: string; answers: string[] }> {
  const cursor = await service.latest();
  const { commentId: head, threadId } = addComment(service, { recordId: personId(service, 14) });
  const answers = [1, 2].map(() => addComment(service, { threadId }).commentId);
  for (const id of [head, ...answers]) await told(service, cursor, 'comment.created', id);
  return { threadId, head, answers };
}

async function linksOf(kind: string, attioId: string): Promise<unknown[]> {
  const rows = await service.database.rows(
    `select record_id from item_link where kind = '${kind}' and item_id = '${attioId}'`,
  );
  return rows.map((row) => row['record_id']);
}

describe('every event that Attio documents', () => {
  test('is in the table', () => {
    expect(Object.keys(EFFECTS).toSorted()).toEqual(Object.keys(WEBHOOK_EVENTS).toSorted());
  });

  test.each(Object.entries(EFFECTS))('%s has its effect', async (_type, hasItsEffect) => {
    await hasItsEffect();
  });
});
