import { afterEach, describe, expect, test } from 'vitest';
import type { AppConfig } from '../../src/config.ts';
import { takeViolations } from '../support/exchanges.ts';
import { type ContactJson, startService, type TestService, until } from '../support/service.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const OPTIONS = { sandbox: { people: 5, companies: 2, deals: 1 }, configure: impatient };

/** A write was pending when its contact was removed. */
describe('a removal', () => {
  test.each(['keep', 'delete'])('is not undone when it is delivered (attio=%s)', async (attio) => {
    await using service = await startService(OPTIONS);
    const { id } = (await put(service, { firstName: 'Ada' })).body.data;
    await heldBack(service, { jobTitle: 'Analyst' });
    const removed = await service.call('DELETE', `/v1/contacts/${id}?attio=${attio}`);
    expect(removed.status).toBe(202);
    await delivered(service);
    expect((await service.get(`/v1/contacts/${id}`)).status).toBe(410);
    expect(jobTitles(service)).toEqual(attio === 'keep' ? ['Analyst'] : []);
  });

  test('takes back what Attio never had', async () => {
    await using service = await startService(OPTIONS);
    const { id } = await heldBack(service, { jobTitle: 'Analyst' });
    expect((await service.call('DELETE', `/v1/contacts/${id}`)).status).toBe(200);
    await delivered(service);
    expect((await service.get(`/v1/contacts/${id}`)).status).toBe(410);
    expect(jobTitles(service)).toEqual([]);
  });
});

function impatient(config: AppConfig): AppConfig {
  const breaker = { failures: 3, halfOpenAfterMs: 300, maxHalfOpenAfterMs: 500 };
  return { ...config, attio: { ...config.attio, attemptTimeoutMs: 500, breaker } };
}

function put(service: TestService, values: Readonly<Record<string, unknown>>) {
  const body = { email: 'ada@example.com', ...values };
  return service.call<{ data: ContactJson }>('PUT', '/v1/contacts?wait=true', { body });
}

async function heldBack(service: TestService, values: Readonly<Record<string, unknown>>) {
  service.sandbox.sandbox.addFault({ kind: 'status', status: 503 });
  const answer = await put(service, values);
  expect(answer.status).toBe(202);
  return answer.body.data;
}

async function delivered(service: TestService): Promise<void> {
  service.sandbox.sandbox.clearFaults();
  await until(async () => {
    const health = await service.get<{ checks: { outbox: { pending: number } } }>('/health');
    return health.body.checks.outbox.pending === 0;
  });
  await service.settled();
}

function jobTitles(service: TestService): unknown[] {
  const body = { filter: { email_addresses: 'ada@example.com' } };
  const people = service.sandbox.sandbox.act({
    method: 'POST',
    path: '/objects/people/records/query',
    body,
  }) as { values: Record<string, { value: string }[]> }[];
  return people.map(({ values }) => values['job_title']?.[0]?.value);
}
