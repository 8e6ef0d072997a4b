import { expect, test } from 'vitest';
import { type ContactJson, type Run, until } from '../support/service.ts';
import { Several } from '../support/several.ts';

const SANDBOX = { people: 60, companies: 5, deals: 5 } as const;
const QUIET = { ...SANDBOX, rateLimits: false } as const;

type Written = { data: ContactJson; sync: { status: string } };

test('instances that start at once on an empty database are all ready, and migrate it once', async () => {
  await using several = await Several.start(3, { sandbox: SANDBOX });
  const done = await several.first.database.rows('select name from kysely_migration');
  expect(new Set(done.map((row) => row['name'])).size).toBe(done.length);
  for (const service of several.all) expect((await service.get('/health/ready')).status).toBe(200);
  expect(await several.first.database.rows('select id from instance')).toHaveLength(3);
});

test('of many events each is settled once, by one of the instances, and none twice', async () => {
  await using several = await Several.start(3, { sandbox: QUIET });
  await several.first.sync('people');
  const contacts = await several.first.get<{ data: ContactJson[] }>('/v1/contacts?limit=50');
  const cursor = await several.first.latest();
  await Promise.all(several.all.map((service) => service.stop()));
  // Nobody takes them in hand yet: all three find them at once.
  const { rows } = several.first.database;
  const { world } = several.first.sandbox.sandbox;
  for (const { recordId } of contacts.body.data) {
    several.first.sandbox.sandbox.edit({ object: 'people', recordId, values: { job_title: 'Found' } });
    const id = {
      workspace_id: world.workspace.id,
      object_id: world.object('people').id,
      record_id: recordId,
    };
    const payload = JSON.stringify({ event_type: 'record.updated', id, actor: { type: 'system', id: null } });
    await rows(`insert into inbox (event_type, workspace_id, payload_json, status, attempts, next_attempt_at, received_at)
      values ('record.updated', '${world.workspace.id}', '${payload}', 'pending', 0, '2020-01-01T00:00:00.000Z', '2020-01-01T00:00:00.000Z')`);
  }
  await rows('create table claimed (id bigint, by_whom text)');
  await rows(`create function note_claim() returns trigger as $$ begin
    if new.claimed_by is distinct from old.claimed_by then insert into claimed values (new.id, new.claimed_by); end if;
    return new; end $$ language plpgsql`);
  await rows('create trigger note_claim after update on inbox for each row execute function note_claim()');
  await several.startAll();
  await several.settled();
  const claims = await rows('select id, count(*) as n from claimed where by_whom is not null group by id');
  expect(claims.map((row) => Number(row['n']))).toEqual(Array.from({ length: 50 }, () => 1));
  const told = (await several.second.changes(cursor)).data.filter(
    (change) => change.type === 'record.updated' && change.data.values['job_title'] === 'Found',
  );
  expect(told).toHaveLength(50);
});

test('writes of one contact that come to different instances reach Attio in their order, and callers are told in time', async () => {
  await using several = await Several.start(3, {
    sandbox: SANDBOX,
    configure: (config) => ({ ...config, outbox: { ...config.outbox, writeWaitMs: 20_000 } }),
  });
  const email = 'in.order@example.com';
  await several.first.call('PUT', '/v1/contacts', { body: { email, jobTitle: 'Title 0' } });
  const answers = [];
  for (let turn = 1; turn <= 9; turn += 1) {
    const sent = several
      .at(turn % 3)
      .call<Written>('PUT', '/v1/contacts', { body: { email, jobTitle: `Title ${turn}` } });
    answers.push(sent);
    // The next one comes when this one is stored, and long before it is in Attio.
    await until(async () => {
      const [row] = await several.first.database.rows('select count(*) as n from outbox');
      return Number(row?.['n']) === turn + 1;
    });
  }
  const settled = await Promise.all(answers);
  expect(settled.map(({ status }) => status)).toEqual(settled.map(() => 200));
  const { requests } = several.first.sandbox.sandbox.requests();
  expect(
    requests.filter(({ method, path }) => method === 'POST' && /people\/records$/.test(path)),
  ).toHaveLength(1);
  const [{ id = '' } = {}] = (await several.first.get<{ data: ContactJson[] }>(`/v1/contacts?email=${email}`))
    .body.data as (ContactJson & { id?: string })[];
  const [row] = await several.first.database.rows(`select record_id from entity where id = '${id}'`);
  const { body } = await several.first.get<{ data: { values: { job_title: { value: string }[] } } }>(
    `/v1/records/people/${String(row?.['record_id'])}`,
  );
  expect(body.data.values.job_title[0]?.value).toBe('Title 9');
});

test('a follower at one instance hears at once of what another one has committed', async () => {
  await using several = await Several.start(2, { sandbox: SANDBOX });
  const cursor = await several.second.latest();
  const startedAt = Date.now();
  const followed = several.second.get<{ data: unknown[] }>(`/v1/changes?after=${cursor}&wait=25`);
  await several.first.call('PUT', '/v1/contacts', { body: { email: 'heard.of@example.com' } });
  expect((await followed).body.data.length).toBeGreaterThan(0);
  // The net under what nobody tells is 25 s wide.
  expect(Date.now() - startedAt).toBeLessThan(15_000);
});

test('a full sync that one instance runs is waited for, and cancelled, at another', async () => {
  await using several = await Several.start(2, {
    sandbox: { ...SANDBOX, people: 300, latencyMs: 200 },
    configure: (config) => ({ ...config, sync: { ...config.sync, pageSize: 20, overlap: 2, width: 1 } }),
  });
  const { first, second } = several;
  const begun = await first.call<{ data: { runId: string } }>('POST', '/v1/sync/people');
  const { runId } = begun.body.data;
  const joined = await second.call<{ data: { runId: string; alreadyRunning: boolean } }>(
    'POST',
    '/v1/sync/people',
  );
  expect(joined.body.data).toEqual({ runId, alreadyRunning: true });
  const waited = second.call<{ data: Run }>('POST', '/v1/sync/people?wait=true');
  const ended = await waited;
  expect(ended.body.data).toMatchObject({ runId, status: 'succeeded', seen: 300 });
  const again = await first.call<{ data: { runId: string } }>('POST', '/v1/sync/people');
  const cancelled = await second.call<{ data: Run }>('DELETE', `/v1/sync/runs/${again.body.data.runId}`);
  expect(cancelled.body.data.status).toBe('cancelled');
  const next = await first.call<{ data: Run }>('POST', '/v1/sync/people?wait=true');
  expect(next.body.data).toMatchObject({ status: 'succeeded', seen: 300 });
  expect(next.body.data.runId).not.toBe(again.body.data.runId);
});
