import { afterEach, describe, expect, test } from 'vitest';
import { metric, recordIds, retitle } from '../support/automations.ts';
import { cli, cliJson } from '../support/cli.ts';
import { takeViolations } from '../support/exchanges.ts';
import { pushed, pushLetters, startPushing, webhook, webhooks } from '../support/pushes.ts';
import { Receiver } from '../support/receiver.ts';
import { freePort, type TestService, until } from '../support/service.ts';
import { ShiftedClock } from '../support/shifted-clock.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const HOUR_MS = 60 * 60 * 1000;

/** Changes one person, and sees that the feed has it. */
async function edit(service: TestService, index: number, title: string): Promise<string> {
  const after = await service.latest();
  const id = recordIds(service)[index] ?? '';
  retitle(service, id, title);
  await service.change(after, (change) => change.id === id);
  return id;
}

function titles(receiver: Receiver): unknown[] {
  return receiver.messages.map(({ body }) => body.data.data.values['job_title']);
}

describe('a delivery that fails', () => {
  test.each([
    ['a server error', { status: 500 }, 'answered 500'],
    ['a refusal', { status: 401 }, 'answered 401'],
    [
      'a redirect, which is not followed',
      { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
      'answered 302; redirects are not followed',
    ],
    ['a connection that is cut', { cut: true }, /^could not be reached \((ECONNRESET|UND_ERR_SOCKET)\)$/],
    ['no answer in time', { hang: true }, 'did not answer within 0.5 s'],
  ])('by %s is made again, as the same message', async (_, reply, error) => {
    await using receiver = await Receiver.start();
    const settings = { retrySeconds: [1, 1], timeoutMs: 500 };
    await using service = await startPushing([receiver.url], { settings });
    receiver.reply = () => (receiver.attempts.length === 1 ? reply : {});
    await edit(service, 0, 'Pilot');
    await pushed(service);
    expect(receiver.attempts).toHaveLength(2);
    const [first, second] = receiver.attempts;
    expect(second?.id).toBe(first?.id);
    expect(second?.raw).toBe(first?.raw);
    expect(second?.verified).toBe(true);
    expect(Number(second?.headers['webhook-timestamp'])).toBeGreaterThan(
      Number(first?.headers['webhook-timestamp']),
    );
    expect((await webhook(service)).lastError).toMatch(error);
    expect(await webhook(service)).toMatchObject({ failingSince: null, status: 'active', dead: 0 });
    expect(await metric(service, 'change_deliveries_total{outcome="failed"}')).toBe(1);
  });

  test('waits as long as Retry-After asks, and so do the others of a receiver that is busy', async () => {
    const clock = new ShiftedClock();
    await using receiver = await Receiver.start();
    const overrides = { clock };
    await using service = await startPushing([receiver.url], { settings: { retrySeconds: [1] }, overrides });
    receiver.reply = () =>
      receiver.attempts.length === 1 ? { status: 429, headers: { 'retry-after': '3600' } } : {};
    await edit(service, 0, 'First');
    await until(async () => (await webhook(service)).lastError !== null);
    await edit(service, 1, 'Second');
    clock.shift(3_500_000);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(receiver.attempts).toHaveLength(1);
    clock.shift(200_000);
    await pushed(service);
    expect(titles(receiver).toSorted()).toEqual(['First', 'Second']);
  });

  test('for the last time is a dead letter, goes out of the way, and comes back when it is replayed', async () => {
    await using receiver = await Receiver.start();
    await using service = await startPushing([receiver.url], { settings: { retrySeconds: [1] } });
    receiver.reply = ({ body }) => (body.data.changed.length > 0 ? { status: 500 } : {});
    await edit(service, 0, 'Never taken');
    await until(async () => (await pushLetters(service)).length === 1);
    const [letter] = await pushLetters(service);
    expect(letter).toMatchObject({
      kind: 'notify',
      reason: 'attempts_exhausted',
      detail: `127.0.0.1:${receiver.port} answered 500`,
      eventType: 'record.updated',
      attempts: 2,
    });
    expect(await webhook(service)).toMatchObject({ pending: 0, dead: 1 });
    expect(await metric(service, 'dead_letters{kind="notify"}')).toBe(1);
    receiver.reply = () => ({});
    await edit(service, 0, 'Taken at once');
    await pushed(service);
    const shown = await cli(service.env, ['dead-letters', 'list', '--kind', 'notify']);
    expect(shown.stdout).toContain('attempts_exhausted');
    expect((await service.call('POST', `/v1/dead-letters/${letter?.id}/replay`)).status).toBe(200);
    await pushed(service);
    expect(titles(receiver)).toEqual(['Never taken', 'Taken at once']);
    const ids = receiver.attempts.map(({ id }) => id);
    // The same message in all of its attempts; the replay comes last.
    expect(ids.at(-1)).toBe(ids[0]);
    expect(new Set(ids).size).toBe(2);
    expect(await pushLetters(service)).toEqual([]);
  });

  test('holds up neither other records nor other addresses', async () => {
    await using slow = await Receiver.start();
    await using stubborn = await Receiver.start();
    await using well = await Receiver.start();
    const nobody = `http://127.0.0.1:${await freePort()}/`;
    const urls = [nobody, slow.url, stubborn.url, well.url];
    await using service = await startPushing(urls, { settings: { retrySeconds: [3600] } });
    const [first = ''] = recordIds(service);
    slow.reply = () => ({ hang: true });
    stubborn.reply = ({ body }) => (body.data.id === first ? { status: 500 } : {});
    for (let index = 0; index < 6; index += 1) await edit(service, index, 'One');
    await edit(service, 0, 'Two');
    await until(async () => well.accepted.size === 7);
    await until(async () => stubborn.accepted.size === 5);
    expect(slow.accepted.size).toBe(0);
    // The next change of the record waits for the one that is refused.
    expect(stubborn.attempts.filter(({ body }) => body.data.id === first)).toHaveLength(1);
    const states = await webhooks(service);
    expect(states.find(({ number }) => number === 1)?.lastError).toBe('could not be reached (ECONNREFUSED)');
    expect(states.map(({ number, pending }) => [number, pending]).toSorted()).toEqual([
      [1, 7],
      [2, 7],
      [3, 2],
      [4, 0],
    ]);
  });

  test('at every try makes few tries, however much waits', async () => {
    await using receiver = await Receiver.start();
    await using service = await startPushing([receiver.url], { settings: { window: 4 } });
    receiver.reply = () => ({ status: 503 });
    for (let index = 0; index < 20; index += 1) await edit(service, index, 'One');
    await until(async () => receiver.attempts.length >= 4);
    // Down after three failures, or as many as were under way; then one at a time, after pauses.
    expect(receiver.attempts.length).toBeLessThanOrEqual(12);
    receiver.reply = () => ({});
    await until(async () => receiver.accepted.size >= 16);
  });
});

describe('an address that is disabled', () => {
  test('by 410 Gone is pushed to no more, until it is enabled', async () => {
    await using receiver = await Receiver.start();
    await using service = await startPushing([receiver.url]);
    receiver.reply = () => ({ status: 410 });
    await edit(service, 0, 'First');
    await until(async () => (await webhook(service)).status === 'disabled');
    receiver.reply = () => ({});
    await edit(service, 1, 'Second');
    expect(receiver.attempts).toHaveLength(1);
    const { id, disabledReason } = await webhook(service);
    expect(disabledReason).toBe('answered 410 Gone');
    const health = await service.get<{ checks: { changeWebhooks: object } }>('/health');
    expect(health.body.checks.changeWebhooks).toMatchObject({ pending: 2, dead: 0, disabled: 1 });
    expect(await metric(service, 'change_webhooks_disabled')).toBe(1);
    expect((await cli(service.env, ['status'])).stdout).toContain('disabled');
    const listed = await cliJson<{ changeWebhooks: { id: string; status: string }[] }>(service.env, [
      'change-webhooks',
      'list',
    ]);
    expect(listed.body.changeWebhooks).toMatchObject([{ id, status: 'disabled' }]);
    const enabled = await cli(service.env, ['change-webhooks', 'enable', id]);
    expect(enabled).toMatchObject({ code: 0, stderr: '' });
    await pushed(service);
    expect(titles(receiver).toSorted()).toEqual(['First', 'Second']);
    expect(await webhook(service)).toMatchObject({ status: 'active', disabledReason: null });
  });

  test('after five days of failures stays so over a restart, and goes on where it was', async () => {
    const clock = new ShiftedClock();
    await using receiver = await Receiver.start();
    await using service = await startPushing([receiver.url], { overrides: { clock } });
    receiver.reply = () => ({ status: 500 });
    await edit(service, 0, 'First');
    await until(async () => receiver.attempts.length === 1);
    // The schedule: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h, each up to a tenth longer.
    const waits = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    for (const [index, seconds] of waits.entries()) {
      // Not as soon as it is received: when to try again counts from when it is noted.
      const noted = `select 1 as one from change_delivery where attempts = ${index + 1}`;
      await until(async () => (await service.database.rows(noted)).length === 1);
      clock.shift(seconds * 950);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(receiver.attempts).toHaveLength(index + 1);
      clock.shift(seconds * 160);
      await until(async () => receiver.attempts.length === index + 2);
    }
    await until(async () => (await pushLetters(service)).length === 1);
    expect(await webhook(service)).toMatchObject({ status: 'active', dead: 1 });
    clock.shift(40 * HOUR_MS);
    await edit(service, 1, 'Second');
    await until(async () => (await webhook(service)).status === 'disabled');
    expect((await webhook(service)).disabledReason).toBe(
      'failed for 120 hours without one success; at last it answered 500',
    );
    await service.stop();
    await service.start();
    receiver.reply = () => ({});
    await edit(service, 2, 'Third');
    const { id, pending } = await webhook(service);
    expect(pending).toBe(2);
    const [letter] = await pushLetters(service);
    const refused = await service.call<{ detail: string }>('POST', `/v1/dead-letters/${letter?.id}/replay`);
    expect(refused.status).toBe(422);
    expect(refused.body.detail).toContain('enable change webhook');
    expect((await service.call('POST', `/v1/change-webhooks/${id}/enable`)).status).toBe(200);
    await pushed(service);
    expect((await service.call('POST', '/v1/dead-letters/replay?kind=notify')).body).toEqual({
      data: { replayed: 1, refused: 0 },
    });
    await pushed(service);
    expect(titles(receiver).toSorted()).toEqual(['First', 'Second', 'Third']);
  });

  test('is unknown: enabling it is 404', async () => {
    await using service = await startPushing([]);
    expect((await service.call('POST', '/v1/change-webhooks/nobody/enable')).status).toBe(404);
  });
});
