import { expect, test } from 'vitest';
import { Instances } from '../support/instances.ts';
import { redisProgram } from '../support/redis-program.ts';
import { until } from '../support/service.ts';

test.skipIf(redisProgram() === null)(
  'instances on one database share what one of them has read, also one that begins later',
  async () => {
    await using instances = await Instances.start({ sharesDatabase: true });
    const { first, second, redis } = instances;
    const [id = ''] = await instances.people(1);
    expect((await instances.read(first, id)).cache).toBe('MISS');
    await until(async () => String(await redis.ask('KEYS', '*:value:*:record:*')).includes(id));
    const reads = await Promise.all(Array.from({ length: 1_000 }, () => instances.read(second, id)));
    expect(new Set(reads.map((read) => read.cache))).toEqual(new Set(['HIT']));
    await second.stop();
    await second.start();
    await instances.redisIs('ok');
    expect((await instances.read(second, id)).cache).toBe('HIT');
    expect(instances.readsOf(id)).toBe(1);
    const { body } = await second.get<string>('/metrics');
    expect(body).toContain('cache_requests_total{cache="record",tier="redis",result="hit"} 1');
    await instances.edit(id, 'New');
    await until(async () => (await instances.read(second, id)).title === 'New');
    expect((await instances.read(first, id)).title).toBe('New');
    // The two do not read again what one of them has read since, whoever of them was first.
    expect(instances.readsOf(id)).toBeLessThanOrEqual(3);
  },
);
