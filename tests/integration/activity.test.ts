import { describe, expect, it } from 'vitest';
import type { Answer, TestService } from '../support/service.ts';
import {
  delivered,
  impatient,
  letters,
  outage,
  person,
  put,
  quiet,
  recovered,
  type SyncJson,
  startWriting,
} from '../support/writes.ts';

interface ItemJson {
  readonly id: string;
  readonly noteId?: string | null;
  readonly taskId?: string | null;
  readonly commentId?: string | null;
  readonly threadId?: string | null;
  readonly recordId?: string | null;
  readonly title?: string;
  readonly content: string;
  readonly isCompleted?: boolean;
  readonly deadlineAt?: string | null;
  readonly linkedRecords?: readonly { readonly object: string; readonly recordId: string | null }[];
  readonly assignees?: readonly { readonly email: string | null }[];
  readonly createdAt: string;
  readonly sync: SyncJson;
}

interface WrittenItem {
  readonly data: ItemJson;
  readonly sync: SyncJson;
  readonly detail?: string;
}

type Kind = 'notes' | 'tasks' | 'comments';

function post(
  service: TestService,
  kind: Kind,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<WrittenItem>> {
  return service.call<WrittenItem>('POST', `/v1/${kind}`, { body, headers });
}

async function list(service: TestService, kind: Kind, query = ''): Promise<ItemJson[]> {
  return (await service.get<{ data: ItemJson[] }>(`/v1/${kind}${query}`)).body.data;
}

/** What Attio has of a kind, but for what it was seeded with. */
function inAttio(service: TestService, kind: Kind): number {
  return service.sandbox.sandbox.world[kind].size - (seeded.get(service)?.[kind] ?? 0);
}

const seeded = new WeakMap<TestService, Record<Kind, number>>();

async function start(options: Parameters<typeof startWriting>[0] = {}): Promise<TestService> {
  const service = await startWriting(options);
  const { notes, tasks, comments } = service.sandbox.sandbox.world;
  seeded.set(service, { notes: notes.size, tasks: tasks.size, comments: comments.size });
  return service;
}

const LONG = `${'Ω'.repeat(99_000)} שלום 🎉 the end`;

describe('a note', () => {
  it('on a person is in Attio, as it was written, and is read back', async () => {
    await using service = await start();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    const answer = await post(service, 'notes', {
      email: 'ADA@engines.example',
      title: 'Call 🎉 שלום',
      content: 'Wants **two** engines.\n\n- soon',
    });
    expect(answer.status).toBe(200);
    expect(answer.body.data).toMatchObject({ object: 'people', recordId, title: 'Call 🎉 שלום' });
    expect(answer.body.sync).toEqual({ status: 'synced', recordId: answer.body.data.noteId });
    await quiet(service);
    expect(inAttio(service, 'notes')).toBe(1);
    expect((await list(service, 'notes', `?recordId=${recordId}`)).map(({ id }) => id)).toEqual([
      answer.body.data.id,
    ]);
    expect((await service.get<WrittenItem>(`/v1/notes/${answer.body.data.noteId}`)).body.data).toMatchObject({
      id: answer.body.data.id,
      content: 'Wants **two** engines.\n\n- soon',
    });
  });

  it('may be as long as a hundred thousand characters, of any script', async () => {
    await using service = await start({ configure: (config) => config });
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    const answer = await post(service, 'notes', {
      recordId,
      title: 'Long',
      content: LONG,
      format: 'plaintext',
    });
    expect([answer.status, answer.body.detail]).toEqual([200, undefined]);
    expect(answer.body.data.content).toBe(LONG);
    const tooLong = await post(service, 'notes', { recordId, title: 'Long', content: 'x'.repeat(100_001) });
    expect(tooLong.status).toBe(400);
    expect(tooLong.body.detail).toContain('longer than 100000 characters');
  });

  it('is made once when its answer is lost, also by a restart', async () => {
    await using service = await start();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    await service.sync('people');
    for (const kind of ['lost-answer', 'malformed', 'disconnect'] as const) {
      service.sandbox.sandbox.addFault({ kind, match: { method: 'POST', path: '/notes' }, count: 1 });
      await post(service, 'notes', { recordId, title: kind, content: `By ${kind}` });
      await delivered(service);
    }
    await quiet(service);
    expect(inAttio(service, 'notes')).toBe(3);
    expect(await list(service, 'notes', `?recordId=${recordId}`)).toHaveLength(3);
    expect(await letters(service)).toEqual([]);
  });

  it('is made once over a stop between the request and its answer, and found again by its key', async () => {
    await using service = await start();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    await service.sync('people');
    const note = { recordId, title: 'Once', content: 'Only once' };
    const headers = { 'idempotency-key': 'the-key-of-the-note' };
    service.sandbox.sandbox.addFault({
      kind: 'latency',
      ms: 3_000,
      match: { method: 'POST', path: '/notes' },
      count: 1,
    });
    const asked = post(service, 'notes', note, headers).catch(() => null);
    await expect.poll(() => inAttio(service, 'notes'), { timeout: 20_000 }).toBe(1);
    await service.stop();
    await asked;
    service.sandbox.sandbox.clearFaults();
    await service.start();
    const again = await post(service, 'notes', note, headers);
    expect([200, 202]).toContain(again.status);
    await quiet(service);
    expect(inAttio(service, 'notes')).toBe(1);
    expect((await list(service, 'notes', `?recordId=${recordId}`)).map(({ id }) => id)).toEqual([
      again.body.data.id,
    ]);
  });

  it('that is asked for twice with one key is one; twice without, two', async () => {
    await using service = await start();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    const note = { recordId, title: 'Same', content: 'Same words' };
    const headers = { 'idempotency-key': 'k1' };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => post(service, 'notes', note, headers)),
    );
    expect(new Set(answers.map(({ body }) => body.data.id)).size).toBe(1);
    await post(service, 'notes', note);
    await quiet(service);
    expect(inAttio(service, 'notes')).toBe(2);
    const other = await post(service, 'notes', { ...note, title: 'Other' }, headers);
    expect(other.status).toBe(422);
  });

  it('that Attio refuses is 422 with its words, and is not kept', async () => {
    await using service = await start();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    await service.sync('people');
    service.sandbox.sandbox.addFault({
      kind: 'status',
      status: 413,
      code: 'validation_type',
      message: 'The note is too big.',
      match: { method: 'POST', path: '/notes' },
    });
    const answer = await post(service, 'notes', { recordId, title: 'Big', content: 'Big' });
    expect(answer.status).toBe(422);
    expect(answer.body.detail).toContain('The note is too big.');
    expect(await list(service, 'notes', `?recordId=${recordId}`)).toEqual([]);
    expect(await letters(service)).toEqual([]);
  });

  it('written in an outage waits for it, and for the contact that it is about', async () => {
    await using service = await start();
    await put(service, { email: 'first@engines.example' });
    await outage(service);
    await put(service, { email: 'new@engines.example' });
    const answer = await post(service, 'notes', {
      email: 'new@engines.example',
      title: 'First',
      content: 'Words',
    });
    expect(answer.status).toBe(202);
    expect(answer.body.sync).toEqual({ status: 'pending' });
    const [waiting] = await list(service, 'notes');
    expect(waiting).toMatchObject({ title: 'First', recordId: null, sync: { status: 'pending' } });
    await recovered(service);
    await quiet(service);
    const note = (await service.get<WrittenItem>(`/v1/notes/${answer.body.data.id}`)).body;
    expect(note.sync.status).toBe('synced');
    expect(note.data.recordId).not.toBeNull();
    expect(note.data.createdAt).toBe(answer.body.data.createdAt);
    expect(inAttio(service, 'notes')).toBe(1);
  });
});

describe('a task', () => {
  it('is made with records, members and a deadline, also one in the past; and is done', async () => {
    await using service = await start();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    const answer = await post(service, 'tasks', {
      content: 'Send the offer 🎉',
      deadlineAt: '2020-01-31T10:30:00+01:00',
      linkedRecords: [{ recordId }, { email: 'ada@engines.example' }],
      assigneeEmails: ['Robin@example.com'],
    });
    expect(answer.status).toBe(200);
    expect(answer.body.data).toMatchObject({
      content: 'Send the offer 🎉',
      deadlineAt: '2020-01-31T09:30:00.000Z',
      isCompleted: false,
      linkedRecords: [{ object: 'people', recordId }],
      assignees: [{ email: 'robin@example.com' }],
    });
    const { id } = answer.body.data;
    const done = await service.call<WrittenItem>('PATCH', `/v1/tasks/${id}`, {
      body: { isCompleted: true, assigneeEmails: ['sam@example.com'], deadlineAt: null },
    });
    expect(done.status).toBe(200);
    expect(done.body.data).toMatchObject({
      isCompleted: true,
      completedAt: expect.any(String),
      deadlineAt: null,
      assignees: [{ email: 'sam@example.com' }],
    });
    await quiet(service);
    const ids = async (query: string) => (await list(service, 'tasks', query)).map((task) => task.id);
    expect(await ids(`?recordId=${recordId}&isCompleted=true`)).toEqual([id]);
    expect(await ids(`?recordId=${recordId}&isCompleted=false`)).toEqual([]);
    expect(inAttio(service, 'tasks')).toBe(1);
  });

  it('is made once when its answer is lost, about a record or about none', async () => {
    await using service = await start();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    await service.sync('people');
    for (const linkedRecords of [[{ recordId }], []]) {
      service.sandbox.sandbox.addFault({
        kind: 'lost-answer',
        match: { method: 'POST', path: '/tasks' },
        count: 1,
      });
      await post(service, 'tasks', { content: `About ${linkedRecords.length}`, linkedRecords });
      await delivered(service);
    }
    await quiet(service);
    expect(inAttio(service, 'tasks')).toBe(2);
    expect((await list(service, 'tasks')).filter(({ content }) => content.startsWith('About'))).toHaveLength(
      2,
    );
  });

  it('keeps what a person did while a change was held back', async () => {
    await using service = await start({
      configure: (config) => ({ ...impatient(config), outbox: { ...config.outbox, writeWaitMs: 100 } }),
    });
    const { id, taskId } = (await post(service, 'tasks', { content: 'Call', deadlineAt: '2026-12-01' })).body
      .data;
    await quiet(service);
    await outage(service);
    await service.call('PATCH', `/v1/tasks/${id}`, { body: { deadlineAt: '2026-12-24', isCompleted: true } });
    service.sandbox.sandbox.act({
      method: 'PATCH',
      path: `/tasks/${taskId}`,
      body: { data: { deadline_at: '2027-01-01T00:00:00.000Z' } },
      actor: 'robin@example.com',
    });
    await recovered(service);
    await quiet(service);
    const { data } = (await service.get<WrittenItem>(`/v1/tasks/${id}`)).body;
    expect(data).toMatchObject({ isCompleted: true, deadlineAt: '2027-01-01T00:00:00.000Z' });
    const { body } = await service.get<{ data: unknown[] }>('/v1/conflicts');
    expect(body.data).toMatchObject([{ object: 'task', field: 'deadlineAt', decided: 'attio' }]);
  });
});

describe('a comment', () => {
  it('is made on a record, on an entry, and as an answer', async () => {
    await using service = await start();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    const author = { authorEmail: 'robin@example.com' };
    const first = await post(service, 'comments', { recordId, content: 'Who calls her?', ...author });
    expect(first.status).toBe(200);
    const { threadId } = first.body.data;
    const answer = await post(service, 'comments', {
      threadId,
      content: 'I do',
      authorEmail: 'sam@example.com',
    });
    expect(answer.status).toBe(200);
    expect(answer.body.data.threadId).toBe(threadId);
    const entry = await service.call<{ data: { id: string } }>('POST', '/v1/pipelines/recruiting/entries', {
      body: { recordId, stage: 'Applied' },
    });
    const entryId = entry.body.data.id;
    const onEntry = await post(service, 'comments', {
      list: 'recruiting',
      entryId,
      content: 'Good',
      ...author,
    });
    expect(onEntry.status).toBe(200);
    await quiet(service);
    expect(inAttio(service, 'comments')).toBe(3);
    const contents = async (query: string) =>
      (await list(service, 'comments', query)).map(({ content }) => content).sort();
    expect(await contents(`?entryId=${entryId}`)).toEqual(['Good']);
    expect(await contents(`?recordId=${recordId}`)).toEqual(
      expect.arrayContaining(['I do', 'Who calls her?']),
    );
  });

  it('is made once when its answer is lost', async () => {
    await using service = await start();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    await service.sync('people');
    service.sandbox.sandbox.addFault({
      kind: 'lost-answer',
      match: { method: 'POST', path: '/comments' },
      count: 1,
    });
    await post(service, 'comments', { recordId, content: 'Once', authorEmail: 'robin@example.com' });
    await delivered(service);
    await quiet(service);
    expect(inAttio(service, 'comments')).toBe(1);
  });
});

describe('a bad request', () => {
  it('is refused naming what is wrong, and writes nothing', async () => {
    await using service = await start();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    await service.sync('people');
    const nobody = '00000000-0000-4000-8000-000000000001';
    const authorEmail = 'robin@example.com';
    const cases: [Kind, unknown, number, RegExp][] = [
      ['notes', { recordId, title: 'T' }, 400, /content is missing/],
      ['notes', { recordId, title: 'T', content: ' ' }, 400, /content is blank/],
      ['notes', { recordId, title: 'x'.repeat(1001), content: 'C' }, 400, /longer than 1000/],
      ['notes', { title: 'T', content: 'C' }, 400, /recordId is missing/],
      ['notes', { recordId, title: 'T', content: 'C', format: 'html' }, 400, /markdown or plaintext/],
      ['notes', { recordId, title: 'T', content: 'a\u0000b' }, 400, /NUL/],
      ['notes', { recordId: nobody, title: 'T', content: 'C' }, 422, /no record of people/],
      ['notes', { recordId, object: 'companies', title: 'T', content: 'C' }, 422, /one of people/],
      ['notes', { email: 'nobody@engines.example', title: 'T', content: 'C' }, 422, /nobody in Attio/],
      [
        'tasks',
        { content: 'C', assigneeEmails: ['robn@example.com'] },
        422,
        /did you mean robin@example.com/,
      ],
      ['tasks', { content: 'C', assigneeEmails: ['robin'] }, 400, /assigneeEmails/],
      ['tasks', { content: 'C', deadlineAt: 'soon' }, 400, /deadlineAt/],
      ['tasks', { content: 'C', deadlineAt: '2026-02-30' }, 400, /deadlineAt/],
      ['tasks', { content: 'x'.repeat(2001) }, 422, /2000 characters/],
      ['tasks', { content: 'C', linkedRecords: [{ recordId: nobody }] }, 422, /linkedRecords\/0\/recordId/],
      ['tasks', { content: 'C', linkedRecords: [{}] }, 400, /linkedRecords\/0\/recordId/],
      ['comments', { content: 'C', authorEmail }, 400, /recordId is missing/],
      ['comments', { recordId, content: 'C' }, 400, /authorEmail is missing/],
      [
        'comments',
        { recordId, content: 'C', authorEmail: 'x@example.com' },
        422,
        /no member of the workspace/,
      ],
      ['comments', { entryId: nobody, content: 'C', authorEmail }, 400, /list/],
      ['comments', { entryId: nobody, list: 'recruiting', content: 'C', authorEmail }, 422, /no entry/],
      ['comments', { threadId: nobody, content: 'C', authorEmail }, 422, /value_not_found/],
      ['comments', { recordId, threadId: nobody, content: 'C', authorEmail }, 400, /send one/],
    ];
    for (const [kind, body, status, words] of cases) {
      const answer = await post(service, kind, body);
      const shown = JSON.stringify(body).slice(0, 100);
      expect([kind, shown, answer.status, answer.body.detail]).toEqual([
        kind,
        shown,
        status,
        expect.stringMatching(words),
      ]);
    }
    const patch = (id: string, body: unknown) => service.call('PATCH', `/v1/tasks/${id}`, { body });
    expect((await patch(nobody, { isCompleted: true })).status).toBe(404);
    expect((await patch(nobody, {})).status).toBe(400);
    expect([inAttio(service, 'notes'), inAttio(service, 'tasks'), inAttio(service, 'comments')]).toEqual([
      0, 0, 0,
    ]);
    expect(await letters(service)).toEqual([]);
  });
});
