import { expect, test } from 'vitest';
import { freshDatabase } from '../support/engines.ts';
import { type ContactJson, startService, until } from '../support/service.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const SANDBOX = { people: 10, companies: 0, deals: 0 };

test('a delivery that was stored, and whose commit was never answered, is refused, repeated, and done once', async () => {
  await using fresh = await freshDatabase('postgres');
  await using proxy = await TcpProxy.before(fresh.url);
  await using service = await startService({
    sandbox: SANDBOX,
    subscribe: false,
    env: { DATABASE_URL: proxy.url },
  });
  await service.sync('people');
  const [contact] = (await service.get<{ data: [ContactJson] }>('/v1/contacts?limit=1')).body.data;
  const cursor = await service.latest();
  const { sandbox } = service.sandbox;
  sandbox.edit({ object: 'people', recordId: contact.recordId, values: { job_title: 'Once' } });
  const body = service.event('record.updated', 'people', contact.recordId);
  proxy.loseCommitOf(contact.recordId);
  const first = await service.deliver(body, { key: 'the-same' });
  expect([first.status, first.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await fresh.rows('select status from inbox')).toEqual([{ status: 'pending' }]);
  const second = await service.deliver(body, { key: 'the-same' });
  expect([second.status, second.body]).toEqual([202, { accepted: 0, duplicates: 1 }]);
  await service.change(cursor, (change) => change.data.values['job_title'] === 'Once');
  expect((await service.changes(cursor)).data).toHaveLength(1);
});

test('a server that says nothing any more is down within the time of health, and waited for by nobody for ever', async () => {
  await using fresh = await freshDatabase('postgres');
  await using proxy = await TcpProxy.before(fresh.url);
  await using service = await startService({
    sandbox: SANDBOX,
    subscribe: false,
    env: { DATABASE_URL: proxy.url },
    configure: (config) => ({
      ...config,
      database: { ...config.database, connectTimeoutMs: 1_000, statementTimeoutMs: 1_000 },
    }),
  });
  await service.sync('people');
  const [contact] = (await service.get<{ data: [ContactJson] }>('/v1/contacts?limit=1')).body.data;
  proxy.goSilent();
  const startedAt = Date.now();
  const health = await service.get<{ status: string }>('/health');
  expect([health.status, health.body.status]).toEqual([503, 'down']);
  // Two seconds are promised; the rest is for machines that are busy with other tests.
  expect(Date.now() - startedAt).toBeLessThan(3_500);
  const event = service.event('record.updated', 'people', contact.recordId);
  const answers = await Promise.all([
    service.get(`/v1/contacts/${contact.id}`),
    service.get('/v1/changes?wait=1'),
    service.deliver(event),
    service.call('POST', '/v1/sync/people'),
  ]);
  for (const answer of answers) {
    expect([answer.status, Number(answer.headers.get('retry-after')) > 0]).toEqual([503, true]);
  }
  expect((await service.get('/metrics')).status).toBe(200);
  proxy.recover();
  await until(async () => (await service.get('/health/ready')).status === 200);
  expect((await service.deliver(event)).status).toBe(202);
  await service.settled();
  expect((await service.get(`/v1/contacts/${contact.id}`)).status).toBe(200);
});
