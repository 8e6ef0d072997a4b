import { expect, onTestFinished, test } from 'vitest';
import { ServiceProcess, WITH_SHORT_LEASE } from '../support/process.ts';
import { type Run, type TestService, until } from '../support/service.ts';
import { Several } from '../support/several.ts';

const SANDBOX = { people: 300, companies: 2, deals: 2 } as const;
/** As many as an instance takes in hand, and more. */
const NOTES = 60;

/** The first instance as a process, which can be killed and paused; the second one is not started yet. */
async function withProcess(several: Several, env: Record<string, string> = {}): Promise<ServiceProcess> {
  const { first } = several;
  const child = new ServiceProcess({ ...first.env, ...env }, WITH_SHORT_LEASE);
  onTestFinished(async () => {
    child.signal('SIGCONT');
    await child.kill();
  });
  first.url = `http://127.0.0.1:${first.env['PORT']}`;
  await child.ready(first.url);
  await first.confirmed();
  return child;
}

async function addNotes(service: TestService, count: number): Promise<void> {
  const [person] = (await service.get<{ data: { recordId: string }[] }>('/v1/contacts?limit=1')).body.data;
  for (let index = 0; index < count; index += 1) {
    const body = { recordId: person?.recordId, title: `Note ${index}`, content: 'As asked' };
    const { status } = await service.call('POST', '/v1/notes?wait=false', { body });
    expect(status).toBe(202);
  }
}

async function titlesInAttio({ sandbox }: TestService): Promise<string[]> {
  const titles: string[] = [];
  for (let offset = 0; ; offset += 50) {
    const response = await fetch(`${sandbox.url}/v2/notes?limit=50&offset=${offset}`, {
      headers: { authorization: 'Bearer somebody' },
    });
    const { data } = (await response.json()) as { data: { title: string }[] };
    titles.push(...data.map(({ title }) => title).filter((title) => title.startsWith('Note ')));
    if (data.length < 50) return titles.toSorted();
  }
}

/** Notes each time that a row of the outbox is settled. */
async function noteEnds({ database: { rows } }: TestService): Promise<void> {
  await rows('create table ended (id bigint)');
  await rows(`create function note_end() returns trigger as $$ begin
    if new.settled_at is distinct from old.settled_at then insert into ended values (new.id); end if;
    return new; end $$ language plpgsql`);
  await rows('create trigger note_end after update on outbox for each row execute function note_end()');
}

async function expectEachOnce(service: TestService): Promise<void> {
  const titles = Array.from({ length: NOTES }, (_, index) => `Note ${index}`).toSorted();
  expect(await titlesInAttio(service)).toEqual(titles);
  const ends = await service.database.rows('select count(*) as n, count(distinct id) as ids from ended');
  expect(ends.map((row) => [Number(row['n']), Number(row['ids'])])).toEqual([[NOTES, NOTES]]);
}

/** More notes than an instance takes in hand, some of them in Attio and the rest on their way there. */
async function half(several: Several): Promise<void> {
  const { first } = several;
  await first.sync('people');
  await noteEnds(first);
  await addNotes(first, NOTES);
  await until(async () => (await titlesInAttio(first)).length >= 5);
}

const DEVELOPMENT = { NODE_ENV: 'development' };

test('what a killed instance had in hand is taken over, and nothing of it is made twice', async () => {
  await using several = await Several.prepare(2, { sandbox: SANDBOX, env: DEVELOPMENT });
  const child = await withProcess(several);
  await half(several);
  await child.kill();
  expect((await titlesInAttio(several.first)).length).toBeLessThan(NOTES);
  await several.second.start();
  await several.settled();
  await expectEachOnce(several.second);
});

test('an instance that was paused past its lease sends nothing and settles nothing of what is others’ by then', async () => {
  await using several = await Several.prepare(2, { sandbox: SANDBOX, env: DEVELOPMENT });
  const child = await withProcess(several);
  await half(several);
  const [before] = await several.first.database.rows('select id from instance');
  child.signal('SIGSTOP');
  expect((await titlesInAttio(several.first)).length).toBeLessThan(NOTES);
  await several.second.start();
  await several.settled();
  child.signal('SIGCONT');
  const { rows } = several.second.database;
  // It is there again, under another name.
  await until(async () => (await rows('select id from instance')).length === 2);
  expect((await rows('select id from instance')).map((row) => row['id'])).not.toContain(before?.['id']);
  await expectEachOnce(several.second);
  const body = { email: 'after.the.pause@example.com' };
  // What it had under way has run into its time limits meanwhile: its circuit may be open for a moment.
  await until(async () => (await several.first.call('PUT', '/v1/contacts', { body })).status === 200);
});

test('a full sync whose instance is killed goes on at another one, under its id and from its checkpoint', async () => {
  await using several = await Several.prepare(2, {
    sandbox: { ...SANDBOX, latencyMs: 150 },
    env: DEVELOPMENT,
    configure: (config) => ({ ...config, sync: { ...config.sync, pageSize: 20, overlap: 2, width: 1 } }),
  });
  const child = await withProcess(several, { TEST_PAGE_SIZE: '20' });
  await several.second.start();
  const begun = await several.first.call<{ data: { runId: string } }>('POST', '/v1/sync/people');
  const { runId } = begun.body.data;
  const waited = several.second.call<{ data: Run }>('POST', '/v1/sync/people?wait=true');
  const run = async () => (await several.second.get<{ data: Run }>(`/v1/sync/runs/${runId}`)).body.data;
  await until(async () => (await run()).pages >= 4);
  await child.kill();
  const { pages: pagesBefore } = await run();
  const { data } = (await waited).body;
  expect(data).toMatchObject({ runId, status: 'succeeded', seen: 300, deleted: 0 });
  expect(data.pages).toBeGreaterThan(pagesBefore);
  expect(await several.second.database.rows("select 1 from sync_run where object = 'people'")).toHaveLength(
    1,
  );
});
