import {
  addListEntry,
  createAttioClient,
  createEntryId,
  createListId,
  createMatchingAttribute,
  createNote,
  createNoteParentObjectId,
  createNoteParentRecordId,
  createParentObjectId,
  createParentRecordId,
  createRecord,
  createRecordId,
  createRecordObjectId,
  createTask,
  deleteRecord,
  getRecord,
  getV2ByTargetByIdentifierAttributes,
  getV2Self,
  listLists,
  listNotes,
  listObjects,
  listTasks,
  listWorkspaceMembers,
  postV2Comments,
  postV2Webhooks,
  queryListEntries,
  queryRecords,
  searchRecords,
  updateListEntry,
  updateRecord,
  upsertRecord,
} from 'attio-ts-sdk';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../mocks/test-client.ts';

// A client written by others, from the vendor's newer specification: it parses every answer with schemas of its own.
// It refuses three nulls that live Attio sends (the id of the system actor, the currency of an attribute that has
// none, resolved_by of an open comment): the seeded people here have no interactions, and where the others come its
// schema is left out.
let attio: TestSandbox;
let client: ReturnType<typeof createAttioClient>;

beforeAll(async () => {
  attio = await startTestSandbox({ people: 0, companies: 3, deals: 0 });
  for (let index = 0; index < 12; index += 1) attio.sandbox.createRecord({ object: 'people', values: {} });
  client = createAttioClient({ apiKey: 'sdk-key', baseUrl: attio.url, cache: { enabled: false } });
});
afterAll(() => attio.close());
afterEach(() => {
  expect(attio.problems.splice(0)).toEqual([]);
});

const people = createRecordObjectId('people');
const unchecked = async () => {};
const recruiting = createListId('recruiting');

interface SdkRecord {
  readonly id: { readonly record_id: string };
  readonly values: Record<string, Record<string, unknown>[]>;
}

const read = (value: unknown) => value as SdkRecord;

test('who am I, and what is there', async () => {
  const self = await getV2Self({ client });
  expect(self.data).toMatchObject({ active: true, workspace_slug: 'sandbox-workspace' });
  expect((await listObjects({ client })).map((object) => object.api_slug)).toEqual([
    'people',
    'companies',
    'deals',
  ]);
  expect((await listLists({ client })).map((list) => list.api_slug)).toEqual(['recruiting', 'partnerships']);
  expect(await listWorkspaceMembers({ client })).toHaveLength(3);
  const path = { target: 'objects', identifier: 'deals' } as const;
  const attributes = await getV2ByTargetByIdentifierAttributes({
    client,
    path,
    responseValidator: unchecked,
  });
  expect(attributes.data?.data.map((one) => one.api_slug)).toContain('associated_people');
});

test('records: create, get, update, upsert, query, search, delete', async () => {
  const made = read(
    await createRecord({
      client,
      object: people,
      values: {
        name: [{ first_name: 'Sdk', last_name: 'Person', full_name: 'Sdk Person' }],
        email_addresses: [{ email_address: 'sdk@example.org' }],
        phone_numbers: [{ original_phone_number: '+15551234567' }],
        last_contacted_at: [{ value: '2026-01-02T03:04:05Z' }],
      },
    }),
  );
  const recordId = createRecordId(made.id.record_id);
  expect(read(await getRecord({ client, object: people, recordId })).values).toEqual(made.values);
  const updated = read(
    await updateRecord({ client, object: people, recordId, values: { job_title: [{ value: 'Buyer' }] } }),
  );
  expect(updated.values['job_title']).toMatchObject([{ value: 'Buyer' }]);
  const upserted = read(
    await upsertRecord({
      client,
      object: people,
      matchingAttribute: createMatchingAttribute('email_addresses'),
      values: { email_addresses: [{ email_address: 'SDK@example.org' }], vip: [{ value: true }] },
    }),
  );
  expect(upserted.id).toEqual(made.id);
  const found = await queryRecords({
    client,
    object: people,
    filter: { email_addresses: 'sdk@example.org' },
    limit: 10,
  });
  expect(found.map((one) => read(one).id)).toEqual([made.id]);
  const all = await queryRecords({ client, object: people, limit: 5, paginate: true });
  expect(all).toHaveLength(13);
  const searched = await searchRecords({
    client,
    query: 'sdk person',
    objects: ['people'],
    requestAs: { type: 'workspace' },
  });
  expect(searched).toHaveLength(1);
  await deleteRecord({ client, object: people, recordId });
  await expect(getRecord({ client, object: people, recordId })).rejects.toMatchObject({ status: 404 });
});

test('entries, notes, tasks, comments and webhooks', async () => {
  const person = read((await queryRecords({ client, object: people, limit: 1 }))[0]).id.record_id;
  const entry = await addListEntry({
    client,
    list: recruiting,
    parentObject: createParentObjectId('people'),
    parentRecordId: createParentRecordId(person),
    entryValues: { stage: [{ status: 'Applied' }], value: [{ currency_value: 5 }] },
  });
  const entryId = createEntryId((entry['id'] as { entry_id: string }).entry_id);
  await updateListEntry({ client, list: recruiting, entryId, entryValues: { stage: [{ status: 'Offer' }] } });
  const offers = await queryListEntries({ client, list: recruiting, filter: { stage: 'Offer' } });
  expect(offers.map((one) => (one['id'] as { entry_id: string }).entry_id)).toContain(entryId);

  const note = await createNote({
    client,
    parentObject: createNoteParentObjectId('people'),
    parentRecordId: createNoteParentRecordId(person),
    title: 'From the SDK',
    format: 'markdown',
    content: '**bold**',
  });
  expect(note.content_plaintext).toBe('bold');
  expect(
    await listNotes({
      client,
      parentObject: createNoteParentObjectId('people'),
      parentRecordId: createNoteParentRecordId(person),
    }),
  ).toHaveLength(1);

  const task = await createTask({
    client,
    data: {
      content: 'Call',
      format: 'plaintext',
      deadline_at: null,
      is_completed: false,
      linked_records: [{ target_object: 'people', target_record_id: person }],
      assignees: [{ workspace_member_email_address: 'sam@example.com' }],
    },
  });
  expect(task.linked_records).toEqual([{ target_object_id: 'people', target_record_id: person }]);
  expect(await listTasks({ client })).toHaveLength(1);

  const author = { type: 'workspace-member', id: attio.sandbox.world.members[0]?.id ?? '' } as const;
  const record = { object: 'people', record_id: person };
  const comment = await postV2Comments({
    client,
    responseValidator: unchecked,
    body: { data: { format: 'plaintext', content: 'Hi', author, record } },
  });
  expect(comment.data).toMatchObject({ data: { content_plaintext: 'Hi' } });
  const webhook = await postV2Webhooks({
    client,
    body: {
      data: {
        target_url: 'https://example.com/sdk',
        subscriptions: [{ event_type: 'note.created', filter: null }],
      },
    },
  });
  expect(webhook.data).toMatchObject({ data: { status: 'active', secret: expect.any(String) } });
});
