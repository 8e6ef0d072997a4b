import { afterEach, describe, expect, test } from 'vitest';
import {
  apart,
  EMAIL,
  edit,
  heldBack,
  inConflict,
  listed,
  MANUAL,
  metric,
  onlyOpen,
  resolve,
  startWith,
} from '../support/conflicts.ts';
import { takeViolations } from '../support/exchanges.ts';
import { attio, contact, delivered, put, recovered, removeContact } from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
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

  test('several writes of the field that were held back are one conflict, with the last of them', async () => {
    await using service = await startWith(MANUAL);
    const recordId = await apart(service);
    await put(service, { email: EMAIL, jobTitle: 'One' });
    await put(service, { email: EMAIL, jobTitle: 'Two', lastName: 'King' });
    edit(service, recordId, { job_title: 'Theirs' });
    await recovered(service);
    expect(await listed(service)).toMatchObject([
      { status: 'open', base: 'Agreed', local: 'Two', attio: 'Theirs' },
    ]);
    expect(attio(service, recordId)).toMatchObject({ job_title: ['Theirs'], name: [['Ada', 'King']] });
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
  test('that each write names a value of stays open until exactly what is asked for is there', async () => {
    await using service = await startWith(MANUAL);
    const recordId = await apart(service);
    const addresses = { replace: [EMAIL, 'ada@ours.example'] };
    await put(service, { email: EMAIL, attributes: { email_addresses: addresses } });
    edit(service, recordId, { email_addresses: [EMAIL, 'ada@theirs.example'] });
    await recovered(service);
    const other = await put(service, { email: EMAIL, lastName: 'King' });
    expect([other.status, other.body.sync]).toEqual([200, { status: 'synced', recordId, conflicts: 1 }]);
    const open = await onlyOpen(service);
    expect(open).toMatchObject({ local: [EMAIL, 'ada@ours.example'], attio: [EMAIL, 'ada@theirs.example'] });
    await resolve(service, open.id, { resolution: 'local' });
    expect(attio(service, recordId)['email_addresses']).toEqual([EMAIL, 'ada@ours.example']);
  });

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
