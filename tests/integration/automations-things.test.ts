import { afterEach, expect, test } from 'vitest';
import { on, type Thing } from '../../src/services/automations/automation.ts';
import { recordIds } from '../support/automations.ts';
import { takeViolations } from '../support/exchanges.ts';
import { startService, until } from '../support/service.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

interface Seen {
  readonly type: string;
  readonly thing: Thing | null;
  readonly changed: string | null;
}

test('entries, notes, tasks and comments come to automations as the REST shows them, the deleted ones too', async () => {
  const seen: Seen[] = [];
  const noting = on(
    [
      'list-entry.created',
      'list-entry.updated',
      'list-entry.deleted',
      'note.created',
      'task.created',
      'task.deleted',
      'comment.created',
    ],
    {
      name: 'noting',
      async run({ event: { type }, thing, changed }) {
        seen.push({ type, thing, changed });
      },
    },
  );
  await using service = await startService({
    sandbox: { people: 4, companies: 1, deals: 1 },
    overrides: { automations: [noting] },
  });
  await service.sync('people');
  const [recordId = ''] = recordIds(service);
  const { sandbox } = service.sandbox;
  const act = <T>(method: 'POST' | 'PATCH' | 'DELETE', path: string, data?: unknown) =>
    sandbox.act({ method, path, ...(data === undefined ? {} : { body: { data } }) }) as T;
  const last = async (type: string) => {
    await until(async () => seen.some((one) => one.type === type));
    return seen.find((one) => one.type === type);
  };
  const about = { parent_object: 'people', parent_record_id: recordId };

  const { id: entry } = act<{ id: { entry_id: string } }>('POST', '/lists/recruiting/entries', {
    ...about,
    entry_values: { stage: ['Applied'] },
  });
  expect((await last('list-entry.created'))?.thing).toMatchObject({
    kind: 'entry',
    list: 'recruiting',
    object: 'people',
    recordId,
    stage: { title: 'Applied' },
    stageSlug: 'stage',
    stageSince: expect.stringMatching(/^20.*Z$/),
  });
  act('PATCH', `/lists/recruiting/entries/${entry.entry_id}`, { entry_values: { tags: ['Remote'] } });
  expect(await last('list-entry.updated')).toMatchObject({ changed: 'tags', thing: { kind: 'entry' } });
  act('DELETE', `/lists/recruiting/entries/${entry.entry_id}`);
  expect(await last('list-entry.deleted')).toMatchObject({
    thing: { list: 'recruiting', recordId, deletedAt: expect.any(String) },
  });

  const note = { ...about, title: 'Call', format: 'plaintext', content: 'They called.' };
  const { id: noteId } = act<{ id: { note_id: string } }>('POST', '/notes', note);
  const { thing: theNote } = (await last('note.created')) ?? {};
  expect(theNote).toMatchObject({ kind: 'note', title: 'Call', recordId, attioId: noteId.note_id });

  const { id: taskId } = act<{ id: { task_id: string } }>('POST', '/tasks', {
    content: 'Call back',
    format: 'plaintext',
    deadline_at: null,
    is_completed: false,
    linked_records: [{ target_object: 'people', target_record_id: recordId }],
    assignees: [{ workspace_member_email_address: 'robin@example.com' }],
  });
  expect((await last('task.created'))?.thing).toMatchObject({
    kind: 'task',
    content: 'Call back',
    linkedRecords: [{ object: 'people', recordId }],
    assignees: [{ email: 'robin@example.com' }],
    deletedAt: null,
  });
  act('DELETE', `/tasks/${taskId.task_id}`);
  expect((await last('task.deleted'))?.thing).toMatchObject({
    kind: 'task',
    content: 'Call back',
    deletedAt: expect.any(String),
  });

  const [member] = sandbox.act({ method: 'GET', path: '/workspace_members' }) as {
    id: { workspace_member_id: string };
  }[];
  act('POST', '/comments', {
    format: 'plaintext',
    content: 'Well done',
    author: { type: 'workspace-member', id: member?.id.workspace_member_id },
    record: { object: 'people', record_id: recordId },
  });
  expect((await last('comment.created'))?.thing).toMatchObject({
    kind: 'comment',
    content: 'Well done',
    object: 'people',
    recordId,
  });
});
