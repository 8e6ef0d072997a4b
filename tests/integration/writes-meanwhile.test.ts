import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { type TestService, until } from '../support/service.ts';
import {
  attio,
  conflicts,
  contact,
  contactsWith,
  created,
  delivered,
  exists,
  letters,
  outage,
  outbox,
  person,
  put,
  quiet,
  recovered,
  size,
  startWriting,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

function remove(service: TestService, id: string, query = '') {
  return service.call('DELETE', `/v1/contacts/${id}${query}`);
}

/** What people do in Attio while a write waits. */
describe('meanwhile in Attio', () => {
  test('a record is merged: its deletion does not reach the survivor, and that is on record', async () => {
    await using service = await startWriting();
    const one = (await put(service, { email: 'one@example.com' })).body.data;
    const two = (await put(service, { email: 'two@example.com' })).body.data;
    await outage(service);
    expect((await remove(service, one.id, '?attio=delete')).status).toBe(202);
    const merged = service.sandbox.sandbox.merge({
      object: 'people',
      primaryRecordId: two.recordId,
      secondaryRecordId: one.recordId,
    });
    const survivor = (merged['id'] as { record_id: string }).record_id;
    // The survivor is known here before the deletion is tried.
    service.sandbox.sandbox.clearFaults();
    service.sandbox.sandbox.addFault({ kind: 'status', status: 503, match: { method: 'DELETE' } });
    await service.sandbox.sandbox.settled();
    await service.settled();
    await recovered(service);
    expect(exists(service, survivor)).toBe(true);
    expect((await contact(service, two.id)).recordId).toBe(survivor);
    expect((await conflicts(service)).map(({ field, decided }) => [field, decided])).toContainEqual([
      'record',
      'attio',
    ]);
  });

  test('a company is merged: the contact is linked to the survivor', async () => {
    await using service = await startWriting();
    const kept = created(service, 'companies', { name: 'Kept', domains: ['kept.example'] });
    const known = created(service, 'companies', { name: 'Known', domains: ['known.example'] });
    await service.sync('companies');
    await outage(service);
    await put(service, { email: 'ada@known.example', company: { domain: 'known.example' } });
    const merged = service.sandbox.sandbox.merge({
      object: 'companies',
      primaryRecordId: kept,
      secondaryRecordId: known,
    });
    await recovered(service);
    await quiet(service);
    const [ada] = await contactsWith(service, 'ada@known.example');
    const survivor = (merged['id'] as { record_id: string }).record_id;
    expect([ada?.companyRecordId, await letters(service)]).toEqual([survivor, []]);
  });

  test.each([false, true])('an address moves: who has it now is written to (held back: %s)', async (held) => {
    await using service = await startWriting({ subscribe: false });
    const from = person(service, { email_addresses: ['from@example.com', 'moved@example.com'] });
    const to = person(service, { email_addresses: ['to@example.com'] });
    await service.sync('people');
    const { sandbox } = service.sandbox;
    if (held) await outage(service);
    sandbox.edit({ object: 'people', recordId: from, values: { email_addresses: ['from@example.com'] } });
    const both = ['to@example.com', 'moved@example.com'];
    sandbox.edit({ object: 'people', recordId: to, values: { email_addresses: both } });
    const answer = await put(service, { email: 'moved@example.com', jobTitle: 'Mover' });
    await recovered(service);
    expect(attio(service, from)['job_title']).toEqual([]);
    expect(attio(service, to)['job_title']).toEqual(['Mover']);
    expect([answer.status, held || answer.body.data.recordId === to]).toEqual([held ? 202 : 200, true]);
    expect((await contactsWith(service, 'moved@example.com')).map(({ recordId }) => recordId)).toEqual([to]);
  });
});

describe('a refusal', () => {
  test('for an address that another person has changes nothing of the rest', async () => {
    await using service = await startWriting();
    const other = person(service, { email_addresses: ['taken@example.com'] });
    const { recordId } = (await put(service, { email: 'ada@example.com', jobTitle: 'Analyst' })).body.data;
    const attributes = { email_addresses: ['taken@example.com'] };
    const answer = await put(service, { email: 'ada@example.com', jobTitle: null, attributes });
    expect([answer.status, answer.body.attio?.code]).toEqual([422, 'uniqueness_conflict']);
    expect(answer.body.detail).toContain(other);
    expect(attio(service, recordId)['job_title']).toEqual(['Analyst']);
  });

  test('of one record, by its permissions, holds no other', async () => {
    await using service = await startWriting();
    const { id, recordId } = (await put(service, { email: 'forbidden@example.com' })).body.data;
    const match = { method: 'DELETE', path: `*/${recordId}` };
    service.sandbox.sandbox.addFault({ kind: 'status', status: 403, match });
    expect((await remove(service, id, '?attio=delete')).status).toBe(202);
    for (let turn = 0; turn < 12; turn += 1) {
      const { status } = await put(service, { email: `free-${turn}@example.com`, jobTitle: 'Free' });
      expect(status).toBe(200);
    }
    expect((await outbox(service)).pending).toBe(1);
    await recovered(service);
    expect(exists(service, recordId)).toBe(false);
  });
});

describe('an erasure', () => {
  test('finds also the record whose making was not heard of', async () => {
    await using service = await startWriting({ subscribe: false });
    const { sandbox } = service.sandbox;
    const before = size(service);
    sandbox.addFault({ kind: 'lost-answer', match: { method: 'POST', path: '*/people/records' }, count: 1 });
    const { body } = await put(
      service,
      { email: 'unheard@example.com', firstName: 'Unheard' },
      '?wait=false',
    );
    // Its answer was lost; what follows is not looked at.
    await until(async () => size(service) > before);
    await outage(service);
    await remove(service, body.data.id, '?erase=true&attio=delete');
    await recovered(service);
    await service.sync('people');
    expect(await contactsWith(service, 'unheard@example.com')).toEqual([]);
    const people = sandbox.act({
      method: 'POST',
      path: '/objects/people/records/query',
      body: { filter: { email_addresses: 'unheard@example.com' } },
    });
    expect(people).toEqual([]);
  });

  test('is possible of what is deleted already', async () => {
    await using service = await startWriting();
    const { id } = (await put(service, { email: 'gone@example.com', firstName: 'Gonzalo' })).body.data;
    expect((await remove(service, id)).status).toBe(200);
    expect((await remove(service, id)).status).toBe(410);
    expect((await remove(service, id, '?erase=true')).status).toBe(200);
    const { body } = await service.get('/v1/changes?limit=1000');
    expect(JSON.stringify(body)).not.toContain('Gonzalo');
    await delivered(service);
  });
});
