import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../mocks/test-client.ts';
import { type Receiver, startReceiver } from '../mocks/test-receiver.ts';
import { EVENT_TYPES } from '../mocks/webhooks/events.ts';

let attio: TestSandbox;
let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
  attio = await startTestSandbox({
    people: 2,
    companies: 2,
    deals: 0,
    deliverTo: receiver.url,
    deliveries: { retryBaseMs: 1, perSecond: 0 },
  });
});
afterEach(async () => {
  await Promise.all([attio.close(), receiver.close()]);
});

const ALL = EVENT_TYPES.map((event_type) => ({ event_type, filter: null }));
const subscribe = async (subscriptions: unknown[] = ALL) => {
  const data = { target_url: 'https://example.com/hook', subscriptions };
  return (await attio.api('POST', '/webhooks', { data })).body.data;
};
const events = async () => {
  await attio.sandbox.settled();
  return receiver.received.map((one) => one.json.events[0]);
};
const createPerson = async (values: Record<string, unknown>) =>
  (await attio.api('POST', '/objects/people/records', { data: { values } })).body.data;

describe('a delivery', () => {
  test('is signed over its raw bytes and carries ids only', async () => {
    const webhook = await subscribe();
    const person = await createPerson({ email_addresses: ['a@example.org'] });
    const [event] = await events();
    const [{ headers, body, json }] = receiver.received as [Receiver['received'][0]];
    const signature = createHmac('sha256', webhook.secret).update(body, 'utf8').digest('hex');
    expect(headers['attio-signature']).toBe(signature);
    expect(headers['x-attio-signature']).toBe(signature);
    expect(headers['content-type']).toBe('application/json');
    expect(headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
    expect(Object.keys(json)).toEqual(['webhook_id', 'events']);
    expect(json.webhook_id).toBe(webhook.id.webhook_id);
    expect(json.events).toHaveLength(1);
    expect(event).toEqual({
      event_type: 'record.created',
      id: person.id,
      actor: person.values.created_by[0].created_by_actor,
    });
  });

  test('comes from the API token for API writes and from the person for an edit', async () => {
    await subscribe([{ event_type: 'record.updated', filter: null }]);
    const person = await createPerson({});
    const recordId = person.id.record_id;
    await attio.api('PATCH', `/objects/people/records/${recordId}`, {
      data: { values: { job_title: ['x'] } },
    });
    const edit = await attio.control('POST', '/edit', {
      object: 'people',
      recordId,
      values: { job_title: ['y'] },
      actor: 'sam@example.com',
    });
    expect(edit.body.values.job_title[0].value).toBe('y');
    const [byToken, byPerson] = await events();
    expect(byToken.actor).toEqual({ type: 'api-token', id: person.values.created_by[0].referenced_actor_id });
    expect(byPerson.actor).toEqual({ type: 'workspace-member', id: attio.sandbox.world.members[1]?.id });
  });

  test('an update is one event per changed attribute, nothing changed is none', async () => {
    await subscribe();
    const person = await createPerson({ job_title: ['same'] });
    const values = {
      job_title: ['same'],
      description: ['new'],
      email_addresses: ['n@example.org'],
      vip: [true],
    };
    await attio.api('PATCH', `/objects/people/records/${person.id.record_id}`, { data: { values } });
    const updates = (await events()).filter((event) => event.event_type === 'record.updated');
    const attributes = await Promise.all(
      ['description', 'email_addresses', 'vip'].map(
        async (slug) =>
          (await attio.api('GET', `/objects/people/attributes/${slug}`)).body.data.id.attribute_id,
      ),
    );
    expect(updates.map((event) => event.id.attribute_id)).toEqual(attributes);
    expect(Object.keys(updates[0].id)).toEqual(['workspace_id', 'object_id', 'record_id', 'attribute_id']);
  });

  test('a merge is two events, one per original, both naming the new record', async () => {
    await subscribe([{ event_type: 'record.merged', filter: null }]);
    const [one, two] = [await createPerson({}), await createPerson({})];
    const [primary, secondary] = [one.id.record_id, two.id.record_id];
    const merged = await attio.control('POST', '/merge', {
      object: 'people',
      primaryRecordId: primary,
      secondaryRecordId: secondary,
    });
    const both = await events();
    expect(both.map((event) => event.duplicate_record_id)).toEqual([primary, secondary]);
    for (const event of both) {
      expect(event.id.record_id).toBe(merged.body.id.record_id);
      expect(event.duplicate_object_id).toBe(event.id.object_id);
    }
  });

  test('the other end of a written reference is an update of its own', async () => {
    const company = attio.sandbox.createRecord({
      object: 'companies',
      values: { domains: ['far.example.net'] },
    });
    await subscribe();
    await createPerson({ company: ['far.example.net'] });
    const [created, updated] = await events();
    expect(created.event_type).toBe('record.created');
    expect(updated).toMatchObject({
      event_type: 'record.updated',
      id: { record_id: (company['id'] as { record_id: string }).record_id },
    });
  });
});

/** Members of each event, from the reconstruction of the vendor's reference. */
const MEMBERS: Record<string, { id: string[]; other: string[] }> = {
  'list-entry.created': { id: ['list_id', 'entry_id'], other: ['parent_object_id', 'parent_record_id'] },
  'list-entry.updated': {
    id: ['list_id', 'entry_id', 'attribute_id'],
    other: ['parent_object_id', 'parent_record_id'],
  },
  'list-entry.deleted': { id: ['list_id', 'entry_id'], other: ['parent_object_id', 'parent_record_id'] },
  'note.created': { id: ['note_id'], other: ['parent_object_id', 'parent_record_id'] },
  'note.updated': { id: ['note_id'], other: ['parent_object_id', 'parent_record_id'] },
  'note-content.updated': { id: ['note_id'], other: ['parent_object_id', 'parent_record_id'] },
  'note.deleted': { id: ['note_id'], other: ['parent_object_id', 'parent_record_id'] },
  'task.created': { id: ['task_id'], other: [] },
  'task.updated': { id: ['task_id'], other: [] },
  'task.deleted': { id: ['task_id'], other: [] },
  'comment.created': {
    id: ['comment_id'],
    other: ['thread_id', 'object_id', 'record_id', 'list_id', 'entry_id'],
  },
  'comment.resolved': {
    id: ['comment_id'],
    other: ['thread_id', 'object_id', 'record_id', 'list_id', 'entry_id'],
  },
  'comment.unresolved': {
    id: ['comment_id'],
    other: ['thread_id', 'object_id', 'record_id', 'list_id', 'entry_id'],
  },
  'comment.deleted': {
    id: ['comment_id'],
    other: ['thread_id', 'object_id', 'record_id', 'list_id', 'entry_id'],
  },
  'list.created': { id: ['list_id'], other: [] },
  'list.updated': { id: ['list_id'], other: [] },
  'list-attribute.created': { id: ['list_id', 'attribute_id'], other: [] },
  'list-attribute.updated': { id: ['list_id', 'attribute_id'], other: [] },
  'object-attribute.created': { id: ['object_id', 'attribute_id'], other: [] },
  'object-attribute.updated': { id: ['object_id', 'attribute_id'], other: [] },
  'record.deleted': { id: ['object_id', 'record_id'], other: [] },
};

test('every surface fires its events, with the members they have', async () => {
  const person = await createPerson({});
  const record = { object: 'people', record_id: person.id.record_id };
  await subscribe();
  const send = async (method: string, path: string, data?: unknown) => {
    const { status, body } = await attio.api(method, path, data === undefined ? undefined : { data });
    expect(status, JSON.stringify(body)).toBe(200);
    return body.data;
  };
  const parent = { parent_object: 'people', parent_record_id: record.record_id };
  const entry = await send('POST', '/lists/recruiting/entries', { ...parent, entry_values: {} });
  await send('PATCH', `/lists/recruiting/entries/${entry.id.entry_id}`, {
    entry_values: { stage: ['Offer'] },
  });
  await send('DELETE', `/lists/recruiting/entries/${entry.id.entry_id}`);
  const note = await send('POST', '/notes', { ...parent, title: 't', format: 'plaintext', content: 'c' });
  await send('PATCH', `/notes/${note.id.note_id}`, { title: 'u' });
  await send('PATCH', `/notes/${note.id.note_id}`, { content: 'd' });
  await send('DELETE', `/notes/${note.id.note_id}`);
  const nothing = { deadline_at: null, is_completed: false, linked_records: [], assignees: [] };
  const task = await send('POST', '/tasks', { content: 'c', format: 'plaintext', ...nothing });
  await send('PATCH', `/tasks/${task.id.task_id}`, { is_completed: true });
  await send('DELETE', `/tasks/${task.id.task_id}`);
  const author = { type: 'workspace-member', id: attio.sandbox.world.members[0]?.id };
  const comment = await send('POST', '/comments', { format: 'plaintext', content: 'c', author, record });
  await attio.control('POST', '/resolve', { threadId: comment.thread_id });
  await attio.control('POST', '/resolve', { threadId: comment.thread_id, resolved: false });
  await send('DELETE', `/comments/${comment.id.comment_id}`);
  const access = { workspace_access: 'full-access', workspace_member_access: [] };
  const list = await send('POST', '/lists', { name: 'L', api_slug: 'l', parent_object: 'people', ...access });
  await send('PATCH', `/lists/${list.id.list_id}`, { name: 'M' });
  const plain = {
    description: null,
    is_required: false,
    is_unique: false,
    is_multiselect: false,
    config: {},
  };
  for (const path of ['/lists/l', '/objects/people']) {
    await send('POST', `${path}/attributes`, { ...plain, title: 'X', api_slug: 'x', type: 'text' });
    await send('PATCH', `${path}/attributes/x`, { title: 'Y' });
  }
  await send('DELETE', `/objects/people/records/${record.record_id}`);

  const fired = await events();
  expect(new Set(fired.map((event) => event.event_type))).toEqual(new Set(Object.keys(MEMBERS)));
  for (const event of fired) {
    const { id, other } = MEMBERS[event.event_type] ?? { id: [], other: [] };
    expect(Object.keys(event.id), event.event_type).toEqual(['workspace_id', ...id]);
    expect(Object.keys(event), event.event_type).toEqual(['event_type', 'id', ...other, 'actor']);
  }
  expect(attio.problems).toEqual([]);
});

describe('filters', () => {
  test('only what passes is delivered', async () => {
    const [token] = [(await createPerson({})).values.created_by[0].referenced_actor_id];
    await subscribe([
      {
        event_type: 'record.created',
        filter: { $and: [{ field: 'actor.id', operator: 'not_equals', value: token }] },
      },
      {
        event_type: 'record.deleted',
        filter: {
          $or: [
            { field: 'id.object_id', operator: 'equals', value: 'nothing' },
            { field: 'actor.type', operator: 'equals', value: 'workspace-member' },
          ],
        },
      },
    ]);
    const mine = await createPerson({});
    const theirs = await attio.control('POST', '/create', { object: 'people', values: {} });
    await attio.api('DELETE', `/objects/people/records/${mine.id.record_id}`);
    await attio.control('POST', '/delete', { object: 'people', recordId: theirs.body.id.record_id });
    expect((await events()).map((event) => [event.event_type, event.id.record_id])).toEqual([
      ['record.created', theirs.body.id.record_id],
      ['record.deleted', theirs.body.id.record_id],
    ]);
  });

  test('a filter on a list that is not there is refused', async () => {
    const filter = { $and: [{ field: 'id.list_id', operator: 'equals', value: crypto.randomUUID() }] };
    const data = {
      target_url: 'https://example.com/h',
      subscriptions: [{ event_type: 'list-entry.created', filter }],
    };
    const { status, body } = await attio.api('POST', '/webhooks', { data });
    expect([status, body.code, body.message]).toEqual([400, 'validation_type', 'Related list not found']);
  });
});

describe('delivery faults', () => {
  const create = async (count: number) => {
    const made: string[] = [];
    for (let index = 0; index < count; index += 1) made.push((await createPerson({})).id.record_id);
    return made;
  };
  const order = async () => (await events()).map((event) => event.id.record_id);

  test('a refused delivery is tried again with the same key and bytes', async () => {
    await subscribe();
    receiver.answers = [500, 404, 302];
    await create(1);
    await attio.sandbox.settled();
    expect(receiver.received).toHaveLength(4);
    expect(new Set(receiver.received.map((one) => one.headers['idempotency-key'])).size).toBe(1);
    expect(new Set(receiver.received.map((one) => one.body)).size).toBe(1);
    const { body } = await attio.control('GET', '/webhooks/deliveries');
    expect(body).toMatchObject([{ state: 'delivered', attempts: 4, lastStatus: 202 }]);
  });

  test('after ten retries it is given up and the webhook is degraded, but still served', async () => {
    const webhook = await subscribe();
    receiver.answers = Array.from({ length: 11 }, () => 500);
    await create(1);
    await attio.sandbox.settled();
    expect(receiver.received).toHaveLength(11);
    const status = async () =>
      (await attio.api('GET', `/webhooks/${webhook.id.webhook_id}`)).body.data.status;
    expect(await status()).toBe('degraded');
    await create(1);
    await attio.sandbox.settled();
    expect(receiver.received).toHaveLength(12);
    expect(await status()).toBe('active');
  });

  test('dropped, duplicated, reordered', async () => {
    await subscribe();
    attio.sandbox.addFault({ kind: 'drop-webhooks', count: 1 });
    const [dropped] = await create(1);
    attio.sandbox.addFault({ kind: 'duplicate-webhooks', count: 1 });
    const [twice] = await create(1);
    await attio.sandbox.settled();
    const keys = receiver.received.map((one) => one.headers['idempotency-key']);
    expect([keys.length, new Set(keys).size]).toEqual([2, 1]);
    attio.sandbox.addFault({ kind: 'reorder-webhooks', count: 1, ms: 60_000 });
    const [late, early, last] = await create(3);
    expect(await order()).toEqual([twice, twice, early, late, last]);
    expect(await order()).not.toContain(dropped);
  });

  test('a reordered delivery that nothing overtakes still comes', async () => {
    await subscribe();
    attio.sandbox.addFault({ kind: 'reorder-webhooks', ms: 1, match: { path: 'record.created' } });
    const [only] = await create(1);
    expect(await order()).toEqual([only]);
  });
});
