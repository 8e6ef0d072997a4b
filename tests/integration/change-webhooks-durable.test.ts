import { afterEach, describe, expect, test } from 'vitest';
import { recordIds, retitle } from '../support/automations.ts';
import { ENGINE } from '../support/engines.ts';
import { takeViolations } from '../support/exchanges.ts';
import { ServiceProcess, WITH_SHORT_LEASE } from '../support/process.ts';
import { expectFollowed, pushed, pushLetters, startPushing, webhook } from '../support/pushes.ts';
import { Receiver } from '../support/receiver.ts';
import { until } from '../support/service.ts';
import { ShiftedClock } from '../support/shifted-clock.ts';
import { put, removeContact } from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

/** On PostgreSQL each waits for the lease of the process that was killed. */
const CRASHES = ENGINE === 'postgres' ? 1 : 3;
const DAY_MS = 24 * 60 * 60 * 1000;

describe('what is to be pushed', () => {
  test('is pushed after a stop in the middle, once as a rule and in order', async () => {
    await using receiver = await Receiver.start();
    await using service = await startPushing([receiver.url], {
      settings: { window: 3, retrySeconds: [1, 1] },
    });
    const after = await service.latest();
    receiver.reply = () => ({ hang: true });
    const ids = recordIds(service);
    for (const round of [1, 2]) {
      for (const id of ids) retitle(service, id, `Round ${round}`);
      await until(async () => (await service.changes(after)).data.length === round * ids.length);
    }
    await until(async () => receiver.attempts.length === 3);
    await service.stop();
    receiver.reply = () => ({});
    await service.start();
    await pushed(service);
    const feed = (await service.changes(after)).data;
    expect(feed).toHaveLength(2 * ids.length);
    expectFollowed(receiver, feed);
    // What was under way at the stop was made again: three, and no more.
    expect(receiver.attempts).toHaveLength(feed.length + 3);
  });

  test('survives kill -9 again and again: each change at least once, in order', async () => {
    await using receiver = await Receiver.start();
    await using service = await startPushing([receiver.url]);
    const after = await service.latest();
    const ids = recordIds(service);
    await service.stop();
    for (let crash = 1; crash <= CRASHES; crash += 1) {
      const child = new ServiceProcess(service.env, WITH_SHORT_LEASE);
      await child.ready(service.url);
      const before = receiver.attempts.length;
      for (const id of ids.slice(0, 8)) {
        retitle(service, id, `Crash ${crash}`);
        await service.deliver(service.event('record.updated', 'people', id));
      }
      // In the middle of pushing.
      await until(async () => receiver.attempts.length > before);
      await child.kill();
    }
    await service.start();
    await pushed(service);
    const feed = (await service.changes(after)).data;
    expect(feed.length).toBeGreaterThanOrEqual(8);
    expectFollowed(receiver, feed);
  });

  test('of a URL that is taken out waits, and goes on when it is back', async () => {
    await using receiver = await Receiver.start();
    await using service = await startPushing([receiver.url]);
    const [id = ''] = recordIds(service);
    await service.stop();
    service.env['CHANGE_WEBHOOK_URLS'] = '';
    await service.start();
    const after = await service.latest();
    retitle(service, id, 'Meanwhile');
    await service.change(after, (change) => change.id === id);
    expect(await webhook(service)).toMatchObject({ number: null, pending: 1 });
    expect(receiver.attempts).toEqual([]);
    await service.stop();
    service.env['CHANGE_WEBHOOK_URLS'] = receiver.url;
    await service.start();
    await pushed(service);
    expectFollowed(receiver, (await service.changes(after)).data);
  });

  test('outlives the time that changes are kept, also as a dead letter', async () => {
    const clock = new ShiftedClock();
    await using receiver = await Receiver.start();
    const settings = { retrySeconds: [1, 86_400], disableAfterHours: 10_000 };
    await using service = await startPushing([receiver.url], { settings, overrides: { clock } });
    const [first = '', second = '', third = ''] = recordIds(service);
    receiver.reply = ({ body }) => (body.data.id === third ? {} : { status: 500 });
    const edit = async (id: string, title: string) => {
      const after = await service.latest();
      retitle(service, id, title);
      await service.change(after, (change) => change.id === id);
    };
    await edit(first, 'Dead');
    // Not as soon as the second is received: when to try again counts from when it is noted.
    const noted = async () =>
      service.database.rows('select attempts from change_delivery where attempts = 2');
    await until(async () => (await noted()).length === 1);
    clock.shift(2 * DAY_MS);
    await until(async () => (await pushLetters(service)).length === 1);
    await edit(second, 'Waiting');
    await edit(third, 'Told');
    await until(async () => receiver.accepted.size === 1 && receiver.attempts.length >= 6);
    // What is told is noted, too: the housekeeping that follows drops what it finds.
    const untold = async () => (await service.database.rows('select id from change_delivery')).length;
    await until(async () => (await untold()) === 2);
    const rows = async () =>
      (await service.database.rows('select id from change order by seq')).map((row) => row['id']);
    expect((await rows()).slice(-3)).toEqual([first, second, third]);
    const old = (await service.get<{ nextCursor: string }>('/v1/changes?limit=1')).body.nextCursor;
    clock.shift(31 * DAY_MS);
    // What is told is dropped; what is not stays, and is not of the feed any more.
    await until(async () => !(await rows()).includes(third));
    expect((await service.get(`/v1/changes?after=${old}`)).status).toBe(410);
    expect((await service.changes(await service.latest())).data).toEqual([]);
    receiver.reply = () => ({});
    expect((await service.call('POST', '/v1/dead-letters/replay?kind=notify')).status).toBe(200);
    await pushed(service);
    await until(async () => (await pushLetters(service)).length === 0);
    await until(async () => receiver.accepted.size === 3 || (await pushLetters(service)).length > 0);
    expect(receiver.messages.map(({ body }) => body.data.id).toSorted()).toEqual(
      [first, second, third].toSorted(),
    );
    await until(async () => (await untold()) === 0);
    clock.shift(DAY_MS / 12);
    await until(async () => (await rows()).length === 0);
  });

  test('of a disabled URL is counted when it is dropped, and does not hold up the feed', async () => {
    const clock = new ShiftedClock();
    await using receiver = await Receiver.start();
    await using service = await startPushing([receiver.url], { overrides: { clock } });
    receiver.reply = () => ({ status: 410 });
    const ids = recordIds(service);
    const edit = async (index: number) => {
      const after = await service.latest();
      retitle(service, ids[index] ?? '', 'Pilot');
      await service.change(after, (change) => change.id === ids[index]);
    };
    await edit(0);
    await until(async () => (await webhook(service)).status === 'disabled');
    for (const index of [1, 2, 3]) await edit(index);
    clock.shift(31 * DAY_MS);
    await until(async () => (await webhook(service)).missed === 3);
    receiver.reply = () => ({});
    const { id } = await webhook(service);
    const enabled = await service.call<{ data: object }>('POST', `/v1/change-webhooks/${id}/enable`);
    expect(enabled.body.data).toMatchObject({ status: 'active', missed: 3 });
    await pushed(service);
    expect(receiver.messages.map(({ body }) => body.data.id)).toEqual([ids[0]]);
  });
});

test('of an erased person nothing waits to be pushed, and nothing is told any more', async () => {
  await using receiver = await Receiver.start();
  await using service = await startPushing([receiver.url], { settings: { retrySeconds: [1, 1, 1, 3_600] } });
  receiver.reply = () => ({ status: 500 });
  const person = { email: 'ada@gone.example', firstName: 'Zuzanna' };
  const { id } = (await put(service, person)).body.data;
  await until(async () => receiver.attempts.length >= 2);
  expect((await removeContact(service, id, '?erase=true&attio=delete')).status).toBeLessThan(300);
  const before = receiver.attempts.length;
  receiver.reply = () => ({});
  await pushed(service);
  const told = receiver.attempts.slice(before + 1);
  expect(told.length).toBeGreaterThan(0);
  for (const { raw, body } of told) {
    expect(raw).not.toMatch(/zuzanna|gone\.example/i);
    if (body.type !== 'record.deleted') expect(body.data.data).toEqual({ erased: true });
  }
});
