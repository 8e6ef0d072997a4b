import { describe, expect, it } from 'vitest';
import { inAttio, type Kind, list, post, startCounting, type WrittenItem } from '../support/activity.ts';
import { delivered, impatient, letters, outage, person, quiet, recovered } from '../support/writes.ts';

describe('a task', () => {
  it('is made with records, members and a deadline, also one in the past; and is done', async () => {
    await using service = await startCounting();
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
    await using service = await startCounting();
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
    await using service = await startCounting({
      configure: (config) => ({ ...impatient(config), outbox: { ...config.outbox, writeWaitMs: 100 } }),
    });
    const { id } = (await post(service, 'tasks', { content: 'Call', deadlineAt: '2026-12-01' })).body.data;
    await quiet(service);
    const { taskId } = (await service.get<WrittenItem>(`/v1/tasks/${id}`)).body.data;
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
    await using service = await startCounting();
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

  it('is seen on an entry that is yet to be made, and follows it', async () => {
    await using service = await startCounting();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    await service.sync('people');
    await outage(service);
    const entry = await service.call<{ data: { id: string } }>('POST', '/v1/pipelines/recruiting/entries', {
      body: { recordId, stage: 'Applied' },
    });
    const place = { list: 'recruiting', entryId: entry.body.data.id };
    const body = { ...place, content: 'Good', authorEmail: 'robin@example.com' };
    expect((await post(service, 'comments', body)).status).toBe(202);
    const seen = async () =>
      (await list(service, 'comments', `?entryId=${place.entryId}`)).map(({ content, sync }) => [
        content,
        sync.status,
      ]);
    expect(await seen()).toEqual([['Good', 'pending']]);
    await recovered(service);
    await quiet(service);
    expect(await seen()).toEqual([['Good', 'synced']]);
    expect(inAttio(service, 'comments')).toBe(1);
  });

  it('is made once when its answer is lost', async () => {
    await using service = await startCounting();
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
    await using service = await startCounting();
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
