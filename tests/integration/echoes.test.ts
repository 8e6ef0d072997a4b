import { afterEach, describe, expect, test } from 'vitest';
import { stableUuid } from '../mocks/core/random.ts';
import { list, post } from '../support/activity.ts';
import { requestsOf } from '../support/echo-costs.ts';
import { echoCounts, gathering, remembered } from '../support/echoes.ts';
import { takeViolations } from '../support/exchanges.ts';
import { HeldDeliveries, PATIENT_DELIVERIES } from '../support/held-deliveries.ts';
import { type Change, freePort, prepareService, TestService, until } from '../support/service.ts';
import {
  contact,
  contactStatus,
  contactsWith,
  delivered,
  exists,
  put,
  quiet,
  removeContact,
  SMALL,
  startWriting,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const EMAIL = 'ada@echoes.example';
/** Whom Attio names for what is done by the service's token: a workflow may be it as well. */
const OUR_TOKEN = { type: 'api-token', id: stableUuid('token sandbox-token') } as const;

async function startHolding() {
  const deliveries = new HeldDeliveries();
  const service = await startWriting({
    sandbox: { ...SMALL, fetch: deliveries.fetch, deliveries: PATIENT_DELIVERIES },
    configure: gathering(1_500),
  });
  await service.confirmed();
  return { service, deliveries, sandbox: service.sandbox.sandbox };
}

/** What has come since. */
function newIn(ids: () => readonly string[]): () => string[] {
  const before = new Set(ids());
  return () => ids().filter((id) => !before.has(id));
}

type Row = Change & { readonly source: string };

/** What the feed tells from a cursor on: whose doing, and which attributes. */
async function told(service: TestService, cursor: string): Promise<string[]> {
  const { data } = await service.changes(cursor);
  return (data as Row[]).map(({ type, source, changed }) => `${type} ${source} ${changed.join('+')}`);
}

/** A contact that Attio has, with nothing left to be told of it. */
async function settledContact(service: TestService): Promise<{ id: string; recordId: string }> {
  const { data } = (await put(service, { email: EMAIL, jobTitle: 'Before' })).body;
  await quiet(service);
  return data;
}

describe('the webhooks of our own writes do not hide', () => {
  test('what a person writes over it right after', async () => {
    const { service, deliveries, sandbox } = await startHolding();
    await using _ = service;
    const { id, recordId } = await settledContact(service);
    const cursor = await service.latest();
    deliveries.hold();
    await put(service, { email: EMAIL, jobTitle: 'Ours' });
    sandbox.edit({ object: 'people', recordId, values: { job_title: 'Theirs' } });
    deliveries.release();
    await quiet(service);
    expect((await contact(service, id)).jobTitle).toBe('Theirs');
    expect(await told(service, cursor)).toEqual([
      'record.updated local job_title',
      'record.updated attio job_title',
    ]);
    expect(await echoCounts(service, 'people')).toEqual({ suppressed: 1, near_miss: 2 });
  });

  test('what a workflow does under our token, though only its event comes', async () => {
    const { service, sandbox } = await startHolding();
    await using _ = service;
    const { id, recordId } = await settledContact(service);
    const cursor = await service.latest();
    sandbox.addFault({ kind: 'drop-webhooks', match: { path: 'record.updated' }, count: 1 });
    await put(service, { email: EMAIL, jobTitle: 'Ours' });
    sandbox.edit({ object: 'people', recordId, values: { job_title: 'Workflow' }, actor: OUR_TOKEN });
    await quiet(service);
    expect((await contact(service, id)).jobTitle).toBe('Workflow');
    expect(await told(service, cursor)).toEqual([
      'record.updated local job_title',
      'record.updated attio job_title',
    ]);
  });

  test('what a workflow does to a record that we have just made', async () => {
    const { service, deliveries, sandbox } = await startHolding();
    await using _ = service;
    deliveries.hold();
    const { id, recordId } = (await put(service, { email: EMAIL, jobTitle: 'Ours' })).body.data;
    sandbox.edit({ object: 'people', recordId, values: { job_title: 'Workflow' }, actor: OUR_TOKEN });
    deliveries.release();
    await quiet(service);
    expect((await contact(service, id)).jobTitle).toBe('Workflow');
  });

  test('that somebody deletes what we have just made', async () => {
    const { service, deliveries, sandbox } = await startHolding();
    await using _ = service;
    deliveries.hold();
    const { id, recordId } = (await put(service, { email: EMAIL })).body.data;
    const note = (await post(service, 'notes', { recordId, title: 'Call', content: 'Two.' })).body.data;
    sandbox.act({ method: 'DELETE', path: `/notes/${note.noteId}` });
    deliveries.release();
    await quiet(service);
    expect(await list(service, 'notes', `?recordId=${recordId}`)).toEqual([]);
    deliveries.hold();
    sandbox.deleteRecord({ object: 'people', recordId });
    deliveries.release();
    await quiet(service);
    expect(await contactStatus(service, id)).toBe(410);
  });

  test('that it was deleted again before Attio has answered us', async () => {
    const { service, sandbox } = await startHolding();
    await using _ = service;
    const known = await settledContact(service);
    const people = newIn(() => [...sandbox.world.object('people').table.inOrder()].map(({ id }) => id));
    const notes = newIn(() => [...sandbox.world.notes.keys()]);
    sandbox.addFault({ kind: 'latency', ms: 4_500, match: { method: 'POST', path: '*/people/records' } });
    sandbox.addFault({ kind: 'latency', ms: 4_500, match: { method: 'POST', path: '/notes' } });
    const making = put(service, { email: 'brief@echoes.example' }, '?wait=false');
    const noting = post(service, 'notes', { recordId: known.recordId, title: 'Brief', content: 'Life.' });
    await until(async () => people().length === 1 && notes().length === 1);
    const [recordId = ''] = people();
    sandbox.deleteRecord({ object: 'people', recordId });
    sandbox.act({ method: 'DELETE', path: `/notes/${notes()[0]}` });
    const [{ body }] = await Promise.all([making, noting]);
    await quiet(service);
    await until(async () => (await contactStatus(service, body.data.id)) === 410);
    await until(async () => (await contactsWith(service, 'brief@echoes.example')).length === 0);
    await until(async () => (await list(service, 'notes', `?recordId=${known.recordId}`)).length === 0);
    expect(exists(service, recordId)).toBe(false);
  });
});

describe('the webhooks of one write', () => {
  const FIVE = {
    email: EMAIL,
    lastName: 'King',
    phone: '+15550100002',
    jobTitle: 'Engineer',
    attributes: { description: 'Two', lead_source: 'Website' },
  };

  test.each(['duplicate-webhooks', 'reorder-webhooks'] as const)(
    'share one read and make no row, also under %s',
    async (kind) => {
      const { service, deliveries, sandbox } = await startHolding();
      await using _ = service;
      await settledContact(service);
      const cursor = await service.latest();
      sandbox.addFault({ kind });
      deliveries.hold();
      await put(service, FIVE);
      sandbox.clearRequests();
      deliveries.release();
      await quiet(service);
      expect(requestsOf(service)).toEqual({ reads: 1, writes: 0 });
      expect(await told(service, cursor)).toHaveLength(1);
      expect(await echoCounts(service, 'people')).toEqual({ suppressed: 6 });
    },
  );

  test('share it with what Attio itself computes from them, and none answers it by a write', async () => {
    const { service, deliveries, sandbox } = await startHolding();
    await using _ = service;
    const { recordId } = await settledContact(service);
    const cursor = await service.latest();
    deliveries.hold();
    await put(service, FIVE);
    sandbox.clearRequests();
    const compute = (text: string) =>
      sandbox.edit({
        object: 'people',
        recordId,
        values: { internal_comment: text },
        actor: { type: 'system' },
      });
    compute('Computed from it');
    deliveries.release();
    await quiet(service);
    expect(requestsOf(service)).toEqual({ reads: 1, writes: 0 });
    compute('Computed once more');
    await quiet(service);
    expect(requestsOf(service)).toEqual({ reads: 2, writes: 0 });
    expect((await told(service, cursor)).slice(1)).toEqual([
      'record.updated attio internal_comment',
      'record.updated attio internal_comment',
    ]);
  });

  test('that Attio carried out though its answer was lost make one row of ours', async () => {
    const { service, sandbox } = await startHolding();
    await using _ = service;
    const { id } = await settledContact(service);
    const cursor = await service.latest();
    sandbox.addFault({ kind: 'lost-answer', match: { method: 'PATCH' }, count: 1 });
    sandbox.clearRequests();
    await put(service, FIVE);
    await quiet(service);
    expect(requestsOf(service).writes).toBe(1);
    expect(await told(service, cursor)).toEqual([
      'record.updated local description+job_title+lead_source+name+phone_numbers',
    ]);
    expect(await contact(service, id)).toMatchObject({ jobTitle: 'Engineer', sync: { status: 'synced' } });
  });
});

describe('what is remembered of our writes', () => {
  test('is known after a restart', async () => {
    const { service, deliveries, sandbox } = await startHolding();
    await using _ = service;
    const cursor = await service.latest();
    deliveries.hold();
    const { recordId } = (await put(service, { email: EMAIL, jobTitle: 'Ours' })).body.data;
    await post(service, 'notes', { recordId, title: 'Call', content: 'Two.' });
    await service.stop();
    await service.start();
    await service.confirmed();
    sandbox.clearRequests();
    deliveries.release();
    await quiet(service);
    expect(requestsOf(service)).toEqual({ reads: 0, writes: 0 });
    expect(await told(service, cursor)).toEqual([
      expect.stringMatching(/^record.created local /),
      expect.stringMatching(/^note.created local /),
    ]);
  });

  test('is known to another instance on the same database, to which the webhooks come', async () => {
    const deliveries = new HeldDeliveries();
    const port = await freePort();
    await using first = await prepareService({
      sandbox: {
        ...SMALL,
        fetch: deliveries.fetch,
        deliveries: PATIENT_DELIVERIES,
        deliverTo: `http://127.0.0.1:${port}/webhooks`,
      },
      configure: gathering(1_500),
    });
    const second = new TestService({
      sandbox: first.sandbox,
      secret: first.secret,
      database: first.database,
      overrides: {},
      configure: gathering(1_500),
      env: { ...first.env, PORT: String(port) },
    });
    await first.start();
    await second.start();
    try {
      await first.confirmed();
      await second.confirmed();
      const cursor = await second.latest();
      const { sandbox } = first.sandbox;
      deliveries.hold();
      const { recordId } = (await put(first, { email: EMAIL, jobTitle: 'Ours' })).body.data;
      await put(first, { email: EMAIL, jobTitle: 'Later', phone: '+15550100002' });
      await delivered(first);
      sandbox.clearRequests();
      deliveries.release();
      await quiet(second);
      expect(requestsOf(first)).toEqual({ reads: 1, writes: 0 });
      expect(await told(second, cursor)).toHaveLength(2);
      expect(await remembered(second, recordId)).not.toEqual([]);
    } finally {
      await second.stop();
    }
  });

  test('goes with an erased person', async () => {
    const { service } = await startHolding();
    await using _ = service;
    const { id, recordId } = await settledContact(service);
    const note = (await post(service, 'notes', { recordId, title: 'Call', content: 'Two.' })).body.data;
    expect(await remembered(service, recordId)).not.toEqual([]);
    expect(await remembered(service, note.noteId ?? '')).not.toEqual([]);
    await removeContact(service, id, '?erase=true');
    await quiet(service);
    expect(await remembered(service, recordId)).toEqual([]);
    expect(await remembered(service, note.noteId ?? '')).toEqual([]);
  });
});
