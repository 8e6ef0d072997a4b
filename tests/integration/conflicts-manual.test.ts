import { afterEach, describe, expect, test } from 'vitest';
import {
  agreedAda,
  EMAIL,
  edit,
  inConflict,
  listed,
  MANUAL,
  metric,
  onlyOpen,
  resolve,
  startWith,
} from '../support/conflicts.ts';
import { takeViolations } from '../support/exchanges.ts';
import { attio, contact, outage, put, recovered, writes } from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

describe('under manual, a field that both sides have changed', () => {
  test('waits for a person, and holds up nothing else', async () => {
    await using service = await startWith(MANUAL);
    const { recordId, id } = await inConflict(service);
    expect(attio(service, recordId)).toMatchObject({ job_title: ['Theirs'], internal_comment: ['Ours'] });
    expect(await contact(service, id)).toMatchObject({
      jobTitle: 'Ours',
      attributes: { internal_comment: 'Ours' },
      sync: { status: 'pending', conflicts: 1 },
    });
    const open = await onlyOpen(service);
    expect(open).toMatchObject({
      object: 'people',
      entityId: id,
      recordId,
      field: 'job_title',
      base: 'Agreed',
      local: 'Ours',
      attio: 'Theirs',
      decided: null,
      status: 'open',
      reason: 'manual',
      resolvedAt: null,
    });
    expect((await service.get(`/v1/conflicts/${open.id}`)).body).toEqual({ data: open });
    expect(await metric(service, 'conflicts_open')).toBe(1);
    // What else is written goes on, and says so.
    const other = await put(service, { email: EMAIL, lastName: 'King' });
    expect([other.status, other.body.sync]).toEqual([200, { status: 'synced', recordId, conflicts: 1 }]);
    expect(attio(service, recordId)['name']).toEqual([['Ada', 'King']]);
  });

  test('can be settled for our side', async () => {
    await using service = await startWith(MANUAL);
    const { recordId, id } = await inConflict(service);
    const { id: conflictId } = await onlyOpen(service);
    const done = await resolve(service, conflictId, { resolution: 'local' });
    expect([done.status, done.body.sync]).toEqual([200, { status: 'synced', recordId }]);
    expect(done.body.data).toMatchObject({ status: 'resolved', decided: 'local', reason: 'resolved' });
    expect(done.body.data.resolvedAt).not.toBeNull();
    expect(attio(service, recordId)['job_title']).toEqual(['Ours']);
    expect(await contact(service, id)).toMatchObject({
      jobTitle: 'Ours',
      sync: { status: 'synced', recordId },
    });
    expect([await metric(service, 'conflicts_open'), (await listed(service)).length]).toEqual([0, 1]);
  });

  test("can be settled for Attio's side: ours takes its value, and nothing is written", async () => {
    await using service = await startWith(MANUAL);
    const { recordId, id } = await inConflict(service);
    const { id: conflictId } = await onlyOpen(service);
    service.sandbox.sandbox.clearRequests();
    const done = await resolve(service, conflictId, { resolution: 'attio' });
    expect([done.status, done.body.sync]).toEqual([200, { status: 'synced', recordId }]);
    expect(done.body.data).toMatchObject({
      status: 'resolved',
      decided: 'attio',
      local: 'Ours',
      attio: 'Theirs',
    });
    expect(await contact(service, id)).toMatchObject({
      jobTitle: 'Theirs',
      sync: { status: 'synced', recordId },
    });
    expect(writes(service)).toEqual([]);
  });

  test('can be settled by a third value', async () => {
    await using service = await startWith(MANUAL);
    const { recordId, id } = await inConflict(service);
    const { id: conflictId } = await onlyOpen(service);
    const done = await resolve(service, conflictId, { resolution: 'merged', values: { job_title: 'Both' } });
    expect(done.status).toBe(200);
    expect(done.body.data).toMatchObject({
      decided: 'merged',
      local: 'Ours',
      attio: 'Theirs',
      merged: 'Both',
    });
    expect(attio(service, recordId)['job_title']).toEqual(['Both']);
    expect(await contact(service, id)).toMatchObject({ jobTitle: 'Both', sync: { status: 'synced' } });
  });

  test('is settled once: of two who decide, and of one who decides again, the other is told', async () => {
    await using service = await startWith(MANUAL);
    const { recordId } = await inConflict(service);
    const { id } = await onlyOpen(service);
    const answers = await Promise.all([
      resolve(service, id, { resolution: 'local' }),
      resolve(service, id, { resolution: 'attio' }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const { decided } = (await listed(service))[0] ?? {};
    expect(attio(service, recordId)['job_title']).toEqual([decided === 'local' ? 'Ours' : 'Theirs']);
    const again = await resolve(service, id, { resolution: 'merged', values: { job_title: 'Both' } });
    expect([again.status, again.body.detail]).toEqual([
      409,
      expect.stringMatching(/^this conflict was settled at /),
    ]);
  });

  test('is settled once also when the request comes twice with its key', async () => {
    await using service = await startWith(MANUAL);
    const { recordId } = await inConflict(service);
    const { id } = await onlyOpen(service);
    const headers = { 'idempotency-key': 'decided-1' };
    service.sandbox.sandbox.clearRequests();
    const first = await resolve(service, id, { resolution: 'local' }, { headers });
    const second = await resolve(service, id, { resolution: 'local' }, { headers });
    expect([first.status, second.status, second.body]).toEqual([200, 200, first.body]);
    expect(writes(service)).toHaveLength(1);
    const other = await resolve(service, id, { resolution: 'attio' }, { headers });
    expect([other.status, attio(service, recordId)['job_title']]).toEqual([422, ['Ours']]);
  });

  test('is settled while Attio is away as well: the value is on its way', async () => {
    await using service = await startWith(MANUAL);
    const { recordId, id } = await inConflict(service);
    const { id: conflictId } = await onlyOpen(service);
    await outage(service);
    const done = await resolve(service, conflictId, { resolution: 'local' });
    expect([done.status, done.body.sync, done.body.data.status]).toEqual([
      202,
      { status: 'pending' },
      'resolved',
    ]);
    // Decided is decided: it stands over what comes after it, and that is on record.
    edit(service, recordId, { job_title: 'Later' });
    await recovered(service);
    expect(attio(service, recordId)['job_title']).toEqual(['Ours']);
    expect(await contact(service, id)).toMatchObject({ jobTitle: 'Ours', sync: { status: 'synced' } });
    expect(await listed(service)).toMatchObject([
      { decided: 'local', attio: 'Theirs' },
      { decided: 'local', attio: 'Later', local: 'Ours', reason: 'local-wins' },
    ]);
  });

  test('stays open when what is decided is wrong', async () => {
    await using service = await startWith(MANUAL);
    await inConflict(service);
    const { id } = await onlyOpen(service);
    const wrong: [unknown, number, string][] = [
      [{}, 400, '/resolution'],
      [{ resolution: 'ours' }, 400, '/resolution'],
      [{ resolution: 'local', why: 'x' }, 400, '/why'],
      [{ resolution: 'local', values: { job_title: 'x' } }, 400, '/values'],
      [{ resolution: 'merged' }, 400, '/values'],
      [{ resolution: 'merged', values: 'x' }, 400, '/values'],
      [{ resolution: 'merged', values: { name: 'x' } }, 400, '/values'],
      [{ resolution: 'merged', values: { job_title: 'x', name: 'x' } }, 400, '/values'],
      [{ resolution: 'merged', values: { job_title: { a: 1 } } }, 422, '/values/job_title'],
      [{ resolution: 'merged', values: { job_title: ['a', 'b'] } }, 422, '/values/job_title'],
    ];
    for (const [body, status, path] of wrong) {
      const answer = await resolve(service, id, body);
      expect([body, answer.status, answer.body.errors?.[0]?.path]).toEqual([body, status, path]);
    }
    expect((await onlyOpen(service)).id).toBe(id);
  });

  test('is known by its id alone', async () => {
    await using service = await startWith(MANUAL);
    for (const id of ['0', '99', 'x', '9'.repeat(30)]) {
      expect((await service.get(`/v1/conflicts/${id}`)).status).toBe(404);
      expect((await resolve(service, id, { resolution: 'local' })).status).toBe(404);
    }
    expect((await resolve(service, '-/', { resolution: 'local' })).status).toBe(404);
  });
});

test('without a change on both sides, manual is a write like any other', async () => {
  await using service = await startWith(MANUAL);
  const recordId = await agreedAda(service);
  const answer = await put(service, { email: EMAIL, jobTitle: 'Ours' });
  expect([answer.status, answer.body.sync]).toEqual([200, { status: 'synced', recordId }]);
  expect([attio(service, recordId)['job_title'], await listed(service)]).toEqual([['Ours'], []]);
});
