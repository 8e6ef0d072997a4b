import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { type ContactJson, startService, type TestService } from '../support/service.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const SMALL = { people: 30, companies: 5, deals: 5 };

interface WrittenJson {
  readonly data: ContactJson & {
    readonly lastName: string | null;
    readonly phone: string | null;
    readonly companyRecordId: string | null;
    readonly externalId: string | null;
    readonly attributes: Readonly<Record<string, unknown>>;
  };
  readonly sync: { readonly status: string; readonly recordId?: string; readonly code?: string };
}

describe('an upsert of a contact', () => {
  test('makes a person in Attio, and changes the one that is there', async () => {
    await using service = await startService({ sandbox: SMALL });
    await service.confirmed();
    const made = await put(service, {
      email: 'Ada@Example.com',
      firstName: 'Ada',
      lastName: 'Lovelace',
      phone: '+1 555 100 2000',
    });
    expect(made.status).toBe(200);
    expect(made.body.sync).toEqual({ status: 'synced', recordId: made.body.data.recordId });
    expect(attio(service, made.body.data.recordId)).toMatchObject({
      email_addresses: ['ada@example.com'],
      phone_numbers: ['+15551002000'],
      name: { first: 'Ada', last: 'Lovelace' },
    });
    const changed = await put(service, {
      email: 'ada@example.com',
      jobTitle: 'Analyst',
      firstName: 'Augusta',
    });
    expect(changed.body.data).toMatchObject({
      id: made.body.data.id,
      firstName: 'Augusta',
      lastName: 'Lovelace',
      jobTitle: 'Analyst',
    });
    expect(attio(service, made.body.data.recordId)).toMatchObject({
      name: { first: 'Augusta', last: 'Lovelace' },
    });
    expect(service.sandbox.sandbox.world.object('people').table.size).toBe(31);
  });
});

interface Person {
  readonly email_addresses: readonly string[];
  readonly phone_numbers: readonly string[];
  readonly name: { readonly first: string; readonly last: string };
}

function attio(service: TestService, recordId: string): Person {
  const record = service.sandbox.sandbox.act({
    method: 'GET',
    path: `/objects/people/records/${recordId}`,
  }) as {
    values: Record<string, Record<string, string>[]>;
  };
  const [name] = record.values['name'] ?? [];
  return {
    email_addresses: (record.values['email_addresses'] ?? []).map((value) => value['email_address'] ?? ''),
    phone_numbers: (record.values['phone_numbers'] ?? []).map((value) => value['phone_number'] ?? ''),
    name: { first: name?.['first_name'] ?? '', last: name?.['last_name'] ?? '' },
  };
}

function put(service: TestService, body: unknown, query = '') {
  return service.call<WrittenJson>('PUT', `/v1/contacts${query}`, { body });
}
