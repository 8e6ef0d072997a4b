import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { type ContactJson, startService, type TestService } from '../support/service.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const SMALL = { people: 5, companies: 2, deals: 1 };

interface WrittenJson {
  readonly data: ContactJson & { readonly attributes: Readonly<Record<string, unknown>> };
  readonly sync: { readonly status: string };
  readonly attio?: { readonly code: string };
}

describe('a write of addresses alone', () => {
  test('reaches Attio', async () => {
    await using service = await startService({ sandbox: SMALL });
    const { data } = (await put(service, ['ada@example.com'])).body;
    const added = await put(service, ['ada@example.com', 'ada@example.net']);
    expect(added.body.sync.status).toBe('synced');
    expect(attio(service, data.recordId)).toEqual(
      expect.arrayContaining(['ada@example.com', 'ada@example.net']),
    );
    await put(service, { replace: ['ada@example.com'] });
    expect(attio(service, data.recordId)).toEqual(['ada@example.com']);
  });

  test('is refused when somebody else has one of them', async () => {
    await using service = await startService({ sandbox: SMALL });
    await put(service, ['ada@example.com']);
    await put(service, ['bob@example.com'], 'bob@example.com');
    const taken = await put(service, ['bob@example.com']);
    expect(taken.status).toBe(422);
    expect(taken.body.attio?.code).toBe('uniqueness_conflict');
    const shown = await service.call<{ data: ContactJson[] }>('GET', '/v1/contacts?email=ada@example.com');
    expect(shown.body.data.map(({ emails }) => emails)).toEqual([['ada@example.com']]);
  });
});

function put(service: TestService, addresses: unknown, email = 'ada@example.com') {
  return service.call<WrittenJson>('PUT', '/v1/contacts', {
    body: { email, attributes: { email_addresses: addresses } },
  });
}

function attio(service: TestService, recordId: string): unknown[] {
  const record = service.sandbox.sandbox.act({
    method: 'GET',
    path: `/objects/people/records/${recordId}`,
  }) as { values: Record<string, Record<string, string>[]> };
  return (record.values['email_addresses'] ?? []).map((value) => value['email_address']);
}
