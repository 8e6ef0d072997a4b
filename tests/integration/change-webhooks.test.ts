import { afterEach, describe, expect, test } from 'vitest';
import { metric, recordIds, retitle } from '../support/automations.ts';
import { takeViolations } from '../support/exchanges.ts';
import { pushed, startPushing, webhook, webhooks } from '../support/pushes.ts';
import { Receiver, SECRET } from '../support/receiver.ts';
import { type Change, until } from '../support/service.ts';
import { put } from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

describe('a change', () => {
  test('is pushed as the feed has it, signed, with an id that tells it apart', async () => {
    await using receiver = await Receiver.start();
    await using service = await startPushing([receiver.url]);
    const after = await service.latest();
    const [id = ''] = recordIds(service);
    retitle(service, id, 'Pilot');
    await service.change(after, (change) => change.id === id);
    await pushed(service);
    const [row] = (await service.changes(after)).data;
    expect(receiver.attempts).toHaveLength(1);
    const [message] = receiver.attempts;
    expect(message).toMatchObject({ verified: true, id: expect.stringMatching(/^chg_\d+_[\da-f]{16}$/) });
    expect(message?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^attio-bridge\/\d/),
    });
    expect(message?.body).toEqual({
      type: 'record.updated',
      timestamp: (row as Change & { at: string }).at,
      data: row,
    });
    expect(await webhook(service)).toMatchObject({
      host: `127.0.0.1:${receiver.port}`,
      number: 1,
      status: 'active',
      pending: 0,
      dead: 0,
      lastError: null,
      lastSuccessAt: expect.any(String),
    });
    // It is counted when it is on the disk, which others may see a moment before.
    await until(async () => (await metric(service, 'change_deliveries_total{outcome="delivered"}')) === 1);
  });

  test('of our own making is pushed when Attio has confirmed it', async () => {
    await using receiver = await Receiver.start();
    await using service = await startPushing([receiver.url]);
    await put(service, { email: 'ada@example.com', firstName: 'Ada' });
    await until(async () => receiver.accepted.size > 0);
    expect(receiver.messages[0]?.body).toMatchObject({ type: 'record.created', data: { source: 'local' } });
  });

  test('is signed with every secret while it is being rotated', async () => {
    const next = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
    await using older = await Receiver.start();
    await using newer = await Receiver.start(next);
    const env = { CHANGE_WEBHOOK_SECRET: `${next} ${SECRET}` };
    await using service = await startPushing([older.url, newer.url], { env });
    retitle(service, recordIds(service)[0] ?? '', 'Pilot');
    await until(async () => older.accepted.size > 0 && newer.accepted.size > 0);
    for (const receiver of [older, newer]) expect(receiver.attempts[0]?.verified).toBe(true);
    expect(older.attempts[0]?.id).toBe(newer.attempts[0]?.id);
  });
});

describe('what comes before the first full sync has ended', () => {
  test('is not pushed, and what comes after it is', async () => {
    await using receiver = await Receiver.start();
    await using service = await startPushing([receiver.url], { sandbox: { companies: 3 } });
    const [company = ''] = recordIds(service, 'companies');
    const { sandbox } = service.sandbox;
    const after = await service.latest();
    sandbox.edit({ object: 'companies', recordId: company, values: { name: 'Early' } });
    await service.change(after, (change) => change.object === 'companies');
    await service.sync('companies');
    await pushed(service);
    expect(receiver.attempts).toEqual([]);
    sandbox.edit({ object: 'companies', recordId: company, values: { name: 'Late' } });
    await until(async () => receiver.accepted.size > 0);
    await pushed(service);
    expect(receiver.messages.map(({ body }) => body.data.data.values['name'])).toEqual(['Late']);
  });

  test('of a list, notes and tasks is not pushed either; comments are, which have no full sync', async () => {
    await using receiver = await Receiver.start();
    await using service = await startPushing([receiver.url]);
    const [recordId = ''] = recordIds(service);
    const told = (type: string) => receiver.messages.filter(({ body }) => body.type === type).length;
    const post = async (path: string, body: object) => {
      const answer = await service.call<{ data: { id: string } }>('POST', path, { body });
      expect(answer.status).toBe(200);
      return answer.body.data.id;
    };
    const entries = '/v1/pipelines/recruiting/entries';
    const entry = await post(entries, { recordId, stage: 'Applied' });
    await post('/v1/notes', { recordId, title: 'Early', content: 'note' });
    const task = await post('/v1/tasks', { content: 'Early', linkedRecords: [{ recordId }] });
    await post('/v1/comments', { recordId, content: 'Always', authorEmail: 'robin@example.com' });
    await pushed(service);
    expect(receiver.messages.map(({ body }) => body.type)).toEqual(['comment.created']);
    for (const run of ['lists/recruiting', 'notes', 'tasks']) {
      expect((await service.sync(run)).status).toBe('succeeded');
    }
    await service.call('PATCH', `${entries}/${entry}`, { body: { stage: 'Interview' } });
    await post('/v1/notes', { recordId, title: 'Late', content: 'note' });
    await service.call('PATCH', `/v1/tasks/${task}`, { body: { isCompleted: true } });
    await until(async () => told('entry.updated') + told('note.created') + told('task.updated') === 3);
    await pushed(service);
    expect(receiver.messages.map(({ body }) => body.type).toSorted()).toEqual([
      'comment.created',
      'entry.updated',
      'note.created',
      'task.updated',
    ]);
  });

  test('is pushed where the configuration says so', async () => {
    await using receiver = await Receiver.start();
    await using service = await startPushing([receiver.url], { settings: { firstSyncs: true } });
    await pushed(service);
    expect(receiver.messages.map(({ body }) => body.data.id).toSorted()).toEqual(
      recordIds(service).toSorted(),
    );
  });
});

test('changes of one record are pushed in order, those of others beside them, within the bound', async () => {
  await using receiver = await Receiver.start();
  await using service = await startPushing([receiver.url], {
    settings: { window: 4, retrySeconds: [1, 1, 1] },
  });
  const ids = recordIds(service).slice(0, 10);
  const after = await service.latest();
  // Each attempt is held for some turns of the loop, so that others could overtake it; five are refused once.
  const refused = new Set<string>();
  receiver.reply = async ({ id, body: { data } }) => {
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    const isThird = data.data.values['job_title'] === 'Round 3';
    if (isThird && ids.indexOf(data.id) < 5 && !refused.has(id)) {
      refused.add(id);
      return { status: 500 };
    }
    return {};
  };
  for (let round = 1; round <= 5; round += 1) {
    for (const id of ids) retitle(service, id, `Round ${round}`);
    await until(async () => (await service.changes(after)).data.length === 10 * round);
  }
  await pushed(service);
  const feed = (await service.changes(after)).data;
  for (const id of ids) {
    const told = receiver.messages.map(({ body }) => body.data).filter((change) => change.id === id);
    expect(told).toEqual(feed.filter((change) => change.id === id));
  }
  expect(refused.size).toBe(5);
  expect(receiver.mostUnderWay).toBeLessThanOrEqual(4);
  expect(receiver.mostUnderWay).toBeGreaterThan(1);
});

test('an address in the list is shown by its host alone, and one that is new starts from now', async () => {
  await using receiver = await Receiver.start();
  await using service = await startPushing([]);
  expect(await webhooks(service)).toEqual([]);
  await service.stop();
  service.env['CHANGE_WEBHOOK_URLS'] = receiver.url;
  await service.start();
  retitle(service, recordIds(service)[0] ?? '', 'Pilot');
  await until(async () => receiver.accepted.size > 0);
  await pushed(service);
  expect(receiver.attempts).toHaveLength(1);
  expect(JSON.stringify(await webhooks(service))).not.toContain('token=hidden');
});
