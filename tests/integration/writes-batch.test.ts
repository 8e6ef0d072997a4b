import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { type TestService, until } from '../support/service.ts';
import {
  attio,
  contactsWith,
  delivered,
  letters,
  outbox,
  put,
  size,
  startWriting,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

interface Receipt {
  readonly data: {
    readonly id: string;
    readonly accepted: number;
    readonly rejected: readonly { index: number; errors: readonly { path: string; message: string }[] }[];
  };
}

interface View {
  readonly total: number;
  readonly synced: number;
  readonly pending: number;
  readonly failed: number;
  readonly errors: readonly { index: number; code: string; message: string }[];
}

function send(service: TestService, contacts: readonly unknown[], headers: Record<string, string> = {}) {
  return service.call<Receipt>('POST', '/v1/contacts/batch', { body: { contacts }, headers });
}

async function view(service: TestService, id: string): Promise<View> {
  return (await service.get<{ data: View }>(`/v1/batches/${id}`)).body.data;
}

describe('a batch', () => {
  test('of 1000 contacts is taken in one request, and counts how they fare', async () => {
    await using service = await startWriting({
      sandbox: { people: 0, companies: 0, deals: 0, rateLimits: false },
    });
    await put(service, { email: 'warm@batch.example' });
    service.sandbox.sandbox.addFault({ kind: 'disconnect' });
    const contacts = Array.from({ length: 1_000 }, (_, index) => ({
      email: `p${index}@batch.example`,
      lastName: `Number ${index}`,
      company: { domain: `c${index % 10}.example` },
    }));
    const { status, body } = await send(service, contacts);
    expect([status, body.data]).toMatchObject([202, { accepted: 1_000, rejected: [] }]);
    expect(await view(service, body.data.id)).toMatchObject({ total: 1_000, synced: 0, pending: 1_000 });
    const { body: page } = await service.get<{ data: unknown[] }>('/v1/contacts?limit=1000');
    expect(page.data).toHaveLength(1_000);
    service.sandbox.sandbox.clearFaults();
    await until(async () => (await view(service, body.data.id)).synced >= 50);
    const { synced, pending, failed } = await view(service, body.data.id);
    expect([synced + pending, failed]).toEqual([1_000, 0]);
    expect(size(service, 'companies')).toBeLessThanOrEqual(10);
  });

  test('takes what is right, and says of the rest what is wrong with it', async () => {
    await using service = await startWriting();
    const { body } = await put(service, { email: 'old@batch.example', externalId: 'x1' });
    const receipt = await send(service, [
      { email: 'a@batch.example', attributes: { referred_by: 'pigeon@carrier.example' } },
      { email: 'not an address' },
      { email: 'b@batch.example', attributes: { no_such: 1 } },
      { email: 'c@batch.example', externalId: 'x1' },
      { email: 'd@batch.example', lastName: 'Good' },
      { email: 'old@batch.example', externalId: 'x2' },
      { email: 'e@batch.example', externalId: 'x1' },
      { email: 'f@batch.example', attributes: { lead_source: 'Referal' } },
    ]);
    expect([receipt.status, receipt.body.data.accepted]).toEqual([202, 4]);
    expect(receipt.body.data.rejected).toMatchObject([
      { index: 1, errors: [{ path: '/email' }] },
      { index: 2, errors: [{ path: '/attributes/no_such' }] },
      { index: 3, errors: [{ path: '/externalId', message: expect.stringContaining(body.data.id) }] },
      {
        index: 7,
        errors: [{ path: '/attributes/lead_source', message: expect.stringContaining('Referral') }],
      },
    ]);
    await delivered(service);
    expect(await view(service, receipt.body.data.id)).toMatchObject({
      total: 8,
      synced: 3,
      pending: 0,
      failed: 5,
      errors: [
        { index: 0, code: 'value_not_found' },
        { index: 1, code: 'rejected' },
        { index: 2, code: 'rejected' },
        { index: 3, code: 'rejected' },
        { index: 7, code: 'rejected' },
      ],
    });
    expect(await letters(service)).toMatchObject([{ kind: 'outbox', reason: 'value_not_found' }]);
    expect(await contactsWith(service, 'e@batch.example')).toMatchObject([{ externalId: 'x1' }]);
    expect(await contactsWith(service, 'c@batch.example')).toEqual([]);
  });

  test('that names an address twice keeps the order', async () => {
    await using service = await startWriting();
    const before = size(service);
    const twins = Array.from({ length: 10 }, (_, index) => ({
      email: index % 2 === 0 ? 'Twin@batch.example' : 'twin@Batch.example',
      jobTitle: `Title ${index}`,
      phone: `+1555010${2000 + index}`,
    }));
    const { body } = await send(service, twins);
    await delivered(service);
    const [contact, ...others] = await contactsWith(service, 'twin@batch.example');
    expect([contact?.jobTitle, others, size(service)]).toEqual(['Title 9', [], before + 1]);
    expect(attio(service, contact?.recordId ?? '')['phone_numbers']).toHaveLength(10);
    expect(await view(service, body.data.id)).toMatchObject({ total: 10, synced: 10, failed: 0 });
  });

  test('with the same key is taken once', async () => {
    await using service = await startWriting();
    const headers = { 'idempotency-key': 'batch-1' };
    const contacts = [{ email: 'once@batch.example', phone: '+15550100001' }];
    const [one, two] = [await send(service, contacts, headers), await send(service, contacts, headers)];
    expect([two.status, two.body]).toEqual([one.status, one.body]);
    await delivered(service);
    expect(writes(service)).toHaveLength(1);
  });

  test('of none, of too many, and of nothing but faults is refused', async () => {
    await using service = await startWriting();
    expect((await send(service, [])).status).toBe(400);
    const many = Array.from({ length: 1_001 }, (_, index) => ({ email: `p${index}@batch.example` }));
    expect((await send(service, many)).status).toBe(400);
    expect((await send(service, [{ email: 'x' }, { firstName: 'Ada' }])).status).toBe(400);
    const unknown = [{ email: 'a@batch.example', attributes: { no_such: 1 } }];
    expect((await send(service, unknown)).status).toBe(400);
    await put(service, { email: 'old@batch.example', externalId: 'x1' });
    const conflict = await send(service, [{ email: 'a@batch.example', externalId: 'x1' }]);
    expect(conflict.body.data).toMatchObject({ accepted: 0, rejected: [{ index: 0 }] });
    expect(await outbox(service)).toMatchObject({ pending: 0, dead: 0 });
  });

  test('that was never sent is not there', async () => {
    await using service = await startWriting();
    const answer = await service.get('/v1/batches/11111111-2222-4333-8444-555555555555');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      404,
      expect.stringContaining('problem+json'),
    ]);
  });
});
