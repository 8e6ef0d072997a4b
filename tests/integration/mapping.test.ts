/** Fields of ours that are other attributes than usual, or attributes of the workspace's own: both ways, by REST. */
import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { type MappingJson, startMapped } from '../support/mapping.ts';
import type { TestService } from '../support/service.ts';
import {
  attio,
  contact,
  outage,
  person,
  put,
  putCompany,
  quiet,
  recovered,
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
