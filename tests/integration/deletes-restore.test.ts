import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { dropExpired } from '../../src/store/retention.ts';
import { ARCHIVED, deleted, EMAIL, restore } from '../support/archive.ts';
import { takeViolations } from '../support/exchanges.ts';
import { byExternalId, expectOneEach, recordDeletions } from '../support/identity.ts';
import type { TestService } from '../support/service.ts';
import {
  attio,
  conflicts,
  contact,
  contactStatus,
  contactsWith,
  delivered,
  everythingStored,
  kindsOf,
  letters,
  outage,
  person,
  put,
  quiet,
  recovered,
  removeContact,
  size,
  startWriting,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

describe('a contact that was deleted in Attio', () => {
  test('is restored under its id, with all its values, by a record that is made anew', async () => {
    await using service = await startWriting();
    const before = await deleted(service);
    const cursor = await service.latest();
    const answer = await restore(service, before.id);
    expect([answer.status, answer.body.sync.status]).toEqual([200, 'synced']);
    const { recordId } = answer.body.data;
    expect(recordId).not.toBe(before.recordId);
    expect(attio(service, recordId)).toMatchObject({
      name: [['Ada', 'Lovelace']],
      job_title: ['Analyst'],
      phone_numbers: ['+15550100001'],
      lead_source: ['Event'],
      interests: ['Analytics'],
      company: [before.companyRecordId],
    });
    expect(attio(service, recordId)['email_addresses']?.toSorted()).toEqual([EMAIL, 'ada@home.example']);
    const { attributes, emails, firstName, lastName, jobTitle, phone, externalId, companyRecordId } = before;
    await quiet(service);
    for (const id of [before.id, before.recordId, recordId]) {
      expect(await contact(service, id)).toMatchObject({ id: before.id, recordId, deletedAt: null });
    }
    const after = await contact(service, before.id);
    expect(after).toMatchObject({ firstName, lastName, jobTitle, phone, externalId, companyRecordId });
    expect([after.emails.toSorted(), after.attributes['lead_source']]).toEqual([
      emails.toSorted(),
      attributes['lead_source'],
    ]);
    // Followers were told that it is gone: it is told as created, once.
    const { data } = await service.changes(cursor);
    const own = data.filter(({ object, id }) => object === 'people' && [before.id, recordId].includes(id));
    expect(own).toMatchObject([{ type: 'record.created', id: before.id, source: 'local' }]);
    expect([await letters(service), await conflicts(service), recordDeletions(service)]).toEqual([
      [],
      [],
      [],
    ]);
    await service.sync('people');
    await expectOneEach(service);
  });

  test('asked for again and again is restored once', async () => {
    await using service = await startWriting();
    const { id } = await deleted(service);
    const before = size(service);
    const key = { 'idempotency-key': randomUUID() };
    const answers = await Promise.all([
      restore(service, id, '', key),
      restore(service, id),
      restore(service, id),
    ]);
    const again = await restore(service, id, '', key);
    expect([...answers, again].map(({ status }) => status)).toEqual(
      expect.not.arrayContaining([409, 410, 500]),
    );
    await delivered(service);
    expect(size(service)).toBe(before + 1);
    const later = await restore(service, id);
    expect([later.status, later.body.data.id]).toEqual([200, id]);
    expect(kindsOf(writes(service)).filter((kind) => kind === 'POST people')).toHaveLength(2);
  });

  test.each(['lost-answer', 'malformed', 'disconnect', 'hang'] as const)(
    'is not made twice when the answer fails (%s)',
    async (kind) => {
      await using service = await startWriting({ subscribe: false });
      const { id } = await deleted(service);
      const before = size(service);
      const match = { method: 'POST', path: '*/people/records' };
      service.sandbox.sandbox.addFault({ kind, match, count: 1 });
      expect([200, 202]).toContain((await restore(service, id)).status);
      await delivered(service);
      expect(size(service)).toBe(before + 1);
      expect(await contact(service, id)).toMatchObject({ jobTitle: 'Analyst', sync: { status: 'synced' } });
      await service.sync('people');
      await expectOneEach(service);
    },
  );

  test('while Attio is away is here at once, and there when it is back, also after a restart', async () => {
    await using service = await startWriting({ subscribe: false });
    const { id, recordId } = await deleted(service);
    await outage(service);
    const answer = await restore(service, id);
    expect([answer.status, answer.body.sync.status]).toEqual([202, 'pending']);
    expect(await contact(service, id)).toMatchObject({
      ...withoutKey(ARCHIVED),
      sync: { status: 'pending' },
    });
    expect(await contact(service, recordId)).toMatchObject({ id });
    await put(service, { email: EMAIL, jobTitle: 'Late' });
    await service.stop();
    await service.start();
    await recovered(service);
    const [found, ...others] = await contactsWith(service, EMAIL);
    expect([others, found?.id, found?.jobTitle]).toEqual([[], id, 'Late']);
    expect(attio(service, found?.recordId ?? '')).toMatchObject({
      job_title: ['Late'],
      phone_numbers: ['+15550100001'],
    });
    await service.sync('people');
    await expectOneEach(service);
  });

  test('is linked to the record that has its address by now, which keeps what it has', async () => {
    await using service = await startWriting({ subscribe: false });
    await service.sync('people');
    const { id } = await deleted(service);
    const recordId = person(service, { email_addresses: [EMAIL], job_title: 'Somebody else wrote this' });
    const before = size(service);
    const answer = await restore(service, id);
    expect([answer.status, answer.body.data.recordId, size(service)]).toEqual([200, recordId, before]);
    expect(attio(service, recordId)).toMatchObject({
      job_title: ['Somebody else wrote this'],
      name: [['Ada', 'Lovelace']],
      phone_numbers: ['+15550100001'],
    });
    expect(await contact(service, id)).toMatchObject({ recordId, externalId: 'crm:7' });
    await expectOneEach(service);
  });

  test('is not restored while another contact has its address: 409 names that one', async () => {
    await using service = await startWriting();
    const { id } = await deleted(service);
    const other = (await put(service, { email: EMAIL, jobTitle: 'New' })).body.data;
    const answer = await restore(service, id);
    expect(answer.status).toBe(409);
    expect(answer.body.detail).toContain(other.id);
    expect(await contactStatus(service, id)).toBe(410);
  });

  test('without an address is not restored: Attio would not know it again', async () => {
    await using service = await startWriting();
    const recordId = person(service, { job_title: 'Nameless' });
    await service.sync('people');
    service.sandbox.sandbox.deleteRecord({ object: 'people', recordId });
    await quiet(service);
    expect((await restore(service, recordId)).status).toBe(409);
    expect(await contactStatus(service, recordId)).toBe(410);
  });

  test('that Attio refuses to have back stays deleted, and the caller is told', async () => {
    await using service = await startWriting({ subscribe: false });
    const { id } = await deleted(service);
    const match = { method: 'POST', path: '*/people/records' };
    service.sandbox.sandbox.addFault({ kind: 'status', status: 400, code: 'validation_type', match });
    const answer = await restore(service, id);
    expect([answer.status, answer.body.attio?.code]).toEqual([422, 'validation_type']);
    expect(await contactStatus(service, id)).toBe(410);
    service.sandbox.sandbox.clearFaults();
    expect((await restore(service, id)).status).toBe(200);
    takeViolations();
  });

  test('comes back without what the workspace no longer has', async () => {
    await using service = await startWriting();
    const before = await deleted(service);
    const { sandbox } = service.sandbox;
    sandbox.deleteRecord({ object: 'companies', recordId: before.companyRecordId ?? '' });
    await quiet(service);
    const answer = await restore(service, before.id);
    expect(answer.status).toBe(200);
    expect(attio(service, answer.body.data.recordId)).toMatchObject({ job_title: ['Analyst'], company: [] });
  });

  test('after the time for it is over is 410, and its values are purged', async () => {
    await using service = await startWriting();
    const { id, recordId } = await deleted(service);
    const old = new Date(Date.now() - 31 * 24 * 60 * 60 * 1000).toISOString();
    for (const [table, where] of [
      ['entity', `id = '${id}'`],
      ['record', `record_id = '${recordId}'`],
    ]) {
      await service.database.rows(`update ${table} set deleted_at = '${old}' where ${where}`);
    }
    const answer = await restore(service, id);
    expect([answer.status, answer.body.detail]).toEqual([410, expect.stringContaining('30 days')]);
    await purge(service);
    for (const table of ['entity', 'record']) {
      expect(JSON.stringify(await service.database.rows(`select * from ${table}`))).not.toContain('Lovelace');
    }
    for (const one of [id, recordId]) expect(await contactStatus(service, one)).toBe(410);
    expect(await byExternalId(service, 'crm:7')).toEqual([]);
    expect((await put(service, { email: EMAIL, externalId: 'crm:7' })).status).toBe(200);
  });

  test('that was erased has nothing to restore', async () => {
    await using service = await startWriting();
    const { id } = await deleted(service);
    await removeContact(service, id, '?erase=true');
    expect((await restore(service, id)).status).toBe(410);
    expect(await everythingStored(service)).not.toContain('lovelace');
  });

  test('that never was is 404', async () => {
    await using service = await startWriting();
    expect((await restore(service, randomUUID())).status).toBe(404);
  });
});

function withoutKey({ email: _email, attributes: _attributes, ...rest }: typeof ARCHIVED) {
  return rest;
}

/** What housekeeping does every hour. */
async function purge(service: TestService): Promise<void> {
  const database = openDatabase(service.env['DATABASE_URL'] ?? '');
  const long = '1970-01-01T00:00:00.000Z';
  try {
    await dropExpired(
      database,
      {
        deliveries: long,
        settledEvents: long,
        keptEvents: long,
        changes: long,
        runs: long,
        writes: long,
        conflicts: long,
        keyedRequests: long,
        archived: new Date(Date.now() - 30 * 24 * 60 * 60 * 1000).toISOString(),
      },
      new AbortController().signal,
    );
  } finally {
    await database.destroy();
  }
}
