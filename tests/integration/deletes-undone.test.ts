import { afterEach, describe, expect, test } from 'vitest';
import { ARCHIVED, deleted, restore } from '../support/archive.ts';
import { takeViolations } from '../support/exchanges.ts';
import { expectOneEach, made, recordDeletions } from '../support/identity.ts';
import {
  attio,
  type CompanyJson,
  contact,
  contactStatus,
  created,
  exists,
  outage,
  putCompany,
  quiet,
  recovered,
  removeContact,
  size,
  startWriting,
  type WrittenJson,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

describe('a contact that was removed here', () => {
  test('is restored with its record, as that is in Attio by now', async () => {
    await using service = await startWriting();
    const { id, recordId } = await made(service, ARCHIVED);
    await quiet(service);
    await removeContact(service, id);
    service.sandbox.sandbox.edit({ object: 'people', recordId, values: { job_title: 'Meanwhile' } });
    await quiet(service);
    service.sandbox.sandbox.clearRequests();
    const answer = await restore(service, id);
    expect([answer.status, writes(service)]).toEqual([200, []]);
    expect(answer.body.data).toMatchObject({ id, recordId, jobTitle: 'Meanwhile', externalId: 'crm:7' });
    service.sandbox.sandbox.edit({ object: 'people', recordId, values: { job_title: 'Followed' } });
    await quiet(service);
    expect(await contact(service, id)).toMatchObject({ jobTitle: 'Followed' });
  });

  test('and in Attio is made anew there', async () => {
    await using service = await startWriting();
    const { id, recordId } = await made(service, ARCHIVED);
    await quiet(service);
    await removeContact(service, id, '?attio=delete');
    const answer = await restore(service, id);
    expect([answer.status, answer.body.data.id]).toEqual([200, id]);
    expect(answer.body.data.recordId).not.toBe(recordId);
    expect(attio(service, answer.body.data.recordId)).toMatchObject({ job_title: ['Analyst'] });
    await quiet(service);
    await service.sync('people');
    await expectOneEach(service);
    expect(recordDeletions(service)).toHaveLength(1);
  });

  test('before its deletion reached Attio is not deleted there', async () => {
    await using service = await startWriting();
    const { id, recordId } = await made(service, ARCHIVED);
    await quiet(service);
    await outage(service);
    expect((await removeContact(service, id, '?attio=delete')).status).toBe(202);
    expect((await restore(service, id)).status).toBe(202);
    await recovered(service);
    await quiet(service);
    expect([exists(service, recordId), recordDeletions(service)]).toEqual([true, []]);
    expect(await contact(service, id)).toMatchObject({ recordId, jobTitle: 'Analyst' });
  });

  test('again, while it is being restored, stays removed', async () => {
    await using service = await startWriting({ subscribe: false });
    const { id } = await deleted(service);
    const before = size(service);
    await outage(service);
    await restore(service, id);
    await removeContact(service, id, '?attio=delete');
    await recovered(service);
    expect([await contactStatus(service, id), size(service)]).toEqual([410, before]);
  });
});

test('a company is restored as a contact is', async () => {
  await using service = await startWriting();
  const recordId = created(service, 'companies', {
    name: 'Archive',
    domains: ['archive.example', 'old.example'],
  });
  await service.sync('companies');
  await putCompany(service, { domain: 'archive.example', attributes: { categories: ['SAAS'] } });
  await quiet(service);
  service.sandbox.sandbox.deleteRecord({ object: 'companies', recordId });
  await quiet(service);
  expect((await service.get(`/v1/companies/${recordId}`)).status).toBe(410);
  const answer = await service.call<WrittenJson<CompanyJson>>('POST', `/v1/companies/${recordId}/restore`);
  expect([answer.status, answer.body.data.id]).toEqual([200, recordId]);
  expect(attio(service, answer.body.data.recordId, 'companies')).toMatchObject({
    name: ['Archive'],
    categories: ['SAAS'],
  });
  await quiet(service);
  const { body } = await service.get<{ data: CompanyJson }>(`/v1/companies/${recordId}`);
  expect(body.data.domains.toSorted()).toEqual(['archive.example', 'old.example']);
});
