import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RedisClient } from '../../src/cache/redis-client.ts';
import { RedisPlan } from '../../src/queue/redis-plan.ts';
import { PrivateRedis } from '../support/private-redis.ts';
import { until } from '../support/service.ts';

const PACE = { atOnce: 3, windowMs: 600 };

let redis: PrivateRedis;
const clients: RedisClient[] = [];

beforeAll(async () => {
  redis = await PrivateRedis.start();
});
afterAll(async () => {
  for (const client of clients.splice(0)) client.close();
  await redis[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await redis.ask('FLUSHALL');
});

async function planOf(instanceId: string): Promise<RedisPlan & { readonly heard: string[] }> {
  const heard: string[] = [];
  let ready = 0;
  const client = new RedisClient({
    url: redis.url,
    instanceId,
    newId: () => crypto.randomUUID(),
    onMessage: () => {},
    onShared: (text) => heard.push(text),
    onPresent: () => {},
    onReady: () => (ready += 1),
    onLost: () => {},
  });
  clients.push(client);
  client.open('ours');
  await until(async () => ready === 2);
  await client.listen();
  return Object.assign(new RedisPlan({ redis: client, instanceId }), { heard });
}

async function turns(plan: RedisPlan, count: number, more: { isBack?: boolean; lane?: string } = {}) {
  const { isBack = false, lane = 'write' } = more;
  const reservation = await plan.reserve(lane, { pace: PACE, count, isBack });
  if (reservation.kind !== 'turns') throw new Error(`answered ${reservation.kind}`);
  return reservation.inMs;
}

function keysOf(ending: string): Promise<unknown> {
  return redis.ask('KEYS', `*:${ending}`);
}

/** By Redis' clock: the last ones that are planned. */
async function planned(): Promise<number[]> {
  const [key = ''] = (await keysOf('plan:write')) as string[]; // what KEYS answers
  return ((await redis.ask('LRANGE', key, '0', '-1')) as string[]).map(Number);
}

describe('turns', () => {
  test('are so many at once, and as many a window later', async () => {
    expect(await turns(await planOf('one'), 7)).toEqual([0, 0, 0, 600, 600, 600, 1200]);
  });

  test('of several instances are one plan, and of another lane another', async () => {
    const [one, two] = await Promise.all([planOf('one'), planOf('two')]);
    const all: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      await Promise.all([turns(one, 2), turns(two, 1)]);
      all.push(...(await planned()));
    }
    // Each round filled a window: whatever the rounds took, no window holds more.
    expect(all).toHaveLength(18);
    const windows = all.map((from) => all.filter((at) => at >= from && at < from + PACE.windowMs).length);
    expect(Math.max(...windows)).toBe(PACE.atOnce);
    expect(Math.max(...all) - Math.min(...all)).toBeGreaterThanOrEqual(5 * PACE.windowMs);
    expect(await turns(two, 1, { lane: 'read' })).toEqual([0]);
  });

  test('leave nothing behind when they are over', async () => {
    await turns(await planOf('one'), 3);
    await until(async () => ((await keysOf('plan:write')) as string[]).length === 0);
  });

  test('are planned anew when the clock has been set back by an hour', async () => {
    const plan = await planOf('one');
    await turns(plan, 3);
    const [key = ''] = (await keysOf('plan:write')) as string[]; // what KEYS answers
    await redis.ask('RPUSH', key, ...[1, 2, 3].map((each) => String(Date.now() + 3_600_000 + each)));
    expect(await turns(plan, 3)).toEqual([0, 0, 0]);
  });
});

describe('a pause', () => {
  test('is everybody’s, of its lane, the longest of several; who asked for it is not told', async () => {
    const [one, two] = await Promise.all([planOf('one'), planOf('two')]);
    await one.pause('write', 60_000);
    await one.pause('write', 1_000.5);
    const answer = await two.reserve('write', { pace: PACE, count: 1, isBack: false });
    expect(answer.kind === 'paused' && answer.ms > 50_000).toBe(true);
    expect(await turns(two, 1, { lane: 'read' })).toEqual([0]);
    await until(async () => one.heard.length === 2 && two.heard.length === 2);
    expect(two.heard.map((text) => two.readPause(text))).toEqual([
      { lane: 'write', ms: 60_000 },
      { lane: 'write', ms: 1_001 },
    ]);
    expect(one.heard.map((text) => one.readPause(text))).toEqual([null, null]);
  });

  test.each(['', 'x', 'null', '[]', '{"from":"two"}', '{"from":"two","lane":"write","pauseMs":"1"}'])(
    'is not read out of %j',
    async (text) => {
      expect((await planOf('one')).readPause(text)).toBeNull();
    },
  );
});

describe('after an outage', () => {
  test('all go by their shares until one moment, then by a plan that begins without a burst', async () => {
    const [one, two] = await Promise.all([planOf('one'), planOf('two')]);
    await turns(two, 3);
    const back = await one.reserve('write', { pace: PACE, count: 3, isBack: true });
    expect(back).toEqual({ kind: 'alone', ms: 1_000 });
    for (const isBack of [false, true]) {
      const other = await two.reserve('write', { pace: PACE, count: 3, isBack });
      expect(other.kind === 'alone' && other.ms <= 1_000).toBe(true);
    }
    expect(await turns(two, 1, { lane: 'read' })).toEqual([0]);
    const before = await planned();
    expect(before.map((at) => at - (before[0] ?? 0))).toEqual([0, 200, 400]);
    let first: readonly number[] = [];
    await until(async () => {
      const answer = await two.reserve('write', { pace: PACE, count: 3, isBack: false });
      if (answer.kind === 'turns') first = answer.inMs;
      return first.length > 0;
    });
    const [a = 0, b = 0, c = 0] = await planned();
    // As if a start had been planned every third of a window until then.
    expect([a, b, c]).toEqual(before.map((at) => Math.max(at + PACE.windowMs, a)));
  });

  test('one that comes back a little later begins at once', async () => {
    const [one, two] = await Promise.all([planOf('one'), planOf('two')]);
    await one.reserve('write', { pace: PACE, count: 1, isBack: true });
    await until(
      async () => (await one.reserve('write', { pace: PACE, count: 1, isBack: false })).kind === 'turns',
    );
    expect(await turns(two, 1, { isBack: true })).toHaveLength(1);
  });
});

test('an answer that is none is an error', async () => {
  for (const answer of [null, 'OK', [], ['turns'], ['turns', 'x'], ['what', 1]]) {
    const plan = new RedisPlan({
      instanceId: 'one',
      redis: { run: async () => answer, publish: async () => {} },
    });
    await expect(plan.reserve('write', { pace: PACE, count: 1, isBack: false })).rejects.toThrow();
  }
});
