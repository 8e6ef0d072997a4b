import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from '../mocks/test-client.ts';

let attio: TestSandbox;

beforeAll(async () => {
  attio = await startTestSandbox({ people: 30, companies: 6, deals: 4 });
});
afterAll(() => attio.close());
beforeEach(() => attio.sandbox.reset());
afterEach(() => {
  expect(attio.problems.splice(0)).toEqual([]);
});

const get = async (path: string) => (await attio.api('GET', path)).body.data;
const post = async (path: string, data: unknown) => {
  const { status, body } = await attio.api('POST', path, { data });
  expect(status, JSON.stringify(body)).toBe(200);
  return body.data;
};
const refusal = async (method: string, path: string, body?: unknown) => {
  const answer = await attio.api(method, path, body);
  return [answer.status, answer.body.code];
};
const firstPerson = async () =>
  (await attio.api('POST', '/objects/people/records/query', { limit: 1 })).body.data[0].id
    .record_id as string;
const titles = (items: { title: string }[]) => items.map((item) => item.title);

describe('notes', () => {
  test('a note is made in markdown, read both ways, changed and deleted', async () => {
    const parent = await firstPerson();
    const made = await post('/notes', {
      parent_object: 'people',
      parent_record_id: parent,
      title: 'Call',
      format: 'markdown',
      content: '# Plan\n**Buy** [this](https://example.com)',
    });
    expect(made.content_plaintext).toBe('Plan\nBuy this');
    const path = `/notes/${made.id.note_id}`;
    expect(await get(path)).toEqual(made);
    const patched = await attio.api('PATCH', path, { data: { title: 'Second call', content: 'Other' } });
    expect(patched.body.data).toMatchObject({
      title: 'Second call',
      content_markdown: 'Other',
      parent_record_id: parent,
    });
    expect(await get(`/notes?parent_object=people&parent_record_id=${parent}`)).toHaveLength(1);
    expect(await get(`/notes?parent_object=companies`)).toEqual([]);
    expect(await refusal('GET', '/notes?limit=51')).toEqual([400, 'validation_type']);
    await attio.api('DELETE', path);
    expect(await refusal('GET', path)).toEqual([404, 'not_found']);
    expect(await refusal('POST', '/notes', { parent_object: 'people', title: 'flat' })).toEqual([
      400,
      'validation_type',
    ]);
  });

  test('ten are listed unless more are asked for', async () => {
    const parent = await firstPerson();
    const note = { parent_object: 'people', parent_record_id: parent, format: 'plaintext', content: '' };
    for (let index = 0; index < 12; index += 1) await post('/notes', { ...note, title: `n${index}` });
    expect(await get('/notes')).toHaveLength(10);
    expect(titles(await get('/notes?limit=50&offset=11'))).toEqual(['n11']);
  });
});

describe('tasks', () => {
  const task = {
    content: 'Call',
    format: 'plaintext',
    deadline_at: null,
    is_completed: false,
    linked_records: [],
    assignees: [],
  };

  test('a task is made, found, completed and deleted', async () => {
    const [member] = await get('/workspace_members');
    const person = await firstPerson();
    const made = await post('/tasks', {
      ...task,
      deadline_at: '2026-12-24',
      linked_records: [{ target_object: 'people', target_record_id: person }],
      assignees: [{ workspace_member_email_address: member.email_address }],
    });
    expect(made).toMatchObject({
      content_plaintext: 'Call',
      deadline_at: '2026-12-24T00:00:00.000000000Z',
      completed_at: null,
    });
    const path = `/tasks/${made.id.task_id}`;
    expect(await get(path)).toEqual(made);
    await post('/tasks', { ...task, content: 'Other' });
    expect(await get(`/tasks?linked_object=people&linked_record_id=${person}`)).toEqual([made]);
    expect(await get(`/tasks?assignee=${member.email_address}`)).toEqual([made]);
    expect(await get('/tasks?assignee=null&sort=created_at:desc')).toHaveLength(1);
    const done = await attio.api('PATCH', path, { data: { is_completed: true, assignees: [] } });
    expect(done.body.data).toMatchObject({ is_completed: true, assignees: [] });
    expect(done.body.data.completed_at).not.toBeNull();
    expect(await get('/tasks?is_completed=true')).toHaveLength(1);
    await attio.api('DELETE', path);
    expect(await refusal('GET', path)).toEqual([404, 'not_found']);
  });

  test('every field must be there, content cannot be changed', async () => {
    const { linked_records: _, ...missing } = task;
    expect(await refusal('POST', '/tasks', { data: missing })).toEqual([400, 'validation_type']);
    expect(await refusal('POST', '/tasks', { data: { ...task, content: 'x'.repeat(2001) } })).toEqual([
      400,
      'validation_type',
    ]);
    const made = await post('/tasks', task);
    expect(await refusal('PATCH', `/tasks/${made.id.task_id}`, { data: { content: 'x' } })).toEqual([
      400,
      'validation_type',
    ]);
  });
});

describe('comments and threads', () => {
  test('a thread begins on a record, is answered, and dies with its first comment', async () => {
    const person = await firstPerson();
    const [member] = await get('/workspace_members');
    const author = { type: 'workspace-member', id: member.id.workspace_member_id };
    const comment = { format: 'plaintext', content: 'Hi', author };
    const head = await post('/comments', { ...comment, record: { object: 'people', record_id: person } });
    expect(head.thread_id).toBe(head.id.comment_id);
    expect(head).toMatchObject({
      entry: null,
      resolved_at: null,
      resolved_by: null,
      record: { record_id: person },
    });
    const reply = await post('/comments', { ...comment, thread_id: head.thread_id });
    const thread = await get(`/threads/${head.thread_id}`);
    expect(thread.comments).toEqual([head, reply]);
    expect(await get(`/threads?object=people&record_id=${person}`)).toEqual([thread]);
    expect(await get(`/comments/${reply.id.comment_id}`)).toEqual(reply);
    attio.sandbox.resolveThread(head.thread_id, true);
    expect((await get(`/comments/${head.id.comment_id}`)).resolved_at).not.toBeNull();
    await attio.api('DELETE', `/comments/${head.id.comment_id}`);
    expect(await refusal('GET', `/comments/${reply.id.comment_id}`)).toEqual([404, 'not_found']);
    expect(await refusal('GET', `/threads/${head.thread_id}`)).toEqual([404, 'not_found']);
    expect(await refusal('POST', '/comments', { data: { ...comment, thread_id: head.thread_id } })).toEqual([
      400,
      'value_not_found',
    ]);
  });

  test('a thread can begin on an entry', async () => {
    const [entry] = (await attio.api('POST', '/lists/recruiting/entries/query', { limit: 1 })).body.data;
    const [member] = await get('/workspace_members');
    const place = { list: 'recruiting', entry_id: entry.id.entry_id };
    const author = { type: 'workspace-member', id: member.id.workspace_member_id };
    const made = await post('/comments', { format: 'plaintext', content: 'Hi', author, entry: place });
    expect(made.entry).toEqual({ entry_id: entry.id.entry_id, list_id: entry.id.list_id });
    expect(made.record.record_id).toBe(entry.parent_record_id);
    expect(await get(`/threads?list=recruiting&entry_id=${entry.id.entry_id}`)).toHaveLength(1);
  });
});
