import { describe, expect, it } from 'vitest';
import { inAttio, list, post, startCounting, type WrittenItem } from '../support/activity.ts';
import { delivered, letters, outage, person, put, quiet, recovered } from '../support/writes.ts';

const LONG = `${'Ω'.repeat(99_000)} שלום 🎉 the end`;

describe('a note', () => {
  it('on a person is in Attio, as it was written, and is read back', async () => {
    await using service = await startCounting();
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
    await using service = await startCounting({ configure: (config) => config });
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
    await using service = await startCounting();
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
    await using service = await startCounting();
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
    await using service = await startCounting();
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
    await using service = await startCounting();
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
    await using service = await startCounting();
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
