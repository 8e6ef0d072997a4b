import { afterEach, describe, expect, test } from 'vitest';
import { post } from '../support/activity.ts';
import { DEAL, patchDeal, putDeal } from '../support/deals.ts';
import { takeViolations } from '../support/exchanges.ts';
import { type Change, type TestService, until } from '../support/service.ts';
import {
  attio,
  contact,
  contactsWith,
  outage,
  person,
  put,
  quiet,
  recovered,
  size,
  startWriting,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const EMAIL = 'ada@echo.example';

type Row = Change & { readonly source: string };

/** What the feed tells of people from a cursor on. */
async function told(service: TestService, cursor: string): Promise<Row[]> {
  const { data } = await service.changes(cursor);
  return (data as Row[]).filter((row) => row.object === 'people');
}

function reads(service: TestService): number {
  const { requests } = service.sandbox.sandbox.requests();
  return requests.filter(({ path }) => path.endsWith('/objects/people/records/query')).length;
}

describe('the webhooks of our own writes', () => {
  test('bring nothing new: one row per write on the feed, none sent to Attio, a look at the most', async () => {
    await using service = await startWriting();
    const cursor = await service.latest();
    const made = await put(service, { email: EMAIL, firstName: 'Ada', phone: '+15550100001' });
    await quiet(service);
    const changed = await put(service, {
      email: EMAIL,
      jobTitle: 'Analyst',
      lastName: 'King',
      phone: '+15550100002',
    });
    service.sandbox.sandbox.clearRequests();
    await quiet(service);
    expect([writes(service), reads(service)]).toEqual([[], expect.toSatisfy((count: number) => count <= 1)]);
    const rows = await told(service, cursor);
    expect(rows.map(({ type, source }) => [type, source])).toEqual([
      ['record.created', 'local'],
      ['record.updated', 'local'],
    ]);
    expect(rows[1]?.changed.toSorted()).toEqual(['job_title', 'name', 'phone_numbers']);
    expect(rows[1]?.data.values).toMatchObject({ job_title: 'Analyst' });
    expect(rows.map(({ id }) => id)).toEqual([made.body.data.id, made.body.data.id]);
    const after = await contact(service, made.body.data.id);
    expect(after).toMatchObject({ version: changed.body.data.version, sync: { status: 'synced' } });
    expect(await contactsWith(service, EMAIL)).toHaveLength(1);
  });

  test('may come before the answer: still one row of ours, and one contact', async () => {
    await using service = await startWriting();
    const cursor = await service.latest();
    const { sandbox } = service.sandbox;
    sandbox.addFault({
      kind: 'latency',
      ms: 390,
      match: { method: 'POST', path: '*/people/records' },
      count: 1,
    });
    const making = put(service, { email: EMAIL, firstName: 'Ada', externalId: 'x1' });
    await until(async () => (await told(service, cursor)).length > 0, 10_000).catch(() => {});
    const made = await making;
    await quiet(service);
    sandbox.addFault({ kind: 'latency', ms: 390, match: { method: 'PATCH' }, count: 1 });
    await put(service, { email: EMAIL, jobTitle: 'Analyst' });
    await quiet(service);
    expect((await told(service, cursor)).map(({ type, source, id }) => [type, source, id])).toEqual([
      ['record.created', 'local', made.body.data.id],
      ['record.updated', 'local', made.body.data.id],
    ]);
    expect(await contactsWith(service, EMAIL)).toMatchObject([
      { id: made.body.data.id, externalId: 'x1', jobTitle: 'Analyst', sync: { status: 'synced' } },
    ]);
    expect([size(service), writes(service).length]).toEqual([7, 2]);
  });

  test('of deals and tasks may come before all answers: each row is ours, and says what Attio had then', async () => {
    await using service = await startWriting({ configure: (config) => config });
    const cursor = await service.latest();
    const { sandbox } = service.sandbox;
    sandbox.addFault({
      kind: 'latency',
      ms: 1_000,
      match: { method: 'POST', path: '/objects/deals/records' },
    });
    sandbox.addFault({ kind: 'latency', ms: 1_000, match: { method: 'PATCH' } });
    // Attio gives it an owner of its own accord.
    const { id } = (await putDeal(service, DEAL)).body.data;
    for (const amount of [1, 2, 3]) await patchDeal(service, id, { value: { amount } }, '?wait=false');
    const task = (await post(service, 'tasks', { content: 'Call' })).body.data;
    await service.call('PATCH', `/v1/tasks/${task.id}`, { body: { isCompleted: true } });
    await quiet(service);
    const rows = (await service.changes(cursor)).data as Row[];
    expect(rows.filter(({ source }) => source !== 'local')).toEqual([]);
    const amounts = rows.flatMap(({ type, data }) => {
      const { value } = (data.values ?? {}) as { value?: { amount: number } };
      return type === 'record.updated' && value != null ? [value.amount] : [];
    });
    expect(amounts).toEqual([1, 2, 3]);
  });

  test('do not hide what a person changes while we write', async () => {
    await using service = await startWriting();
    const { recordId, id } = (await put(service, { email: EMAIL })).body.data;
    await quiet(service);
    const cursor = await service.latest();
    const { sandbox } = service.sandbox;
    sandbox.addFault({ kind: 'latency', ms: 300, match: { method: 'PATCH' }, count: 1 });
    const writing = put(service, { email: EMAIL, jobTitle: 'Ours' });
    await until(async () => attio(service, recordId)['job_title']?.[0] === 'Ours');
    sandbox.edit({ object: 'people', recordId, values: { internal_comment: 'Theirs' } });
    await writing;
    await quiet(service);
    expect(await contact(service, id)).toMatchObject({
      jobTitle: 'Ours',
      attributes: { internal_comment: 'Theirs' },
    });
    const rows = await told(service, cursor);
    expect(rows.flatMap(({ changed }) => changed).toSorted()).toEqual(['internal_comment', 'job_title']);
    const theirs = rows.filter(({ changed }) => changed.includes('internal_comment'));
    expect(theirs.map(({ source }) => source)).toEqual(['attio']);
  });
});

describe('the feed', () => {
  test('tells nothing of a write until Attio has it, and nothing of one that changes nothing', async () => {
    await using service = await startWriting();
    const { id, version } = (await put(service, { email: EMAIL, jobTitle: 'One' })).body.data;
    await quiet(service);
    const cursor = await service.latest();
    await outage(service);
    const pending = await put(service, { email: EMAIL, jobTitle: 'Two' });
    expect(pending.body.data.version).toBeGreaterThan(version);
    expect(await told(service, cursor)).toEqual([]);
    await recovered(service);
    await quiet(service);
    expect(await told(service, cursor)).toMatchObject([{ id, source: 'local', changed: ['job_title'] }]);
    const after = await contact(service, id);
    expect(after.version).toBeGreaterThan(version);
    const same = await put(service, { email: EMAIL, jobTitle: 'Two' });
    await quiet(service);
    expect(same.body.data.version).toBe(after.version);
    expect(await told(service, cursor)).toHaveLength(1);
  });

  test('tells a refused write by nothing at all', async () => {
    await using service = await startWriting();
    const recordId = person(service, { email_addresses: [EMAIL] });
    await quiet(service);
    const cursor = await service.latest();
    const refused = await put(service, { email: EMAIL, attributes: { referred_by: 'pigeon@x.example' } });
    expect(refused.status).toBe(422);
    await quiet(service);
    expect([await told(service, cursor), writes(service).length]).toEqual([[], 1]);
    expect(attio(service, recordId)['referred_by']).toEqual([]);
  });
});
