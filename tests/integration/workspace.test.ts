import { expect, onTestFinished, test } from 'vitest';
import { startSandboxServer } from '../mocks/http-server.ts';
import { startService, until } from '../support/service.ts';

interface HealthJson {
  readonly status: string;
  readonly checks: {
    readonly attio: { readonly status: string; readonly problem?: string };
    readonly inbox: { readonly pending: number; readonly dead: number };
  };
}

test('a token of another workspace stops all syncing, is named, and what was accepted waits', async () => {
  await using service = await startService({ sandbox: { people: 10, seed: 1 }, subscribe: false });
  await service.sync('people');
  const [contact] = (await service.get<{ data: [{ id: string; recordId: string }] }>('/v1/contacts?limit=1'))
    .body.data;
  const ours = service.event('record.updated', 'people', contact.recordId);
  // Cut off: a run, and an event.
  service.sandbox.sandbox.addFault({ kind: 'hang', match: { path: '/records/query' } });
  const cutOff = await service.call<{ data: { runId: string } }>('POST', '/v1/sync/people');
  await service.deliver(ours);
  await service.stop();
  service.sandbox.sandbox.clearFaults();
  const other = await startSandboxServer({ seed: 2, people: 10 });
  onTestFinished(() => other.close());
  service.env['ATTIO_BASE_URL'] = `${other.url}/v2`;
  await service.start();
  const health = async () => (await service.get<HealthJson>('/health')).body;
  await until(async () => (await health()).checks.attio.status === 'wrong_workspace');
  const { status, checks } = await health();
  expect(status).toBe('degraded');
  expect(checks.attio.problem).toContain(other.sandbox.world.workspace.id);
  const refused = await service.call<{ detail: string }>('POST', '/v1/sync/people');
  expect(refused.status).toBe(503);
  expect(refused.body.detail).toContain('syncing is stopped');
  expect((await service.deliver(ours)).body).toEqual({ accepted: 1, duplicates: 0 });
  expect((await health()).checks.inbox.pending).toBe(2);
  expect(other.sandbox.requests().requests.filter((request) => request.path.includes('/records/'))).toEqual(
    [],
  );
  expect((await service.get(`/v1/contacts/${contact.id}`)).status).toBe(200);
  const { workspace } = other.sandbox.world;
  const theirs = {
    webhook_id: 'w',
    events: [{ event_type: 'list.created', id: { workspace_id: workspace.id, list_id: workspace.id } }],
  };
  expect((await service.deliver(theirs)).body).toEqual({ accepted: 0, duplicates: 0, quarantined: 1 });

  await service.stop();
  service.env['ATTIO_BASE_URL'] = `${service.sandbox.url}/v2`;
  await service.start();
  await service.settled();
  expect((await health()).checks.inbox).toMatchObject({ pending: 0, dead: 1 });
  const run = () =>
    service.get<{ data: { status: string; seen: number } }>(`/v1/sync/runs/${cutOff.body.data.runId}`);
  await until(async () => (await run()).body.data.status !== 'running');
  expect((await run()).body.data).toMatchObject({ status: 'succeeded', seen: 10, deleted: 0 });
});
