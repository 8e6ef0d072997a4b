import { expect, test } from 'vitest';
import { Instances } from '../support/instances.ts';
import { PrivateRedis } from '../support/private-redis.ts';
import { until } from '../support/service.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** Reads everybody from both instances, again and again. */
class Readers {
  readonly statuses = new Map<number, number>();
  #going = true;
  readonly #done: Promise<unknown>;

  constructor(instances: Instances, ids: readonly string[]) {
    this.#done = Promise.all(
      instances.both.map(async (service) => {
        for (let turn = 0; this.#going; turn += 1) {
          const { status } = await instances.read(service, ids[turn % ids.length] ?? '');
          this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
        }
      }),
    );
  }

  get count(): number {
    return [...this.statuses.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Waits for some more reads of both. */
  async goOn(): Promise<void> {
    const until = this.count + 40;
    while (this.count < until) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#done;
  }
}

async function allServe(instances: Instances, ids: readonly string[], title: string) {
  for (const service of instances.both) {
    for (const id of ids) await until(async () => (await instances.read(service, id)).title === title);
    const again = await Promise.all(ids.map((id) => instances.read(service, id)));
    expect(new Set(again.map((read) => read.title))).toEqual(new Set([title]));
  }
}

async function change(instances: Instances, ids: readonly string[], title: string) {
  for (const id of ids) await instances.edit(id, title);
}

test('Redis stopped and started under reads: none fails, and none is stale afterwards', async () => {
  await using instances = await Instances.start();
  const ids = await instances.people(8);
  const readers = new Readers(instances, ids);
  await readers.goOn();
  await instances.redis.stop('TERM');
  await instances.redisIs('down');
  await readers.goOn();
  await change(instances, ids, 'While it was away');
  await readers.goOn();
  await instances.redis.start();
  await instances.redisIs('ok');
  await allServe(instances, ids, 'While it was away');
  await change(instances, ids, 'Back');
  await allServe(instances, ids, 'Back');
  await readers.stop();
  expect([...readers.statuses.keys()]).toEqual([200]);
});

test('what Redis has saved before a webhook is not served after its crash', async () => {
  await using instances = await Instances.start();
  const ids = await readUntilStored(instances, instances.both);
  await instances.redis.ask('SAVE');
  await change(instances, ids, 'New');
  await allServe(instances, ids, 'New');
  await instances.redis.stop('KILL');
  await instances.redisIs('down');
  await instances.redis.start();
  expect((await valuesIn(instances)).length).toBeGreaterThan(0);
  await instances.redisIs('ok');
  await allServe(instances, ids, 'New');
});

test('instances that begin after such a crash do not serve it either', async () => {
  await using instances = await Instances.start();
  const { first, second, redis } = instances;
  const ids = await readUntilStored(instances, [second]);
  await redis.ask('SAVE');
  await change(instances, ids, 'New');
  for (const service of instances.both) await service.stop();
  await redis.stop('KILL');
  await redis.start();
  // Those who were there when it was saved are not now, and have not taken leave of this one.
  await until(async () => (await keysOf(instances, 'instance:')).length === 0);
  for (const service of [second, first]) await service.start();
  await instances.redisIs('ok');
  await allServe(instances, ids, 'New');
});

test('a frozen Redis holds up nobody', async () => {
  await using instances = await Instances.start();
  const ids = await instances.people(8);
  const readers = new Readers(instances, ids);
  await readers.goOn();
  instances.redis.freeze();
  await readers.goOn();
  await change(instances, ids, 'While it was frozen');
  await instances.redisIs('down');
  await allServe(instances, ids, 'While it was frozen');
  await readers.goOn();
  instances.redis.thaw();
  await instances.redisIs('ok');
  await allServe(instances, ids, 'While it was frozen');
  await change(instances, ids, 'Thawed');
  await allServe(instances, ids, 'Thawed');
  await readers.stop();
  expect([...readers.statuses.keys()]).toEqual([200]);
});

test('a Redis that answers late holds up nobody, and passes on what webhooks tell', async () => {
  await using redis = await PrivateRedis.start();
  await using proxy = await TcpProxy.before(redis.url);
  await using instances = await Instances.prepare({ redisUrl: proxy.url });
  await instances.startServices();
  await instances.redisIs('ok');
  const ids = await instances.people(4);
  for (const service of instances.both) for (const id of ids) await instances.read(service, id);
  proxy.slowDown(150);
  await instances.redisIs('down');
  await change(instances, ids, 'Slowly');
  await allServe(instances, ids, 'Slowly');
  proxy.slowDown(0);
  await instances.redisIs('ok');
  await change(instances, ids, 'Swiftly');
  await allServe(instances, ids, 'Swiftly');
});

test('without Redis at the start reads go on, and it is taken up when it comes', async () => {
  await using instances = await Instances.prepare();
  await using _stopping = { [Symbol.asyncDispose]: () => instances.first.stop() };
  for (const service of instances.both) await service.start();
  await instances.redisIs('down');
  const ids = await instances.people(3);
  for (const service of instances.both)
    for (const id of ids) expect((await instances.read(service, id)).status).toBe(200);
  await change(instances, ids, 'Without');
  await allServe(instances, ids, 'Without');
  await instances.redis.start();
  await instances.redisIs('ok');
  await change(instances, ids, 'With');
  await allServe(instances, ids, 'With');
});

test('a webhook while the subscriptions are lost is not missed', async () => {
  await using instances = await Instances.start();
  const ids = await instances.people(4);
  for (const service of instances.both) for (const id of ids) await instances.read(service, id);
  for (let time = 0; time < 5; time += 1) {
    await instances.redis.ask('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await change(instances, ids, `Changed ${time}`);
    await allServe(instances, ids, `Changed ${time}`);
  }
  await instances.redisIs('ok');
});

/** Reads one record after the other until Redis holds one: when it is too busy to answer in time, it is passed over. */
async function readUntilStored(instances: Instances, services: Instances['both']): Promise<string[]> {
  const people = await instances.people(16);
  const read = new Set<string>();
  await until(async () => {
    const id = people[read.size % people.length] ?? '';
    read.add(id);
    for (const service of services) await instances.read(service, id);
    return (await valuesIn(instances)).length > 0;
  });
  return [...read];
}

async function keysOf(instances: Instances, part: string): Promise<string[]> {
  return (await instances.redis.ask('KEYS', `*${part}*`)) as string[]; // what KEYS answers
}

function valuesIn(instances: Instances): Promise<string[]> {
  return keysOf(instances, ':value:*:record:');
}
