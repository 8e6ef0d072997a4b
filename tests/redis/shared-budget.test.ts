import { expect, test } from 'vitest';
import production from '../../config/attio.production.json' with { type: 'json' };
import { Fleet } from '../support/fleet.ts';
import { PrivateRedis } from '../support/private-redis.ts';
import { until } from '../support/service.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

async function fleetOn(redis: PrivateRedis, size = 3): Promise<Fleet> {
  const fleet = new Fleet(Array.from({ length: size }, () => redis.url));
  await fleet.gathered();
  return fleet;
}

/** Waits until so many more requests have been sent. */
async function sail(fleet: Fleet, count: number): Promise<void> {
  const goal = fleet.sent.write.length + count;
  await until(async () => fleet.sent.write.length >= goal);
}

test('three busy instances together keep to the budget: Attio refuses next to nothing, and all is done', async () => {
  await using redis = await PrivateRedis.start();
  await using fleet = await fleetOn(redis);
  await Promise.all([fleet.requests(40, 'write'), fleet.requests(120, 'read')]);
  const sent = fleet.sent.write.length + fleet.sent.read.length;
  expect(sent - fleet.refused).toBe(120 + 360);
  // Three budgets would be refused by the hundred; all are in one process, whose stalls let a few arrive together.
  expect(fleet.refused / sent).toBeLessThanOrEqual(0.005);
});

test('one that is busy alone may use what the others leave', async () => {
  await using redis = await PrivateRedis.start();
  await using fleet = await fleetOn(redis);
  await fleet.requests(80, 'write', [1]);
  expect(fleet.refused).toBe(0);
  expect(fleet.sent.write.length).toBe(80);
  // Two of a share's starts may come close together.
  const share = Math.ceil(production.attio.writesPerSecond / fleet.ships.length) + 1;
  expect(fleet.busiestSecond('write')).toBeGreaterThan(share);
});

test('while nothing is to be sent, Redis is asked for no turn', async () => {
  await using redis = await PrivateRedis.start();
  await using fleet = await fleetOn(redis);
  await fleet.requests(3, 'write');
  const plans = async () => (await redis.ask('KEYS', '*:plan:*')) as string[]; // what KEYS answers
  expect(await plans()).toHaveLength(1);
  await until(async () => (await plans()).length === 0);
});

test.each(['stopped', 'frozen'] as const)(
  'Redis %s mid-way: each goes by its share, and all by the plan when it is back; Attio refuses nothing',
  async (how) => {
    await using redis = await PrivateRedis.start();
    await using fleet = await fleetOn(redis);
    const busy = fleet.busy();
    await sail(fleet, 30);
    if (how === 'stopped') await redis.stop('KILL');
    else redis.freeze();
    await fleet.goBy('shares');
    await sail(fleet, 60);
    if (how === 'stopped') await redis.start();
    else redis.thaw();
    await fleet.goBy('shared');
    await sail(fleet, 60);
    await busy.stop();
    expect(fleet.refused).toBe(0);
    expect(fleet.ships.map((ship) => ship.instances)).toEqual([3, 3, 3]);
  },
);

test('a Redis that answers late is not waited for, and is asked again until it is faster', async () => {
  await using redis = await PrivateRedis.start();
  await using proxy = await TcpProxy.before(redis.url);
  await using fleet = new Fleet([proxy.url, proxy.url, proxy.url]);
  await fleet.gathered();
  proxy.slowDown(150);
  await fleet.requests(1, 'write');
  // Who had waited for the answer would still go by the plan.
  expect(await Promise.all(fleet.ships.map((ship) => ship.isShared('write')))).toEqual([false, false, false]);
  proxy.slowDown(0);
  await until(async () => {
    await fleet.requests(1, 'write');
    return (await Promise.all(fleet.ships.map((ship) => ship.isShared('write')))).every(Boolean);
  });
});

test('without Redis at the start all go on, and share the budget when it comes', async () => {
  await using redis = await PrivateRedis.prepare();
  await using fleet = new Fleet([redis.url, redis.url]);
  await fleet.requests(2, 'write');
  expect(fleet.ships.map((ship) => ship.instances)).toEqual([1, 1]);
  await redis.start();
  await fleet.gathered();
  await fleet.requests(30, 'write');
  expect(fleet.refused).toBe(0);
});

test('who is told to wait by Attio makes the others wait, also those who come later', async () => {
  await using redis = await PrivateRedis.start();
  await using fleet = await fleetOn(redis, 2);
  const [first, second] = fleet.ships;
  first?.lanes.refused('write', { sentAt: Date.now(), askedMs: 3_000, random: 0 });
  const toldAt = Date.now();
  await until(async () => ((await redis.ask('PTTL', await keyOf(redis, ':pause:write'))) as number) > 0);
  await using late = new Fleet([redis.url]);
  await until(async () => late.ships[0]?.isShared('write') ?? false);
  await Promise.all([
    fleet.request(1, 'write'),
    late.request(0, 'write'),
    fleet.request(1, 'read').then(() => expect(Date.now() - toldAt).toBeLessThan(3_000)),
  ]);
  expect(second?.waitsMs.length).toBe(2);
  for (const at of [...fleet.sent.write, ...late.sent.write]) expect(at - toldAt).toBeGreaterThan(2_900);
});

async function keyOf(redis: PrivateRedis, ending: string): Promise<string> {
  const [key = 'none'] = (await redis.ask('KEYS', `*${ending}`)) as string[]; // what KEYS answers
  return key;
}
