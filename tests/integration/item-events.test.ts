import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { act, addEntry, addNote, addTask, items, living, personId, tell, told } from '../support/items.ts';
import { startService, type TestService, until } from '../support/service.ts';

let service: TestService;

beforeAll(async () => {
  service = await startService({ sandbox: { people: 30, companies: 5, deals: 5 } });
  await service.sync('all');
});
afterAll(() => service[Symbol.asyncDispose]());
afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const sandbox = () => service.sandbox.sandbox;

describe('events about items', () => {
  test('that are delivered twice, or again later, have one effect', async () => {
    const cursor = await service.latest();
    sandbox().addFault({ kind: 'duplicate-webhooks' });
    const taskId = addTask(service, null, 'Only once');
    await told(service, cursor, 'task.created', taskId);
    sandbox().clearFaults();
    await tell(service, 'task.created', { task_id: taskId });
    await sandbox().settled();
    await service.settled();
    expect((await service.changes(cursor)).data.map((row) => row.type)).toEqual(['task.created']);
  });

  test('that come in the wrong order leave it gone', async () => {
    const noteId = addNote(service, personId(service, 20));
    act(service, 'DELETE', `/notes/${noteId}`);
    await sandbox().settled();
    await service.settled();
    const cursor = await service.latest();
    await tell(service, 'note.deleted', { note_id: noteId });
    await tell(service, 'note.created', { note_id: noteId });
    await service.settled();
    expect(await living(service, 'notes')).not.toContain(noteId);
    expect((await service.changes(cursor)).data).toEqual([]);
  });

  test('that never was, and of a list that is not there, change nothing', async () => {
    const cursor = await service.latest();
    const before = await items(service, 'entries');
    await tell(service, 'task.updated', { task_id: randomUUID() });
    await tell(service, 'comment.resolved', { comment_id: randomUUID() }, { thread_id: randomUUID() });
    const unknown = { list_id: randomUUID(), entry_id: randomUUID(), attribute_id: randomUUID() };
    await tell(service, 'list-entry.updated', unknown);
    await service.settled();
    const { body } = await service.get<string>('/metrics');
    expect(body).toContain('webhook_events_total{type="list-entry.updated",outcome="ignored"} 1');
    expect((await service.changes(cursor)).data).toEqual([]);
    expect(await items(service, 'entries')).toEqual(before);
    expect((await service.get<{ data: unknown[] }>('/v1/dead-letters')).body.data).toEqual([]);
  });

  test('that come while Attio is down wait, and have their effect when it is back', async () => {
    const cursor = await service.latest();
    sandbox().addFault({ kind: 'disconnect' });
    const noteId = addNote(service, personId(service, 21), 'Amid the outage');
    const entryId = addEntry(service, personId(service, 21));
    await sandbox().settled();
    await until(async () => (await service.get<{ status: string }>('/health')).body.status === 'degraded');
    expect(await service.pending()).toBeGreaterThan(0);
    sandbox().clearFaults();
    await told(service, cursor, 'note.created', noteId);
    await told(service, cursor, 'entry.created', entryId);
    await service.settled();
    expect((await service.get<{ data: unknown[] }>('/v1/dead-letters')).body.data).toEqual([]);
  });

  test('that the token may not read hold up none of the others', async () => {
    const cursor = await service.latest();
    sandbox().addFault({ kind: 'status', status: 403, match: { path: '/notes/*' } });
    const noteId = addNote(service, personId(service, 22), 'Not for everybody');
    const taskId = addTask(service, null, 'For everybody');
    await told(service, cursor, 'task.created', taskId);
    sandbox().clearFaults();
    await told(service, cursor, 'note.created', noteId);
    // The vendor's document declares no 403 for notes.
    expect(takeViolations().every((violation) => violation.includes('403'))).toBe(true);
  });
});
