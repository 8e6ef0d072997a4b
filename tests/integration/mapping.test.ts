/** Fields of ours that are other attributes than usual, or attributes of the workspace's own: both ways, by REST. */
import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { type MappingJson, startMapped } from '../support/mapping.ts';
import type { TestService } from '../support/service.ts';
import {
  attio,
  conflicts,
  contact,
  created,
  everythingStored,
  letters,
  outage,
  person,
  put,
  putCompany,
  quiet,
  recovered,
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

interface Problem {
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
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

async function faultsOf(service: TestService, body: object): Promise<string[]> {
  const answer = await put(service, { email: ADA, ...body });
  expect(answer.status).toBe(400);
  return ((answer.body as Problem).errors ?? []).map(({ path, message }) => `${path} ${message}`);
}

describe('a field that is another attribute', () => {
  test('is written there, and what stands there is shown', async () => {
    await using service = await startMapped(MAPPING);
    const { status, body } = await put(service, { email: ADA, jobTitle: 'Analyst' });
    expect([status, body.data.jobTitle]).toEqual([200, 'Analyst']);
    expect(attio(service, body.data.recordId)).toMatchObject({ role: ['Analyst'], job_title: [] });
    edit(service, body.data.recordId, { role: ['Head of analysis'], job_title: ['Not asked for'] });
    await quiet(service);
    const shown = await seen(service, body.data.id);
    expect(shown.jobTitle).toBe('Head of analysis');
    expect(shown.attributes).toMatchObject({ job_title: 'Not asked for' });
    expect(shown.attributes).not.toHaveProperty('role');
  });

  test('leaves the usual attribute to those who name it by its slug, and is named by its own', async () => {
    await using service = await startMapped(MAPPING);
    const { body } = await put(service, { email: ADA, attributes: { job_title: 'By slug' } });
    expect(attio(service, body.data.recordId)).toMatchObject({ role: [], job_title: ['By slug'] });
    expect(await faultsOf(service, { attributes: { role: 'Analyst' } })).toEqual([
      '/attributes/role has its own place beside attributes: send it as jobTitle',
    ]);
  });

  test('is seen by a full sync alone', async () => {
    await using service = await startMapped(MAPPING, { subscribe: true });
    const recordId = person(service, {
      email_addresses: [ADA],
      role: ['Analyst'],
      customer_tier: ['Gold customer'],
      phone_numbers: [{ original_phone_number: '+15550100001' }],
    });
    await service.sync('people');
    expect(await seen(service, recordId)).toMatchObject({
      jobTitle: 'Analyst',
      phone: '+15550100001',
      fields: { tier: 'gold' },
    });
  });
});

describe('a field that the configuration adds', () => {
  test('goes out in Attio’s words, and comes in in ours', async () => {
    await using service = await startMapped(MAPPING);
    const { status, body } = await put(service, { email: ADA, fields: { tier: 'gold' } });
    const written = body.data as Mapped;
    expect([status, written.fields]).toEqual([200, { tier: 'gold' }]);
    expect(written.attributes).not.toHaveProperty('customer_tier');
    expect(attio(service, written.recordId)['customer_tier']).toEqual(['Gold customer']);
    edit(service, written.recordId, { customer_tier: ['Silver customer'] });
    await quiet(service);
    expect((await seen(service, written.id)).fields).toEqual({ tier: 'silver' });
    // What the table does not have is shown as it is.
    edit(service, written.recordId, { customer_tier: ['Lead'] });
    await quiet(service);
    expect((await seen(service, written.id)).fields).toEqual({ tier: 'Lead' });
    await put(service, { email: ADA, fields: { tier: null } });
    expect(attio(service, written.recordId)['customer_tier']).toEqual([]);
    expect((await seen(service, written.id)).fields).toEqual({ tier: null });
  });

  test('is told in the feed by the slug of its attribute', async () => {
    await using service = await startMapped(MAPPING);
    const after = await service.latest();
    await put(service, { email: ADA, fields: { tier: 'silver' } });
    const change = await service.change(after, ({ changed }) => changed.includes('customer_tier'));
    expect(change.data.values['customer_tier']).toMatchObject({ title: 'Silver customer' });
  });

  test('is shown as asked for while Attio is away, and is there afterwards', async () => {
    await using service = await startMapped(MAPPING);
    await put(service, { email: ADA });
    await outage(service);
    const { status, body } = await put(service, { email: ADA, fields: { tier: 'gold' }, jobTitle: 'Later' });
    expect(status).toBe(202);
    expect(body.data).toMatchObject({ jobTitle: 'Later', fields: { tier: 'gold' } });
    await recovered(service);
    expect(attio(service, body.data.recordId)).toMatchObject({
      customer_tier: ['Gold customer'],
      role: ['Later'],
    });
  });

  test('takes part in a batch', async () => {
    await using service = await startMapped(MAPPING);
    const contacts = [
      { email: ADA, fields: { tier: 'gold' } },
      { email: 'bad@mapped.example', fields: { tier: 'golden' } },
    ];
    const { body } = await service.call<{ data: { rejected: { index: number; errors: object[] }[] } }>(
      'POST',
      '/v1/contacts/batch',
      { body: { contacts } },
    );
    expect(body.data.rejected).toEqual([
      { index: 1, errors: [{ path: '/fields/tier', message: 'must be one of "gold", "silver"' }] },
    ]);
    await quiet(service);
    const { body: found } = await service.get<{ data: Mapped[] }>(`/v1/contacts?email=${ADA}`);
    expect(found.data[0]?.fields).toEqual({ tier: 'gold' });
  });

  test('scales numbers without rounding', async () => {
    await using service = await startMapped(MAPPING);
    const answer = await putCompany(service, {
      domain: 'acme.example',
      fields: { budgetCents: 123_456_789 },
    });
    expect(answer.body.data).toMatchObject({ fields: { budgetCents: 123_456_789 } });
    expect(attio(service, answer.body.data.recordId, 'companies')['annual_budget']).toEqual([1_234_567.89]);
    const refused = await putCompany(service, { domain: 'acme.example', fields: { budgetCents: 'much' } });
    expect([refused.status, (refused.body as Problem).errors]).toEqual([
      400,
      [{ path: '/fields/budgetCents', message: expect.stringContaining('must be a number') }],
    ]);
  });
});

describe('what is refused', () => {
  test('is named by its place: read only, left out, unknown, not in the table', async () => {
    await using service = await startMapped(MAPPING);
    expect(
      await faultsOf(service, {
        phone: '+15550100001',
        company: { domain: 'acme.example' },
        fields: { teir: 'gold', tier: 'bronze' },
      }),
    ).toEqual([
      '/fields/teir is no field that the configuration of this service adds. Did you mean "tier"? There are: tier',
      '/fields/tier must be one of "gold", "silver"',
      '/phone is only read from Attio, as this service is configured: leave it out',
      '/company is left out by the configuration of this service: send it without',
    ]);
    expect(
      await faultsOf(service, {
        attributes: { phone_numbers: ['+15550100001'], company: null, erp_id: 'x' },
      }),
    ).toEqual([
      '/attributes/phone_numbers is only read from Attio, as this service is configured: leave it out',
      '/attributes/company is left out by the configuration of this service: send it without',
      '/attributes/erp_id has its own place beside attributes: send it as externalId',
    ]);
    const owned = await putCompany(service, { domain: 'acme.example', fields: { size: '1-10' } });
    expect([owned.status, (owned.body as Problem).errors]).toEqual([
      400,
      [
        {
          path: '/fields/size',
          message: 'is only read from Attio, as this service is configured: leave it out',
        },
      ],
    ]);
    expect(writes(service)).toEqual([]);
  });

  test('is any added field, where none is configured', async () => {
    await using service = await startMapped({});
    expect(await faultsOf(service, { fields: { tier: 'gold' } })).toEqual([
      '/fields/tier is no field: the configuration of this service adds none',
    ]);
    const { body } = await put(service, { email: ADA });
    expect(body.data).not.toHaveProperty('fields');
  });

  test('of a field that is left out, nothing is shown', async () => {
    await using service = await startMapped(MAPPING);
    const company = await putCompany(service, { domain: 'acme.example' });
    const recordId = person(service, {
      email_addresses: [ADA],
      company: [{ target_object: 'companies', target_record_id: company.body.data.recordId }],
    });
    await service.sync('people');
    const shown = await seen(service, recordId);
    expect(shown.companyRecordId).toBeNull();
    expect(shown.attributes).not.toHaveProperty('company');
  });
});

describe('a field that only goes out', () => {
  test('is written as we have it, and what somebody makes of it in Attio is put right and on record', async () => {
    await using service = await startMapped(MAPPING);
    const { body } = await put(service, { email: ADA, externalId: 'erp:1' });
    expect(attio(service, body.data.recordId)['erp_id']).toEqual(['erp:1']);
    await quiet(service);
    edit(service, body.data.recordId, { erp_id: ['erp:2'] });
    await quiet(service);
    await quiet(service);
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
    for (const value of ['theirs 1', 'theirs 2', 'theirs 3']) {
      edit(service, body.data.recordId, { erp_id: [value] });
      await quiet(service);
    }
    expect(attio(service, body.data.recordId)['erp_id']).toEqual(['theirs 3']);
    expect(await conflicts(service)).toHaveLength(1);
    await put(service, { email: ADA, jobTitle: 'Analyst' });
    expect(attio(service, body.data.recordId)).toMatchObject({ erp_id: ['erp:1'], role: ['Analyst'] });
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
    for (const value of ['once', 'twice']) {
      edit(service, recordId, { erp_id: [value] });
      await quiet(service);
    }
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
    edit(service, body.data.recordId, { erp_id: ['erp:other-secret'] });
    await quiet(service);
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
