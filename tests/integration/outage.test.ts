import { describe, expect, test } from 'vitest';
import type { AppConfig } from '../../src/config.ts';
import type { FaultInput } from '../mocks/faults.ts';
import { type ContactJson, startService, type TestService, until } from '../support/service.ts';

/** The same outage in less time: what is asserted are counts, states and that everything settles. */
function impatient(config: AppConfig): AppConfig {
  return {
    ...config,
    attio: {
      ...config.attio,
      attemptTimeoutMs: 500,
      breaker: { failures: 3, halfOpenAfterMs: 500, maxHalfOpenAfterMs: 1_000 },
    },
    health: { probeEverySeconds: 1 },
  };
}

interface HealthJson {
  readonly status: string;
  readonly checks: {
    readonly attio: { readonly status: string; readonly circuit: string; readonly problem?: string };
    readonly inbox: { readonly pending: number; readonly dead: number };
  };
}

const FAULTS: [string, FaultInput][] = [
  ['answers 500', { kind: 'status', status: 500 }],
  ['answers 503 with a proxy page', { kind: 'status', status: 503 }],
  ['drops connections', { kind: 'disconnect' }],
  ['never answers', { kind: 'hang' }],
  ['answers broken JSON', { kind: 'malformed' }],
  ['answers a web page', { kind: 'malformed', html: true }],
];

describe.each(FAULTS)('while Attio %s', (_, fault) => {
  test('deliveries are accepted, health tells, reads go on, and all settles afterwards', async () => {
    await using service = await startService({
      sandbox: { people: 40, companies: 0, deals: 0 },
      subscribe: false,
      configure: impatient,
    });
    await service.sync('people');
    const { sandbox } = service.sandbox;
    const contacts = (await service.get<{ data: ContactJson[] }>('/v1/contacts')).body.data;
    sandbox.addFault(fault);
    sandbox.clearRequests();
    const startedAt = Date.now();
    for (const { recordId } of contacts) {
      sandbox.edit({ object: 'people', recordId, values: { job_title: 'Changed in the dark' } });
      expect((await service.deliver(service.event('record.updated', 'people', recordId))).status).toBe(202);
    }
    await until(async () => (await health(service)).checks.attio.circuit === 'open');
    expect((await health(service)).status).toBe('degraded');
    expect((await service.get(`/v1/contacts/${contacts[0]?.id}`)).status).toBe(200);
    expect((await health(service)).checks.inbox).toMatchObject({ pending: 40, dead: 0 });
    // Two requests a second at the most with circuits that open for half a second: those of health and the probes.
    const seconds = (Date.now() - startedAt) / 1000;
    expect(sandbox.requests().total).toBeLessThanOrEqual(6 + 4 * seconds);
    sandbox.clearFaults();
    await service.settled();
    await until(async () => (await health(service)).status === 'ok');
    const after = (await service.get<{ data: ContactJson[] }>('/v1/contacts')).body.data;
    expect(new Set(after.map((contact) => contact.jobTitle))).toEqual(new Set(['Changed in the dark']));
    expect((await health(service)).checks.inbox.dead).toBe(0);
  });
});

test('a service that starts while Attio is away accepts, and catches up when it comes', async () => {
  await using service = await startService({
    sandbox: { people: 10 },
    subscribe: false,
    configure: impatient,
    overrides: {},
  });
  await service.stop();
  service.sandbox.sandbox.addFault({ kind: 'disconnect' });
  await service.start();
  const recordId = [...service.sandbox.sandbox.world.object('people').table.inOrder()][0]?.id ?? '';
  expect((await service.get('/health/ready')).status).toBe(200);
  expect((await service.deliver(service.event('record.updated', 'people', recordId))).body.accepted).toBe(1);
  expect((await service.get(`/v1/records/people/${recordId}`)).status).toBe(503);
  service.sandbox.sandbox.clearFaults();
  await service.settled();
  expect((await service.get(`/v1/contacts/${recordId}`)).status).toBe(200);
});

test('a refused token is named by health, and nothing is discarded', async () => {
  await using service = await startService({
    sandbox: { people: 5 },
    subscribe: false,
    configure: impatient,
  });
  await service.sync('people');
  const { sandbox } = service.sandbox;
  const [contact] = (await service.get<{ data: [ContactJson] }>('/v1/contacts?limit=1')).body.data;
  sandbox.setToken('sandbox-token', false);
  sandbox.edit({ object: 'people', recordId: contact.recordId, values: { job_title: 'Later' } });
  await service.deliver(service.event('record.updated', 'people', contact.recordId));
  await until(async () => (await health(service)).checks.attio.status === 'refused');
  expect((await health(service)).checks.attio.problem).toMatch(/ATTIO_API_KEY/);
  expect((await health(service)).checks.inbox).toMatchObject({ pending: 1, dead: 0 });
  sandbox.setToken('sandbox-token', true);
  await service.settled();
  expect((await service.get<{ data: ContactJson }>(`/v1/contacts/${contact.id}`)).body.data.jobTitle).toBe(
    'Later',
  );
});

test('a full sync waits for the end of an outage and goes on', async () => {
  await using service = await startService({
    sandbox: { people: 1_500, companies: 0, deals: 0 },
    subscribe: false,
    configure: impatient,
  });
  const { sandbox } = service.sandbox;
  sandbox.addFault({ kind: 'status', status: 500 });
  const { body } = await service.call<{ data: { runId: string } }>('POST', '/v1/sync/people');
  await until(async () => (await health(service)).checks.attio.circuit === 'open');
  sandbox.clearFaults();
  const run = await service.sync('people');
  expect(run).toMatchObject({ runId: body.data.runId, status: 'succeeded', created: 1_500 });
});

async function health(service: TestService): Promise<HealthJson> {
  return (await service.get<HealthJson>('/health')).body;
}
