import { afterEach, describe, expect, test } from 'vitest';
import {
  agreedAda,
  apart,
  EMAIL,
  edit,
  heldBack,
  listed,
  metric,
  onlyOpen,
  resolve,
  startWith,
} from '../support/conflicts.ts';
import { takeViolations } from '../support/exchanges.ts';
import type { TestService } from '../support/service.ts';
import {
  attio,
  contact,
  delivered,
  outage,
  put,
  recovered,
  removeContact,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const MANUAL = { policy: 'manual' } as const;

/** Both sides have changed the job title, and Attio is back. @returns the record id and ours */
async function inConflict(service: TestService): Promise<{ recordId: string; id: string }> {
  const recordId = await apart(service);
  const attributes = { internal_comment: 'Ours' };
  const { body } = await put(service, { email: EMAIL, jobTitle: 'Ours', attributes });
  edit(service, recordId, { job_title: 'Theirs' });
  await recovered(service);
  return { recordId, id: body.data.id };
}

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

describe('while a conflict is open', () => {
  test('another write of the field is added to it, and is what stands when it is settled', async () => {
    await using service = await startWith(MANUAL);
    const { recordId, id } = await inConflict(service);
    const { id: conflictId } = await onlyOpen(service);
    const second = await put(service, { email: EMAIL, jobTitle: 'Ours again' });
    expect([second.status, second.body.sync]).toEqual([202, { status: 'pending', conflicts: 1 }]);
    expect(await listed(service)).toMatchObject([
      { id: conflictId, status: 'open', local: 'Ours again', attio: 'Theirs' },
    ]);
    expect(attio(service, recordId)['job_title']).toEqual(['Theirs']);
    expect((await contact(service, id)).jobTitle).toBe('Ours again');
    await resolve(service, conflictId, { resolution: 'local' });
    expect(attio(service, recordId)['job_title']).toEqual(['Ours again']);
  });

  test("Attio's side is kept current", async () => {
    await using service = await startWith({ ...MANUAL, subscribe: true });
    const { recordId, id } = await inConflict(service);
    edit(service, recordId, { job_title: 'Theirs again' });
    await service.sandbox.sandbox.settled();
    await service.settled();
    expect(await onlyOpen(service)).toMatchObject({ local: 'Ours', attio: 'Theirs again', base: 'Agreed' });
    expect(await contact(service, id)).toMatchObject({ jobTitle: 'Ours', sync: { conflicts: 1 } });
  });

  test('it is closed when somebody writes our value in Attio', async () => {
    await using service = await startWith(MANUAL);
    const { recordId, id } = await inConflict(service);
    edit(service, recordId, { job_title: 'Ours' });
    await service.sync('people');
    expect(await listed(service)).toMatchObject([{ status: 'resolved', decided: null, reason: 'agreed' }]);
    expect(await contact(service, id)).toMatchObject({
      jobTitle: 'Ours',
      sync: { status: 'synced', recordId },
    });
  });

  test('it is closed when we ask for what Attio has', async () => {
    await using service = await startWith(MANUAL);
    const { recordId, id } = await inConflict(service);
    const answer = await put(service, { email: EMAIL, jobTitle: 'Theirs' });
    expect([answer.status, answer.body.sync]).toEqual([200, { status: 'synced', recordId }]);
    expect(await listed(service)).toMatchObject([{ status: 'resolved', reason: 'agreed' }]);
    expect((await contact(service, id)).jobTitle).toBe('Theirs');
  });

  test('it is closed when the record is deleted in Attio', async () => {
    await using service = await startWith(MANUAL);
    const { recordId } = await inConflict(service);
    service.sandbox.sandbox.deleteRecord({ object: 'people', recordId });
    await service.sync('people', '&force=true');
    const [one] = await listed(service);
    expect(one).toMatchObject({
      status: 'resolved',
      decided: 'attio',
      reason: 'deleted_in_attio',
      local: 'Ours',
    });
    expect((await resolve(service, one?.id ?? '', { resolution: 'local' })).status).toBe(409);
  });

  test('it is closed when the contact is removed here', async () => {
    await using service = await startWith(MANUAL);
    const { id } = await inConflict(service);
    await removeContact(service, id);
    expect(await listed(service)).toMatchObject([
      { status: 'resolved', decided: 'attio', reason: 'removed' },
    ]);
  });

  test('it goes with a person who is erased', async () => {
    await using service = await startWith(MANUAL);
    const { id } = await inConflict(service);
    await removeContact(service, id, '?erase=true');
    expect([await listed(service), await metric(service, 'conflicts_open')]).toEqual([[], 0]);
  });

  test('it is still so after a restart', async () => {
    await using service = await startWith(MANUAL);
    const { recordId, id } = await inConflict(service);
    await service.stop();
    await service.start();
    expect(await contact(service, id)).toMatchObject({
      jobTitle: 'Ours',
      sync: { status: 'pending', conflicts: 1 },
    });
    await service.confirmed();
    await resolve(service, (await onlyOpen(service)).id, { resolution: 'local' });
    await delivered(service);
    expect(attio(service, recordId)['job_title']).toEqual(['Ours']);
  });

  test('it is of the survivor when the record is merged into another', async () => {
    await using service = await startWith({ ...MANUAL, subscribe: true });
    const { recordId, id } = await inConflict(service);
    const { sandbox } = service.sandbox;
    const other = sandbox.createRecord({ object: 'people', values: { job_title: 'Other' } });
    const otherId = (other['id'] as { record_id: string }).record_id;
    sandbox.merge({ object: 'people', primaryRecordId: otherId, secondaryRecordId: recordId });
    await sandbox.settled();
    await service.settled();
    const survivor = (await service.get<{ data: { id: string; jobTitle: string } }>(`/v1/contacts/${id}`))
      .body.data;
    const open = await onlyOpen(service);
    expect([open.entityId, open.local, open.attio]).toEqual([survivor.id, 'Ours', 'Other']);
    expect(survivor.jobTitle).toBe('Ours');
    await resolve(service, open.id, { resolution: 'local' });
    expect(attio(service, open.recordId ?? '')['job_title']).toEqual(['Ours']);
  });
});

describe('a conflict of which Attio refuses what was decided', () => {
  test('is open again, and shows both values', async () => {
    await using service = await startWith(MANUAL);
    const { recordId, id } = await inConflict(service);
    const { id: conflictId } = await onlyOpen(service);
    service.sandbox.sandbox.addFault({ kind: 'status', status: 400, match: { method: 'PATCH' }, count: 1 });
    const refused = await resolve(service, conflictId, { resolution: 'local' });
    expect(refused.status).toBe(422);
    expect(await onlyOpen(service)).toMatchObject({
      id: conflictId,
      local: 'Ours',
      attio: 'Theirs',
      reason: 'refused',
    });
    expect(await contact(service, id)).toMatchObject({
      jobTitle: 'Ours',
      sync: { status: 'pending', conflicts: 1 },
    });
    expect((await resolve(service, conflictId, { resolution: 'local' })).status).toBe(200);
    expect(attio(service, recordId)['job_title']).toEqual(['Ours']);
  });
});

describe('a list', () => {
  test('that is replaced on our side, and changed on theirs, waits, too; what is added meanwhile is added to it', async () => {
    await using service = await startWith(MANUAL);
    const recordId = await apart(service);
    await put(service, { email: EMAIL, phone: { replace: ['+15550100002'] } });
    edit(service, recordId, { phone_numbers: ['+15550100003', '+15550100001'] });
    await heldBack(service);
    await recovered(service);
    expect((await onlyOpen(service)).local).toEqual(['+15550100002']);
    await put(service, { email: EMAIL, phone: '+15550100004' });
    const open = await onlyOpen(service);
    expect(open.local).toEqual(['+15550100004', '+15550100002']);
    expect(attio(service, recordId)['phone_numbers']).toEqual(['+15550100003', '+15550100001']);
    await resolve(service, open.id, { resolution: 'local' });
    expect(attio(service, recordId)['phone_numbers']).toEqual(['+15550100004', '+15550100002']);
  });

  test('that is added to is no conflict, whatever was added there', async () => {
    await using service = await startWith(MANUAL);
    const recordId = await apart(service);
    await put(service, { email: EMAIL, phone: '+15550100002' });
    edit(service, recordId, { phone_numbers: ['+15550100003', '+15550100001'] });
    await recovered(service);
    expect(attio(service, recordId)['phone_numbers']).toEqual([
      '+15550100002',
      '+15550100003',
      '+15550100001',
    ]);
    expect(await listed(service)).toEqual([]);
  });
});

test('without a change on both sides, manual is a write like any other', async () => {
  await using service = await startWith(MANUAL);
  const recordId = await agreedAda(service);
  const answer = await put(service, { email: EMAIL, jobTitle: 'Ours' });
  expect([answer.status, answer.body.sync]).toEqual([200, { status: 'synced', recordId }]);
  expect([attio(service, recordId)['job_title'], await listed(service)]).toEqual([['Ours'], []]);
});
