import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { type ContactJson, type Run, startService, type TestService, until } from '../support/service.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const WORKSPACE = { people: 2_000, companies: 300, deals: 50 };

const QUERY = 'POST /objects/{object}/records/query';

describe('a full sync', () => {
  test('mirrors everything, and a second one writes no record', async () => {
    await using service = await startService({ sandbox: WORKSPACE, env: { SYNC_LISTS: 'none' } });
    const first = await service.sync('all');
    expect(first).toMatchObject({ status: 'succeeded', seen: 2_350, created: 2_350, updated: 0, deleted: 0 });
    expect(first.runs?.map((run) => [run.object, run.created])).toEqual([
      ['people', 2_000],
      ['companies', 300],
      ['deals', 50],
      ['notes', 0],
      ['tasks', 0],
    ]);
    const before = await recordRows(service);
    const second = await service.sync('all');
    expect(second).toMatchObject({
      status: 'succeeded',
      seen: 2_350,
      created: 0,
      updated: 0,
      unchanged: 2_350,
    });
    expect(await recordRows(service)).toEqual(before);
  });

  test('takes a record for unchanged whatever the order of its members, and whatever version has stored it', async () => {
    await using service = await startService({ sandbox: { people: 3, companies: 0, deals: 0 } });
    await service.sync('people');
    const [first, second, third] = await recordRows(service);
    const store = (row: Record<string, unknown> | undefined, hash: string) =>
      service.database.rows(
        `update record set hash = '${hash}', values_json = '${turned(row)}' where record_id = '${row?.['record_id']}'`,
      );
    await store(first, 'f'.repeat(43));
    await store(second, 'f'.repeat(64));
    const counts = { status: 'succeeded', created: 0, updated: 0, unchanged: 3 };
    expect(await service.sync('people')).toMatchObject(counts);
    const after = await recordRows(service);
    // What an earlier version has stored is stored as this one does, once.
    expect(after).toEqual([expect.objectContaining({ hash: 'f'.repeat(43) }), after[1], third]);
    expect(after[1]).toMatchObject({ hash: second?.['hash'], values_json: second?.['values_json'] });
    expect(await service.sync('people')).toMatchObject(counts);
    expect(await recordRows(service)).toEqual(after);
    const { body } = await service.get<{ data: unknown[] }>('/v1/changes');
    expect(body.data).toHaveLength(3);
  });

  test('finds what was deleted and merged behind its back, each right', async () => {
    await using service = await startService({ sandbox: WORKSPACE, subscribe: false });
    await service.sync('people');
    const { sandbox } = service.sandbox;
    const [a, b, c, d, e] = await someContacts(service);
    for (const gone of [a, b, c]) sandbox.deleteRecord({ object: 'people', recordId: gone.recordId });
    const survivor = sandbox.merge({
      object: 'people',
      primaryRecordId: d.recordId,
      secondaryRecordId: e.recordId,
    });
    const run = await service.sync('people');
    expect(run).toMatchObject({ status: 'succeeded', created: 1, updated: 0, deleted: 3, merged: 2 });
    for (const gone of [a, b, c]) expect((await service.get(`/v1/contacts/${gone.id}`)).status).toBe(410);
    for (const dead of [d, e]) {
      const { status, body } = await service.get<{ data: ContactJson }>(`/v1/contacts/${dead.id}`);
      expect(status).toBe(200);
      expect(body.data.recordId).toBe((survivor['id'] as { record_id: string }).record_id);
      expect(body.data.mergedFrom?.toSorted()).toEqual([d.id, e.id].sort());
      expect(body.data.emails).toEqual(expect.arrayContaining([d.email, e.email]));
    }
  });

  test('does not delete suspiciously much, unless told to', async () => {
    await using service = await startService({
      sandbox: { people: 120, companies: 0, deals: 0 },
      subscribe: false,
    });
    await service.sync('people');
    const { body } = await service.get<{ data: ContactJson[] }>('/v1/contacts?limit=51');
    for (const { recordId } of body.data)
      service.sandbox.sandbox.deleteRecord({ object: 'people', recordId });
    const braked = await service.sync('people');
    expect(braked).toMatchObject({ status: 'failed', deleted: 0 });
    expect(braked.error).toMatch(/51 of 120 people .* force=true/);
    expect((await service.get(`/v1/contacts/${body.data[0]?.id}`)).status).toBe(200);
    expect(await service.sync('people', '&force=true')).toMatchObject({ status: 'succeeded', deleted: 51 });
  });

  test('loses no record although records before it vanish while it pages', async () => {
    const deleted: string[] = [];
    await using service = await startService({
      sandbox: { people: 1_600, companies: 0, deals: 0, latencyMs: 5 },
      env: { NODE_ENV: 'development' },
      subscribe: false,
    });
    const { sandbox } = service.sandbox;
    const ids = [...sandbox.world.object('people').table.inOrder()].map((row) => row.id);
    // After the first pages are read, a hundred of their records go: everything behind moves forward.
    const vanish = until(async () => sandbox.requests().total > 3).then(() => {
      for (const recordId of ids.slice(10, 110)) {
        sandbox.deleteRecord({ object: 'people', recordId });
        deleted.push(recordId);
      }
    });
    const run = await service.sync('people', '&force=true');
    await vanish;
    expect(run.status).toBe('succeeded');
    await service.sync('people', '&force=true');
    const live = (await recordRows(service)).filter((row) => row['deleted_at'] === null);
    expect(live).toHaveLength(1_500);
    expect(deleted).toHaveLength(100);
  });

  test('runs once per object: a second call joins the first', async () => {
    await using service = await startService({ sandbox: { people: 1_000, latencyMs: 20 } });
    const starts = await Promise.all(
      Array.from({ length: 5 }, () =>
        service.call<{ data: { runId: string; alreadyRunning: boolean } }>('POST', '/v1/sync/people'),
      ),
    );
    expect(starts.map((start) => start.status)).toEqual([202, 202, 202, 202, 202]);
    expect(new Set(starts.map((start) => start.body.data.runId)).size).toBe(1);
    expect(starts.filter((start) => !start.body.data.alreadyRunning)).toHaveLength(1);
    expect((await service.sync('people')).runId).toBe(starts[0]?.body.data.runId);
  });

  test('can be cancelled', async () => {
    await using service = await startService({ sandbox: { people: 1_000, latencyMs: 200 } });
    const { body } = await service.call<{ data: { runId: string } }>('POST', '/v1/sync/all');
    const cancelled = await service.call<{ data: Run }>('DELETE', `/v1/sync/runs/${body.data.runId}`);
    expect(cancelled.body.data.status).toBe('cancelled');
    expect(cancelled.body.data.runs?.every((run) => run.status === 'cancelled')).toBe(true);
    expect((await service.sync('people')).status).toBe('succeeded');
  });

  test('that a stop cut off goes on under the same id, and reads no page twice', async () => {
    await using service = await startService({
      sandbox: { people: 3_000, companies: 0, deals: 0, latencyMs: 30 },
      subscribe: false,
    });
    const { body } = await service.call<{ data: { runId: string } }>('POST', '/v1/sync/people');
    const path = `/v1/sync/runs/${body.data.runId}`;
    await until(async () => (await service.get<{ data: Run }>(path)).body.data.pages >= 2);
    await service.stop();
    // What was sent before the stop has come in when this is answered.
    await fetch(`${service.sandbox.url}/v2/self`, { headers: { authorization: 'Bearer somebody' } });
    const { requests: before } = service.sandbox.sandbox.requests();
    await service.start();
    await until(async () => (await service.get<{ data: Run }>(path)).body.data.status !== 'running');
    const run = (await service.get<{ data: Run }>(path)).body.data;
    expect(run).toMatchObject({ status: 'succeeded', seen: 3_000, created: 3_000 });
    const { requests: after } = service.sandbox.sandbox.requests(String(before.at(-1)?.id));
    const offsets = after.flatMap(({ route, body }) => {
      return route === QUERY ? [Number((JSON.parse(body ?? '{}') as { offset?: number }).offset ?? 0)] : [];
    });
    // Of seven pages, as they are 500 long and overlap by 20, two were there; looks beyond the end do not count.
    const read = offsets.filter((offset) => offset < 3_000);
    expect(read.length).toBeLessThanOrEqual(7 - 2);
    expect(read).toHaveLength(new Set(read).size);
  });
});

type Five = [ContactJson, ContactJson, ContactJson, ContactJson, ContactJson];

async function someContacts(service: TestService): Promise<Five> {
  const { body } = await service.get<{ data: ContactJson[] }>('/v1/contacts?limit=5');
  return body.data as Five; // as many as were asked for
}

/** The values of a record, with the members of all objects in the opposite order. */
function turned(row: Record<string, unknown> | undefined): string {
  const turn = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(turn);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([name, member]) => [name, turn(member)]),
    );
  };
  return JSON.stringify(turn(JSON.parse(String(row?.['values_json'])))).replaceAll("'", "''");
}

function recordRows(service: TestService): Promise<Record<string, unknown>[]> {
  return service.database.rows('select * from record order by object, record_id');
}
