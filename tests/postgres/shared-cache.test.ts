import { expect, test } from 'vitest';
import { Instances } from '../support/instances.ts';
import { redisProgram } from '../support/redis-program.ts';
import { until } from '../support/service.ts';

test.skipIf(redisProgram() === null)(
  'instances on one database share what one of them has read, also one that begins later',
  async () => {
    await using instances = await Instances.start({ sharesDatabase: true });
    const { first, second, redis } = instances;
    const ids = await instances.people(20);
    /** Reads one after another by the first and by the second, until the second finds what the first has read. */
    const shares = () =>
      until(async () => {
        const id = ids.pop() ?? '';
        expect((await instances.read(first, id)).cache).toBe('MISS');
        await until(async () => String(await redis.ask('KEYS', '*:value:*:record:*')).includes(id));
        const reads = await Promise.all(Array.from({ length: 100 }, () => instances.read(second, id)));
        // A Redis that is too busy to answer in time is passed over: then Attio was asked again.
        return reads.every((read) => read.cache === 'HIT') && instances.readsOf(id) === 1;
      });
    await shares();
    const { body } = await second.get<string>('/metrics');
    expect(body).toMatch(/cache_requests_total\{cache="record",tier="redis",result="hit"\} [1-9]/);
    await second.stop();
    await second.start();
    await instances.redisIs('ok');
    await shares();
    const [id = ''] = ids;
    await instances.read(first, id);
    await instances.read(second, id);
    await instances.edit(id, 'New');
    for (const service of instances.both)
      await until(async () => (await instances.read(service, id)).title === 'New');
  },
);
