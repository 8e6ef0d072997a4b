import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import {
  act,
  addComment,
  addEntry,
  addNote,
  addTask,
  asked,
  idsIn,
  items,
  living,
  personId,
} from '../support/items.ts';
import { type Run, startService, type TestService, until } from '../support/service.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const SMALL = { people: 60, companies: 10, deals: 5 };

function start(
  sandbox: Record<string, unknown> = SMALL,
  env: Record<string, string> = {},
): Promise<TestService> {
  return startService({ sandbox, env, subscribe: false });
}

describe('a full sync of a list', () => {
  test('mirrors its entries, and a second one writes none', async () => {
    await using service = await start();
    const entryIds = idsIn(service, { list: 'recruiting' });
    const first = await service.sync('lists/recruiting');
    expect(first).toMatchObject({
      object: 'lists/recruiting',
      status: 'succeeded',
      seen: entryIds.length,
      created: entryIds.length,
    });
    expect(await living(service, 'entries')).toEqual(entryIds.toSorted());
    const before = await items(service, 'entries');
    const second = await service.sync('lists/recruiting');
    expect(second).toMatchObject({ status: 'succeeded', created: 0, updated: 0, unchanged: entryIds.length });
    expect(await items(service, 'entries')).toEqual(before);
  });

  test('finds what was changed and deleted behind its back', async () => {
    await using service = await start();
    await service.sync('lists/recruiting');
    const [changed = '', deleted = ''] = idsIn(service, { list: 'recruiting' });
    act(service, 'PATCH', `/lists/recruiting/entries/${changed}`, { entry_values: { value: [77] } });
    act(service, 'DELETE', `/lists/recruiting/entries/${deleted}`);
    const cursor = await service.latest();
    const run = await service.sync('lists/recruiting');
    expect(run).toMatchObject({ status: 'succeeded', updated: 1, deleted: 1 });
    expect((await service.changes(cursor)).data.map((row) => [row.type, row.id])).toEqual([
      ['entry.updated', changed],
      ['entry.deleted', deleted],
    ]);
  });

  test('does not delete suspiciously much, unless told to', async () => {
    await using service = await start({ people: 600, companies: 0, deals: 0 });
    const entryIds = idsIn(service, { list: 'recruiting' });
    await service.sync('lists/recruiting');
    for (const id of entryIds.slice(0, 51)) act(service, 'DELETE', `/lists/recruiting/entries/${id}`);
    const braked = await service.sync('lists/recruiting');
    expect(braked).toMatchObject({ status: 'failed', deleted: 0 });
    expect(braked.error).toMatch(/51 of 60 entries of recruiting .* force=true/);
    expect(await living(service, 'entries')).toHaveLength(60);
    const forced = await service.sync('lists/recruiting', '&force=true');
    expect(forced).toMatchObject({ status: 'succeeded', deleted: 51 });
  });

  test('that a stop cut off goes on under the same id', async () => {
    await using service = await start({ people: 12_000, companies: 0, deals: 0, latencyMs: 30 });
    const { body } = await service.call<{ data: { runId: string } }>('POST', '/v1/sync/lists/recruiting');
    const path = `/v1/sync/runs/${body.data.runId}`;
    const run = async () => (await service.get<{ data: Run }>(path)).body.data;
    await until(async () => (await run()).pages >= 1);
    await service.stop();
    const readBefore = asked(service, 'POST /lists/{list}/entries/query');
    await service.start();
    await until(async () => (await run()).status !== 'running');
    expect(await run()).toMatchObject({ status: 'succeeded', seen: 1_200, created: 1_200 });
    // Pages of 500 with an overlap of 20: three, one look beyond the end per width, less what was read before.
    expect(asked(service, 'POST /lists/{list}/entries/query') - readBefore).toBeLessThanOrEqual(3 + 4 - 1);
  });

  test('that is unknown or not mirrored is 404, and says which there are', async () => {
    await using service = await start(SMALL, { SYNC_LISTS: 'partnerships' });
    const unknown = await service.call<{ detail: string }>('POST', '/v1/sync/lists/recruitng');
    expect(unknown.status).toBe(404);
    expect(unknown.body.detail).toMatch(/Did you mean "recruiting".*partnerships/);
    const other = await service.call<{ detail: string }>('POST', '/v1/sync/lists/recruiting');
    expect(other.status).toBe(404);
    expect(other.body.detail).toMatch(/not mirrored.*SYNC_LISTS names partnerships/);
    expect((await service.sync('lists/partnerships')).status).toBe('succeeded');
  });
});

describe('a full sync of notes and tasks', () => {
  test('mirrors them all, and finds what is gone', async () => {
    await using service = await start();
    const notes = Array.from({ length: 120 }, (_, index) =>
      addNote(service, personId(service, index % 60), `Note ${index}`),
    );
    const tasks = Array.from({ length: 30 }, (_, index) => addTask(service, null, `Task ${index}`));
    expect(await service.sync('notes')).toMatchObject({ status: 'succeeded', seen: 120, created: 120 });
    expect(await service.sync('tasks')).toMatchObject({ status: 'succeeded', seen: 30, created: 30 });
    expect(await living(service, 'notes')).toEqual(notes.toSorted());
    const before = [await items(service, 'notes'), await items(service, 'tasks')];
    expect(await service.sync('notes')).toMatchObject({ unchanged: 120, created: 0, updated: 0 });
    expect(await service.sync('tasks')).toMatchObject({ unchanged: 30, created: 0, updated: 0 });
    expect([await items(service, 'notes'), await items(service, 'tasks')]).toEqual(before);
    for (const id of notes.slice(10, 20)) act(service, 'DELETE', `/notes/${id}`);
    act(service, 'DELETE', `/tasks/${tasks[3]}`);
    expect(await service.sync('notes')).toMatchObject({ status: 'succeeded', deleted: 10 });
    expect(await service.sync('tasks')).toMatchObject({ status: 'succeeded', deleted: 1 });
    expect(await living(service, 'notes')).toHaveLength(110);
  });

  test('that the token may not read fails at once with what it lacks, and the others go on', async () => {
    await using service = await start();
    const scopes = ['record_permission:read-write', 'object_configuration:read', 'list_configuration:read'];
    const { sandbox } = service.sandbox;
    sandbox.setToken('sandbox-token', true, [
      ...scopes,
      'list_entry:read',
      'task:read',
      'user_management:read',
    ]);
    addTask(service, null);
    const run = await service.sync('all');
    const ended = run.runs?.map(({ object, status }) => [object, status]);
    expect(ended).toEqual([
      ['people', 'succeeded'],
      ['companies', 'succeeded'],
      ['deals', 'succeeded'],
      ['lists/recruiting', 'succeeded'],
      ['lists/partnerships', 'succeeded'],
      ['notes', 'failed'],
      ['tasks', 'succeeded'],
    ]);
    expect(run.status).toBe('failed');
    expect(run.error).toMatch(/^notes: the token may not read this: it needs the scopes note:read/);
    expect(run.error).not.toContain('tasks:');
    sandbox.setToken('sandbox-token', true, scopes.slice(0, 2));
    const less = await service.sync('lists/recruiting');
    expect(less.error).toMatch(/list_entry:read/);
    // The vendor's document declares no 403 here.
    expect(takeViolations().every((violation) => violation.includes('403'))).toBe(true);
  });
});

describe('a full sync of all', () => {
  test('takes objects, lists, notes and tasks, in this order', async () => {
    await using service = await start();
    const run = await service.sync('all');
    expect(run.status).toBe('succeeded');
    expect(run.runs?.map((part) => part.object)).toEqual([
      'people',
      'companies',
      'deals',
      'lists/recruiting',
      'lists/partnerships',
      'notes',
      'tasks',
    ]);
    expect(run.seen).toBe(run.runs?.reduce((sum, part) => sum + part.seen, 0));
  });

  test('leaves lists out when none is to be mirrored', async () => {
    await using service = await start(SMALL, { SYNC_LISTS: 'none' });
    const run = await service.sync('all');
    expect(run.runs?.map((part) => part.object)).toEqual(['people', 'companies', 'deals', 'notes', 'tasks']);
    expect(await items(service, 'entries')).toEqual([]);
  });

  test('leaves notes and tasks out where they are switched off, and their events change nothing', async () => {
    await using service = await startService({
      sandbox: SMALL,
      configure: (config) => ({ ...config, sync: { ...config.sync, activity: false } }),
    });
    const run = await service.sync('all');
    expect(run.runs?.map((part) => part.object)).not.toContain('notes');
    expect((await service.call('POST', '/v1/sync/notes')).status).toBe(404);
    addNote(service, personId(service));
    addTask(service, null);
    const entryId = addEntry(service, personId(service));
    await until(async () => (await living(service, 'entries')).includes(entryId));
    await service.settled();
    expect([await items(service, 'notes'), await items(service, 'tasks')]).toEqual([[], []]);
  });

  test('tells metrics how many of what', async () => {
    await using service = await start();
    addNote(service, personId(service));
    await service.sync('all');
    const { body } = await service.get<string>('/metrics');
    expect(body).toContain('sync_records_total{object="notes",outcome="created"} 1');
    expect(body).toMatch(/sync_records_total\{object="entries",outcome="created"\} 7/);
  });
});

test('an item that is deleted while the page that shows it is on its way stays gone', async () => {
  await using service = await startService({ sandbox: SMALL });
  const { sandbox } = service.sandbox;
  const noteId = addNote(service, personId(service));
  const kept = addNote(service, personId(service));
  await sandbox.settled();
  await service.settled();
  // As if never mirrored: the page alone would bring it.
  await service.database.rows('delete from item');
  await service.database.rows('delete from item_link');
  sandbox.addFault({ kind: 'latency', ms: 4_000, match: { path: '/notes' }, count: 1 });
  const run = service.sync('notes');
  await until(async () => asked(service, 'GET /notes') > 0);
  act(service, 'DELETE', `/notes/${noteId}`);
  await run;
  await sandbox.settled();
  await service.settled();
  expect(await living(service, 'notes')).toEqual([kept]);
});

test('a comment has no full sync of its own', async () => {
  await using service = await start();
  addComment(service, { recordId: personId(service) });
  expect((await service.call('POST', '/v1/sync/comments')).status).toBe(404);
});
