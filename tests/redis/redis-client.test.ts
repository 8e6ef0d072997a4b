import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Place, RedisClient } from '../../src/cache/redis-client.ts';
import { PrivateRedis } from '../support/private-redis.ts';
import { until } from '../support/service.ts';

let redis: PrivateRedis;
const clients: RedisClient[] = [];

beforeAll(async () => {
  redis = await PrivateRedis.start();
});
afterAll(() => redis[Symbol.asyncDispose]());
beforeEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await redis.ask('FLUSHALL');
});

async function connect(instanceId: string, deployment = 'ours') {
  const heard: string[] = [];
  const shared: string[] = [];
  const present: number[] = [];
  let ready = 0;
  const client = new RedisClient({
    url: redis.url,
    instanceId,
    newId: () => crypto.randomUUID(),
    onMessage: (text) => heard.push(text),
    onShared: (text) => shared.push(text),
    onPresent: (instances) => present.push(instances),
    onReady: () => (ready += 1),
    onLost: () => {},
  });
  clients.push(client);
  client.open(deployment);
  await until(async () => ready === 2);
  await client.listen();
  return { client, heard, shared, present };
}

const place: Place = { namespace: 'ours', cache: 'record', key: 'people/a', subject: 'a' };
const theirs: Place = { ...place, namespace: 'theirs' };

async function keep(client: RedisClient, at: Place, text: string): Promise<void> {
  const { names } = await client.look(at);
  await client.keep(at, names, text, 60_000);
}

describe('what is kept', () => {
  test('is found by those who share the namespace, with the time that it has left', async () => {
    const [one, two] = await Promise.all([connect('one'), connect('two')]);
    expect((await one.client.look(place)).found).toBeNull();
    await keep(one.client, place, '{"v":1}');
    const { found } = await two.client.look(place);
    expect(found?.text).toBe('{"v":1}');
    expect(found?.ttlMs).toBeLessThanOrEqual(60_000);
    expect((await two.client.look(theirs)).found).toBeNull();
  });

  test('is not found once its subject is forgotten, in any namespace', async () => {
    const [one, two] = await Promise.all([connect('one'), connect('two')]);
    await keep(one.client, place, '1');
    await keep(two.client, theirs, '2');
    await keep(two.client, { ...theirs, key: 'people/b', subject: 'b' }, '3');
    await one.client.forget([place], [place], 'forgotten: a');
    expect((await one.client.look(place)).found).toBeNull();
    expect((await two.client.look(theirs)).found).toBeNull();
    expect((await two.client.look({ ...theirs, key: 'people/b', subject: 'b' })).found?.text).toBe('3');
    await until(async () => two.heard.length > 0);
    expect(two.heard).toEqual(['forgotten: a']);
    expect(await redis.ask('EXISTS', 'attio-bridge:cache:1:value:ours:record:people/a')).toBe(0);
  });

  test('is refused when its subject was forgotten after the look: it may be older', async () => {
    const [one, two] = await Promise.all([connect('one'), connect('two')]);
    const { names } = await two.client.look(place);
    await one.client.forget([place], [], 'm');
    await two.client.keep(place, names, 'old', 60_000);
    expect((await two.client.look(place)).found).toBeNull();
    await two.client.keep(place, names, 'old', 60_000);
    expect((await two.client.look(place)).found).toBeNull();
  });

  test('is refused, and not found, when everything was forgotten after the look', async () => {
    const { client } = await connect('one');
    const other = { ...place, subject: 'b', key: 'people/b' };
    await keep(client, other, '1');
    const { names } = await client.look(place);
    await client.forgetAll('all');
    await client.keep(place, names, 'old', 60_000);
    expect((await client.look(place)).found).toBeNull();
    expect((await client.look(other)).found).toBeNull();
  });

  test('is not found when Redis has dropped the names, as a full one does', async () => {
    const { client } = await connect('one');
    for (const key of ['attio-bridge:cache:1:name:record:a', 'attio-bridge:cache:1:epoch']) {
      await keep(client, place, '1');
      expect((await client.look(place)).found).not.toBeNull();
      await redis.ask('DEL', key);
      expect((await client.look(place)).found).toBeNull();
    }
  });

  test('all of it ends by itself, but one', async () => {
    const { client } = await connect('one');
    await client.ping();
    await keep(client, place, '1');
    const keys = (await redis.ask('KEYS', '*')) as string[]; // what KEYS answers
    const forGood: string[] = [];
    for (const key of keys) if (Number(await redis.ask('PTTL', key)) < 0) forGood.push(key);
    expect(forGood.toSorted()).toEqual(['attio-bridge:cache:1:epoch', 'attio-bridge:cache:1:instances']);
  });
});

describe('instances', () => {
  test('that have gone without leave are counted once by who arrives', async () => {
    const [one, two, three] = await Promise.all([connect('one'), connect('two'), connect('three')]);
    expect(await one.client.arrive()).toBe(0);
    expect(await two.client.arrive()).toBe(0);
    await one.client.leave();
    expect(await three.client.arrive()).toBe(0);
    await redis.ask('DEL', 'attio-bridge:cache:1:instance:two');
    expect(await one.client.arrive()).toBe(1);
    expect(await three.client.arrive()).toBe(0);
    // It was only held up.
    await two.client.ping();
    expect(await redis.ask('SCARD', 'attio-bridge:cache:1:instances')).toBe(3);
  });
});

test('a command without a connection fails at once', async () => {
  const { client } = await connect('one');
  client.close();
  await expect(client.look(place)).rejects.toThrow();
  await expect(client.ping()).rejects.toThrow();
});

describe('what instances of one deployment share', () => {
  test('is how many they are, without those who have left or are not heard of', async () => {
    const [one, two] = await Promise.all([connect('one'), connect('two')]);
    const stranger = await connect('stranger', 'theirs');
    const count = async () => {
      await one.client.ping();
      return one.present.at(-1);
    };
    await Promise.all([two.client.ping(), stranger.client.ping()]);
    expect(await count()).toBe(2);
    await two.client.leave();
    expect(await count()).toBe(1);
    await two.client.ping();
    expect(await count()).toBe(2);
    await until(async () => (await count()) === 1);
    expect(stranger.present).toEqual([1]);
  });

  test('are news, which no cache hears and no other deployment', async () => {
    const [one, two] = await Promise.all([connect('one'), connect('two')]);
    const stranger = await connect('stranger', 'theirs');
    await one.client.publish('news');
    await until(async () => two.shared.length > 0);
    await Promise.all([two.client.ping(), stranger.client.ping()]);
    expect([two.shared, two.heard, stranger.shared]).toEqual([['news'], [], []]);
  });

  test('are keys, which are another deployment’s under the same name', async () => {
    const [one, two] = await Promise.all([connect('one'), connect('two')]);
    const stranger = await connect('stranger', 'theirs');
    const increment = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
    expect(await one.client.run(increment, ['sum'], [2])).toBe(2);
    expect(await two.client.run(increment, ['sum'], [3])).toBe(5);
    expect(await stranger.client.run(increment, ['sum'], [1])).toBe(1);
  });
});
