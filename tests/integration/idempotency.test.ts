import { expect, test } from 'vitest';
import { type Run, startService, type TestService } from '../support/service.ts';

/** Starts a run, with a key. */
function sync(service: TestService, key: string, query = '') {
  return service.call<{ data: Run }>('POST', `/v1/sync/people${query}`, {
    headers: { 'idempotency-key': key },
  });
}

test('a request that comes again gets the same answer, after a restart, too', async () => {
  await using service = await startService({ sandbox: { people: 20 }, subscribe: false });
  const first = await sync(service, 'k', '?wait=true');
  expect(first.status).toBe(200);
  await service.stop();
  await service.start();
  const again = await sync(service, 'k', '?wait=true');
  expect([again.status, again.body]).toEqual([200, first.body]);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect((await sync(service, 'k')).status).toBe(422);
  expect((await service.get<{ data: Run[] }>('/v1/sync/runs')).body.data).toHaveLength(1);
});

test('fifty twins at once are one', async () => {
  await using service = await startService({ sandbox: { people: 200, latencyMs: 50 }, subscribe: false });
  const answers = await Promise.all(Array.from({ length: 50 }, () => sync(service, 'k', '?wait=true')));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(answers.filter(({ headers }) => !headers.has('idempotency-replayed'))).toHaveLength(1);
  expect((await service.get<{ data: Run[] }>('/v1/sync/runs')).body.data).toHaveLength(1);
});

test('a request that a crash has cut off is done when it comes again', async () => {
  await using service = await startService({ sandbox: { people: 20 }, subscribe: false });
  const first = await sync(service, 'k', '?wait=true');
  await service.stop();
  await service.database.rows('update idempotency set status = null, content_type = null, body = null');
  await service.start();
  const again = await sync(service, 'k', '?wait=true');
  expect(again.status).toBe(200);
  expect(again.body.data.runId).not.toBe(first.body.data.runId);
});
