import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { until } from '../support/service.ts';
import {
  attio,
  contactStatus,
  contactsWith,
  exists,
  outage,
  outbox,
  put,
  quiet,
  recovered,
  removeContact,
  size,
  startWriting,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const EMAIL = 'ada@gone.example';

describe('a deletion here', () => {
  test('leaves the record in Attio, and stays whatever Attio says of it', async () => {
    await using service = await startWriting();
    const { id, recordId } = (await put(service, { email: EMAIL, firstName: 'Ada' })).body.data;
    await quiet(service);
    const cursor = await service.latest();
    const answer = await removeContact(service, id);
    expect([answer.status, answer.body.data.deletedAt]).toEqual([200, expect.any(String)]);
    service.sandbox.sandbox.edit({ object: 'people', recordId, values: { job_title: 'Still here' } });
    await quiet(service);
    await service.sync('people');
    expect([await contactStatus(service, id), await contactStatus(service, recordId)]).toEqual([410, 410]);
    expect(await contactsWith(service, EMAIL)).toEqual([]);
    expect(attio(service, recordId)['job_title']).toEqual(['Still here']);
    const { data } = await service.changes(cursor);
    const own = data.filter((row) => row.id === id || row.id === recordId);
    expect(own).toMatchObject([{ type: 'record.deleted', id, source: 'local' }]);
    expect((await removeContact(service, id)).status).toBe(410);
  });

  test('is undone by the next write', async () => {
    await using service = await startWriting();
    const { id, recordId } = (await put(service, { email: EMAIL, firstName: 'Ada' })).body.data;
    await removeContact(service, id);
    const { status: code, body } = await put(service, { email: EMAIL, jobTitle: 'Back' });
    expect([code, body.data]).toMatchObject([200, { recordId, firstName: 'Ada', jobTitle: 'Back' }]);
    await quiet(service);
    expect(await contactsWith(service, EMAIL)).toHaveLength(1);
  });

  test.each(['keep', 'delete'])('ends what was held back of the contact (%s)', async (mode) => {
    await using service = await startWriting();
    const { id, recordId } = (await put(service, { email: EMAIL })).body.data;
    await quiet(service);
    await outage(service);
    await put(service, { email: EMAIL, jobTitle: 'Held back' });
    await removeContact(service, id, `?attio=${mode}`);
    await recovered(service);
    await quiet(service);
    expect([await contactStatus(service, id), await contactsWith(service, EMAIL)]).toEqual([410, []]);
    expect(exists(service, recordId)).toBe(mode === 'keep');
  });

  test.each(['keep', 'delete'])('of a contact that Attio never had makes none (%s)', async (mode) => {
    await using service = await startWriting();
    const before = size(service);
    await outage(service);
    const { id } = (await put(service, { email: EMAIL })).body.data;
    await removeContact(service, id, `?attio=${mode}`);
    await recovered(service);
    await quiet(service);
    expect([await contactStatus(service, id), await contactsWith(service, EMAIL)]).toEqual([410, []]);
    expect(size(service)).toBe(before);
    expect(await outbox(service)).toMatchObject({ pending: 0, dead: 0 });
  });

  test.each([true, false])('while the record is being made leaves none (webhooks: %s)', async (subscribe) => {
    await using service = await startWriting({ subscribe });
    const match = { method: 'POST', path: '*/people/records' };
    service.sandbox.sandbox.addFault({ kind: 'latency', ms: 300, match, count: 1 });
    const making = put(service, { email: EMAIL });
    await until(async () => (await contactsWith(service, EMAIL)).length === 1 && size(service) === 7);
    const [contact] = await contactsWith(service, EMAIL);
    await removeContact(service, contact?.id ?? '', '?attio=delete');
    await making;
    await quiet(service);
    await service.sync('people');
    expect([await contactsWith(service, EMAIL), size(service)]).toEqual([[], 6]);
  });
});

describe('a deletion in Attio too', () => {
  test('deletes the record, once', async () => {
    await using service = await startWriting();
    const { id, recordId } = (await put(service, { email: EMAIL })).body.data;
    await quiet(service);
    const cursor = await service.latest();
    const answer = await removeContact(service, id, '?attio=delete');
    expect([answer.status, answer.body.sync.status]).toEqual([200, 'synced']);
    expect(exists(service, recordId)).toBe(false);
    await quiet(service);
    expect((await service.changes(cursor)).data.map((row) => row.type)).toEqual(['record.deleted']);
    expect(await contactStatus(service, id)).toBe(410);
  });

  test('waits for Attio to come back', async () => {
    await using service = await startWriting();
    const { id, recordId } = (await put(service, { email: EMAIL })).body.data;
    await outage(service);
    const answer = await removeContact(service, id, '?attio=delete');
    expect([answer.status, answer.body.sync.status, await contactStatus(service, id)]).toEqual([
      202,
      'pending',
      410,
    ]);
    expect(exists(service, recordId)).toBe(true);
    await recovered(service);
    expect(exists(service, recordId)).toBe(false);
  });

  test('of a record that somebody has deleted already is done', async () => {
    await using service = await startWriting({ subscribe: false });
    const { id, recordId } = (await put(service, { email: EMAIL })).body.data;
    service.sandbox.sandbox.deleteRecord({ object: 'people', recordId });
    const answer = await removeContact(service, id, '?attio=delete');
    expect([answer.status, await outbox(service)]).toMatchObject([200, { pending: 0, dead: 0 }]);
  });
});
