/** Fields whose value is ours: written out, never read in, and put right. */
import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { type MappingJson, startMapped } from '../support/mapping.ts';
import { type TestService, until } from '../support/service.ts';
import {
  attio,
  conflicts,
  contact,
  created,
  everythingStored,
  letters,
  put,
  putCompany,
  quiet,
  removeContact,
  type WrittenContact,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const ADA = 'ada@mapped.example';

interface Mapped extends WrittenContact {
  readonly fields?: Readonly<Record<string, unknown>>;
}

const MAPPING: MappingJson = {
  people: {
    jobTitle: { attribute: 'role' },
    phone: { direction: 'in' },
    tier: {
      attribute: 'customer_tier',
      transform: { map: { gold: 'Gold customer', silver: 'silver CUSTOMER' } },
    },
    externalId: { attribute: 'erp_id' },
    company: { direction: 'none' },
  },
  companies: {
    externalId: { attribute: 'erp_id', transform: 'uppercase' },
    budgetCents: { attribute: 'annual_budget', transform: { scale: 100 } },
    size: { attribute: 'employee_range', direction: 'in', owner: 'attio' },
    label: { attribute: 'description', direction: 'out', transform: 'trim' },
  },
};

function edit(
  service: TestService,
  recordId: string,
  values: Record<string, unknown>,
  object = 'people',
): void {
  service.sandbox.sandbox.edit({ object, recordId, values });
}

async function seen(service: TestService, id: string): Promise<Mapped> {
  return contact(service, id);
}

/** Somebody sets our id in Attio, and it is put right. */
async function overruled(service: TestService, recordId: string, value: string): Promise<void> {
  edit(service, recordId, { erp_id: [value] });
  await until(async () => (await conflicts(service)).some(({ attio: theirs }) => theirs === value));
  await quiet(service);
}

describe('a field that only goes out', () => {
  test('is written as we have it, and what somebody makes of it in Attio is put right and on record', async () => {
    await using service = await startMapped(MAPPING);
    const { body } = await put(service, { email: ADA, externalId: 'erp:1' });
    expect(attio(service, body.data.recordId)['erp_id']).toEqual(['erp:1']);
    await quiet(service);
    await overruled(service, body.data.recordId, 'erp:2');
    expect(attio(service, body.data.recordId)['erp_id']).toEqual(['erp:1']);
    const shown = await seen(service, body.data.id);
    expect(shown.externalId).toBe('erp:1');
    expect(shown.attributes).not.toHaveProperty('erp_id');
    expect(await conflicts(service)).toMatchObject([
      { object: 'people', field: 'erp_id', base: 'erp:1', local: 'erp:1', attio: 'erp:2', decided: 'local' },
    ]);
  });

  test('does not quarrel: what is set again at once waits for the next write', async () => {
    await using service = await startMapped(MAPPING);
    const { body } = await put(service, { email: ADA, externalId: 'erp:1' });
    await quiet(service);
    await overruled(service, body.data.recordId, 'theirs 1');
    for (const value of ['theirs 2', 'theirs 3']) {
      edit(service, body.data.recordId, { erp_id: [value] });
      await quiet(service);
    }
    expect(attio(service, body.data.recordId)['erp_id']).toEqual(['theirs 3']);
    expect(await conflicts(service)).toHaveLength(1);
    await put(service, { email: ADA, jobTitle: 'Analyst' });
    expect(attio(service, body.data.recordId)).toMatchObject({ erp_id: ['erp:1'], role: ['Analyst'] });
  });

  test('is put right by a full sync, where it was left', async () => {
    await using service = await startMapped(MAPPING);
    const { body } = await put(service, { email: ADA, externalId: 'erp:1' });
    await quiet(service);
    await overruled(service, body.data.recordId, 'theirs 1');
    edit(service, body.data.recordId, { erp_id: ['theirs 2'] });
    await quiet(service);
    expect(attio(service, body.data.recordId)['erp_id']).toEqual(['theirs 2']);
    await service.sync('people');
    await quiet(service);
    expect(attio(service, body.data.recordId)['erp_id']).toEqual(['erp:1']);
    const onRecord = (await conflicts(service)).map((one) => [one.local, one.attio, one.decided]);
    expect(onRecord).toEqual([
      ['erp:1', 'theirs 1', 'local'],
      ['erp:1', 'theirs 2', 'local'],
    ]);
    service.sandbox.sandbox.clearRequests();
    await service.sync('people');
    await quiet(service);
    expect(writes(service)).toEqual([]);
  });

  test('follows its address to whom it has moved to, unheard', async () => {
    await using service = await startMapped({
      people: { ...MAPPING['people'], jobTitle: { attribute: 'role', direction: 'out' } },
    });
    const former = await put(service, { email: ADA, jobTitle: 'Hers', externalId: 'erp:1' });
    const holder = await put(service, { email: 'bob@mapped.example', jobTitle: 'His', externalId: 'erp:2' });
    await quiet(service);
    service.sandbox.sandbox.addFault({ kind: 'drop-webhooks' });
    edit(service, former.body.data.recordId, { email_addresses: [] });
    edit(service, holder.body.data.recordId, { email_addresses: ['bob@mapped.example', ADA] });
    const { body } = await put(service, { email: ADA, jobTitle: 'New', externalId: 'erp:3' });
    expect(body.data).toMatchObject({ id: holder.body.data.id, jobTitle: 'New', externalId: 'erp:3' });
    expect(await seen(service, former.body.data.id)).toMatchObject({ jobTitle: 'Hers', externalId: 'erp:1' });
    service.sandbox.sandbox.clearFaults();
    await service.sync('people');
    await quiet(service);
    const stands = (id: string) => attio(service, id);
    expect(stands(holder.body.data.recordId)).toMatchObject({ role: ['New'], erp_id: ['erp:3'] });
    expect(stands(former.body.data.recordId)).toMatchObject({ role: ['Hers'], erp_id: ['erp:1'] });
  });

  test('keeps what we have said, cleared too, whatever Attio shows', async () => {
    await using service = await startMapped(MAPPING);
    const { body } = await putCompany(service, {
      domain: 'acme.example',
      externalId: 'erp:a',
      fields: { label: '  Ours ' },
    });
    const { id, recordId } = body.data;
    expect(attio(service, recordId, 'companies')).toMatchObject({ description: ['Ours'], erp_id: ['ERP:A'] });
    const shown = async () =>
      (await service.get<{ data: { externalId: string; fields: object } }>(`/v1/companies/${id}`)).body.data;
    expect(await shown()).toMatchObject({ externalId: 'erp:a', fields: { label: 'Ours', size: null } });
    await quiet(service);
    edit(service, recordId, { description: ['Theirs'], employee_range: ['1-10'] }, 'companies');
    await quiet(service);
    expect(await shown()).toMatchObject({ fields: { label: 'Ours', size: '1-10' } });
    await putCompany(service, { domain: 'acme.example', fields: { label: null } });
    await quiet(service);
    edit(service, recordId, { description: ['Theirs again'] }, 'companies');
    await quiet(service);
    expect(await shown()).toMatchObject({ fields: { label: null } });
    expect(attio(service, recordId, 'companies')['description']).toEqual(['Theirs again']);
  });

  test('is no concern of whoever writes other fields: what Attio refuses of it leaves theirs alone', async () => {
    await using service = await startMapped(MAPPING);
    const { body } = await put(service, { email: ADA, externalId: 'erp:1' });
    const { id, recordId } = body.data;
    await quiet(service);
    await overruled(service, recordId, 'once');
    edit(service, recordId, { erp_id: ['twice'] });
    await quiet(service);
    service.sandbox.sandbox.addFault({
      kind: 'status',
      status: 400,
      code: 'validation_type',
      match: { method: 'PATCH', path: '/objects/people/records/*' },
      count: 1,
    });
    const { status, body: written } = await put(service, { email: ADA, jobTitle: 'Analyst' });
    expect([status, written.data.jobTitle]).toEqual([200, 'Analyst']);
    await quiet(service);
    expect(attio(service, recordId)).toMatchObject({ erp_id: ['twice'], role: ['Analyst'] });
    expect(await letters(service)).toMatchObject([{ kind: 'outbox', reason: 'validation_type' }]);
    expect((await seen(service, id)).externalId).toBe('erp:1');
  });

  test('is gone when the person is erased', async () => {
    await using service = await startMapped(MAPPING);
    const { body } = await put(service, { email: ADA, externalId: 'erp:secret', fields: { tier: 'gold' } });
    await quiet(service);
    await overruled(service, body.data.recordId, 'erp:other-secret');
    await removeContact(service, body.data.id, '?erase=true');
    const stored = await everythingStored(service);
    for (const value of ['erp:secret', 'erp:other-secret', '"gold"']) {
      expect(stored).not.toContain(value);
    }
  });

  test('shows nothing, and changes nothing, where we have never said anything', async () => {
    await using service = await startMapped(MAPPING);
    const recordId = created(service, 'companies', { domains: ['theirs.example'], description: ['Theirs'] });
    await service.sync('companies');
    const shown = async () =>
      (await service.get<{ data: { fields: object } }>(`/v1/companies/${recordId}`)).body.data;
    expect(await shown()).toMatchObject({ fields: { label: null } });
    edit(service, recordId, { description: ['Still theirs'] }, 'companies');
    await quiet(service);
    await putCompany(service, { domain: 'theirs.example', name: 'Ours' });
    expect(await shown()).toMatchObject({ name: 'Ours', fields: { label: null } });
    expect(attio(service, recordId, 'companies')['description']).toEqual(['Still theirs']);
  });

  test('goes back to what Attio has when Attio refuses it', async () => {
    await using service = await startMapped(MAPPING);
    const { body } = await putCompany(service, { domain: 'acme.example', fields: { label: 'Ours' } });
    service.sandbox.sandbox.addFault({
      kind: 'status',
      status: 400,
      code: 'validation_type',
      match: { method: 'PATCH', path: '/objects/companies/records/*' },
    });
    const refused = await putCompany(service, { domain: 'acme.example', fields: { label: 'Refused' } });
    expect(refused.status).toBe(422);
    service.sandbox.sandbox.clearFaults();
    const { body: after } = await service.get<{ data: { fields: object } }>(`/v1/companies/${body.data.id}`);
    expect(after.data.fields).toMatchObject({ label: 'Ours' });
  });
});
