import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { ServiceProcess, WITH_SHORT_LEASE } from '../support/process.ts';
import { type ContactJson, prepareService, type Run, until } from '../support/service.ts';

/** How often the service is killed; more by hand: `CRASHES=20 npx vitest run tests/integration/crash.test.ts`. */
const CRASHES = Number(process.env['CRASHES'] ?? 3);

test('kill -9 amid deliveries loses no edit whose delivery was answered 202', async () => {
  await using service = await prepareService({
    sandbox: { people: 200, companies: 0, deals: 0 },
    subscribe: false,
  });
  const { sandbox } = service.sandbox;
  service.url = `http://127.0.0.1:${service.env['PORT']}`;
  const ids = [...sandbox.world.object('people').table.inOrder()].map((row) => row.id);
  const answered = new Map<string, string>();
  const edits = new Map<string, string[]>();
  for (let crash = 1; crash <= CRASHES; crash += 1) {
    const child = new ServiceProcess(service.env, WITH_SHORT_LEASE);
    await child.ready(service.url);
    let down = false;
    const sending = Array.from({ length: 4 }, async (_, lane) => {
      for (let turn = lane; !down; turn += 4) {
        const recordId = ids[turn % ids.length] ?? '';
        const title = `Edit ${crash}.${turn}`;
        sandbox.edit({ object: 'people', recordId, values: { job_title: title } });
        edits.set(recordId, [...(edits.get(recordId) ?? []), title]);
        const answer = await service
          .deliver(service.event('record.updated', 'people', recordId))
          .catch(() => null);
        if (answer?.status === 202) answered.set(recordId, title);
      }
    });
    const delay = AbortSignal.timeout(randomInt(20, 1_500));
    await new Promise((resolve) => delay.addEventListener('abort', resolve));
    await child.kill();
    down = true;
    await Promise.all(sending);
  }
  await service.start();
  await service.settled();
  expect(answered.size).toBeGreaterThan(0);
  for (const [recordId, title] of answered) {
    const { body } = await service.get<{ data: ContactJson }>(`/v1/contacts/${recordId}`);
    // Edits whose delivery was not answered may be missing, or there: only going back is wrong.
    const history = edits.get(recordId) ?? [];
    expect(history.indexOf(body.data.jobTitle ?? '')).toBeGreaterThanOrEqual(history.indexOf(title));
  }
});

test('a full sync that is killed three times ends complete, under the same id, without starting over', async () => {
  await using service = await prepareService({
    sandbox: { people: 6_000, companies: 0, deals: 0, latencyMs: 100, rateLimits: false },
    subscribe: false,
    env: { NODE_ENV: 'development', SERVICE_API_KEYS: 'another-key,test-service-key' },
  });
  service.url = `http://127.0.0.1:${service.env['PORT']}`;
  let runId = '';
  let pagesBefore = 0;
  const run = async () => (await service.get<{ data: Run }>(`/v1/sync/runs/${runId}`)).body.data;
  for (let crash = 1; crash <= 3; crash += 1) {
    const child = new ServiceProcess(service.env, WITH_SHORT_LEASE);
    await child.ready(service.url);
    if (runId === '') {
      runId = (await service.call<{ data: { runId: string } }>('POST', '/v1/sync/people')).body.data.runId;
    }
    await until(async () => (await run()).pages > pagesBefore);
    pagesBefore = (await run()).pages;
    await child.kill();
  }
  await service.start();
  await until(async () => (await run()).status !== 'running');
  expect(await run()).toMatchObject({ runId, status: 'succeeded', seen: 6_000, created: 6_000 });
  // 6,000 records are 13 pages of 500 with an overlap of 20; each crash costs at most the pages under way.
  const asked = service.sandbox.sandbox.requests().counts['POST /objects/{object}/records/query'] ?? 0;
  expect(asked).toBeLessThanOrEqual(13 + 4 + 3 * 4);
});
