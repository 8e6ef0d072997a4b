import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AttioClient } from '../../../src/attio/client.ts';
import { attioError, freezeTime, inTurn, json, makeClient, settled, unreachable } from './support.ts';

beforeEach(freezeTime);
afterEach(() => {
  vi.useRealTimers();
});

const at = '2026-01-01T00:00:00.000000000Z';
const id = {
  workspace_id: 'w',
  object_id: 'o',
  list_id: 'l',
  attribute_id: 'a',
  option_id: 'x',
  status_id: 's',
  note_id: 'n',
  task_id: 't',
  comment_id: 'c',
  thread_id: 'th',
  workspace_member_id: 'm',
  webhook_id: 'h',
  entry_id: 'e',
  record_id: 'r',
};
/** Fits every schema at once. */
const ANY = {
  id,
  created_at: at,
  api_slug: 'slug',
  type: 'text',
  title: 'T',
  values: {},
  entry_values: {},
  parent_record_id: 'r',
  parent_object: 'people',
  is_completed: false,
  thread_id: 'th',
  email_address: 'a@b.c',
  target_url: 'https://x.test',
  status: 'active',
};
const LIST = { ...ANY, parent_object: ['people'] };
const OF_PEOPLE = { target: 'objects', identifier: 'people' } as const;

const values = { name: [{ value: 'x' }] };
const note = {
  parent_object: 'people',
  parent_record_id: 'r',
  title: 'T',
  format: 'plaintext',
  content: 'c',
} as const;
const task = {
  content: 'c',
  format: 'plaintext',
  deadline_at: null,
  is_completed: false,
  linked_records: [],
  assignees: [],
} as const;
const comment = {
  thread_id: 'th',
  format: 'plaintext',
  content: 'c',
  author: { type: 'workspace-member', id: 'm' },
} as const;
const webhook = {
  target_url: 'https://x.test',
  subscriptions: [{ event_type: 'record.created', filter: null }],
};
const entry = { parentRecordId: 'r', parentObject: 'people', values };
const wireEntry = { parent_record_id: 'r', parent_object: 'people', entry_values: values };
const attribute = {
  title: 'External id',
  api_slug: 'external_id',
  type: 'text',
  description: null,
  is_required: false,
  is_unique: true,
  is_multiselect: false,
  config: {},
};
const where = { object: 'people', recordId: 'r', attribute: 'name' };

interface Row {
  readonly call: (client: AttioClient) => Promise<unknown>;
  readonly sends: string;
  readonly body: unknown;
  readonly answer: unknown;
}

function row(call: Row['call'], sends: string, body?: unknown, answer: unknown = ANY): Row {
  return { call, sends, body, answer };
}

const READS: readonly Row[] = [
  row((c) => c.objects.list(), 'GET /objects', undefined, [ANY]),
  row((c) => c.objects.get('people'), 'GET /objects/people'),
  row(
    (c) => c.attributes.list(OF_PEOPLE, { limit: 5, offset: 10, showArchived: true }),
    'GET /objects/people/attributes?limit=5&offset=10&show_archived=true',
    undefined,
    [ANY],
  ),
  row((c) => c.attributes.all(OF_PEOPLE), 'GET /objects/people/attributes?limit=500&offset=0', undefined, [
    ANY,
  ]),
  row((c) => c.attributes.get(OF_PEOPLE, 'name'), 'GET /objects/people/attributes/name'),
  row((c) => c.attributes.options(OF_PEOPLE, 'x'), 'GET /objects/people/attributes/x/options', undefined, [
    ANY,
  ]),
  row(
    (c) => c.attributes.statuses({ target: 'lists', identifier: 'sales' }, 'stage', { showArchived: true }),
    'GET /lists/sales/attributes/stage/statuses?show_archived=true',
    undefined,
    [ANY],
  ),
  row((c) => c.records.get('people', 'r'), 'GET /objects/people/records/r'),
  row(
    (c) => c.records.values(where, { showHistoric: true, limit: 2 }),
    'GET /objects/people/records/r/attributes/name/values?show_historic=true&limit=2',
    undefined,
    [],
  ),
  row(
    (c) => c.records.entries('people', 'r', { limit: 1000 }),
    'GET /objects/people/records/r/entries?limit=1000',
    undefined,
    [{ list_id: 'l', entry_id: 'e', created_at: at }],
  ),
  row((c) => c.lists.list(), 'GET /lists', undefined, [LIST]),
  row((c) => c.lists.get('sales'), 'GET /lists/sales', undefined, LIST),
  row((c) => c.entries.get('sales', 'e'), 'GET /lists/sales/entries/e'),
  row(
    (c) => c.entries.values({ list: 'sales', entryId: 'e', attribute: 'stage' }),
    'GET /lists/sales/entries/e/attributes/stage/values',
    undefined,
    [],
  ),
  row(
    (c) => c.notes.list({ parentObject: 'people', parentRecordId: 'r', limit: 50 }),
    'GET /notes?limit=50&parent_object=people&parent_record_id=r',
    undefined,
    [ANY],
  ),
  row((c) => c.notes.get('n'), 'GET /notes/n'),
  row(
    (c) => c.tasks.list({ linkedObject: 'people', linkedRecordId: 'r', isCompleted: false }, { limit: 500 }),
    'GET /tasks?limit=500&linked_object=people&linked_record_id=r&is_completed=false',
    undefined,
    [ANY],
  ),
  row((c) => c.tasks.get('t'), 'GET /tasks/t'),
  row((c) => c.comments.get('c'), 'GET /comments/c'),
  row(
    (c) => c.threads.list({ object: 'people', recordId: 'r' }),
    'GET /threads?object=people&record_id=r',
    undefined,
    [ANY],
  ),
  row(
    (c) => c.threads.list({ list: 'sales', entryId: 'e' }, { limit: 50 }),
    'GET /threads?list=sales&entry_id=e&limit=50',
    undefined,
    [ANY],
  ),
  row((c) => c.threads.get('th'), 'GET /threads/th'),
  row((c) => c.members.list(), 'GET /workspace_members', undefined, [ANY]),
  row((c) => c.members.get('m'), 'GET /workspace_members/m'),
  row((c) => c.webhooks.all(), 'GET /webhooks?limit=100&offset=0', undefined, [ANY]),
  row((c) => c.webhooks.get('h'), 'GET /webhooks/h'),
];

const WRITES: readonly Row[] = [
  row((c) => c.attributes.create(OF_PEOPLE, attribute), 'POST /objects/people/attributes', attribute),
  row((c) => c.records.create('people', values), 'POST /objects/people/records', { values }),
  row(
    (c) => c.records.assert('people', 'email_addresses', values),
    'PUT /objects/people/records?matching_attribute=email_addresses',
    { values },
  ),
  row((c) => c.records.update('people', 'r', values), 'PATCH /objects/people/records/r', { values }),
  row((c) => c.records.replace('people', 'r', values), 'PUT /objects/people/records/r', { values }),
  row((c) => c.entries.create('sales', entry), 'POST /lists/sales/entries', wireEntry),
  row((c) => c.entries.assert('sales', entry), 'PUT /lists/sales/entries', wireEntry),
  row((c) => c.entries.update('sales', 'e', values), 'PATCH /lists/sales/entries/e', {
    entry_values: values,
  }),
  row((c) => c.entries.replace('sales', 'e', values), 'PUT /lists/sales/entries/e', { entry_values: values }),
  row((c) => c.notes.create(note), 'POST /notes', note),
  row((c) => c.notes.update('n', { title: 'New' }), 'PATCH /notes/n', { title: 'New' }),
  row((c) => c.tasks.create(task), 'POST /tasks', task),
  row((c) => c.tasks.update('t', { is_completed: true }), 'PATCH /tasks/t', { is_completed: true }),
  row((c) => c.comments.create(comment), 'POST /comments', comment),
  row((c) => c.webhooks.create(webhook), 'POST /webhooks', webhook),
  row((c) => c.webhooks.update('h', webhook), 'PATCH /webhooks/h', webhook),
];

const DELETIONS: readonly Row[] = [
  row((c) => c.records.delete('people', 'r'), 'DELETE /objects/people/records/r'),
  row((c) => c.entries.delete('sales', 'e'), 'DELETE /lists/sales/entries/e'),
  row((c) => c.notes.delete('n'), 'DELETE /notes/n'),
  row((c) => c.tasks.delete('t'), 'DELETE /tasks/t'),
  row((c) => c.comments.delete('c'), 'DELETE /comments/c'),
  row((c) => c.webhooks.delete('h'), 'DELETE /webhooks/h'),
];

describe('reads', () => {
  it.each(READS)('$sends', async ({ call, sends, answer }) => {
    const { client, sent, waits } = makeClient(json(200, { data: answer }));
    await call(client);
    expect(sent.map(({ method, path, body }) => [`${method} ${path}`, body])).toEqual([[sends, undefined]]);
    expect(waits.map(({ lane }) => lane)).toEqual(['read']);
  });
});

describe('writes', () => {
  it.each(WRITES)('$sends', async ({ call, sends, body: data }) => {
    const { client, sent, waits } = makeClient(json(200, { data: ANY }));
    await expect(call(client)).resolves.toMatchObject({ data: { id } });
    expect(sent.map(({ method, path, body }) => [`${method} ${path}`, body])).toEqual([[sends, { data }]]);
    expect(waits.map(({ lane }) => lane)).toEqual(['write']);
  });

  it.each(WRITES)('$sends again after a lost answer only if it may be', async ({ call, sends }) => {
    const { client, sent } = makeClient(inTurn(unreachable, json(200, { data: ANY })));
    const { error } = await settled(call(client));
    expect([error === undefined, sent.length]).toEqual(sends.startsWith('POST') ? [false, 1] : [true, 2]);
  });
});

describe('deletions', () => {
  it.each(DELETIONS)('$sends, and is done when nothing is there', async ({ call, sends }) => {
    const { client, sent } = makeClient(inTurn(json(200, {}), attioError(404, 'not_found')));
    expect(await settled(call(client))).toEqual({ value: { alreadyGone: false } });
    expect(await settled(call(client))).toEqual({ value: { alreadyGone: true } });
    expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual([sends, sends]);
  });

  it('are not done when the way to Attio is wrong', async () => {
    const { client } = makeClient(() => new Response('nginx', { status: 404 }));
    await expect(client.records.delete('people', 'r')).rejects.toMatchObject({ kind: 'misrouted' });
  });
});
