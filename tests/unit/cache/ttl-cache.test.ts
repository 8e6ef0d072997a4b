import { describe, expect, test } from 'vitest';
import { type CacheResult, TtlCache } from '../../../src/cache/ttl-cache.ts';

const never = () => false;
const always = () => true;

function build() {
  const time = { now: 0 };
  const results: CacheResult[] = [];
  const cache = new TtlCache<string>({
    name: 'test',
    ttlMs: 1_000,
    staleMs: 10_000,
    maxBytes: 10_000,
    now: () => time.now,
    random: () => 0,
    onRead: ({ result }) => results.push(result),
  });
  return { time, cache, results };
}

function gate() {
  const waiting: PromiseWithResolvers<string | null>[] = [];
  const load = () => {
    const next = Promise.withResolvers<string | null>();
    waiting.push(next);
    return next.promise;
  };
  return { waiting, load };
}

describe('TtlCache', () => {
  test('a thousand concurrent misses are one load', async () => {
    const { cache } = build();
    const { waiting, load } = gate();
    const reads = Array.from({ length: 1_000 }, () => cache.read('a', load, never));
    waiting[0]?.resolve('value');
    const values = await Promise.all(reads);
    expect(waiting).toHaveLength(1);
    expect(new Set(values.map((read) => read.value))).toEqual(new Set(['value']));
  });

  test('is a hit until its time is over, then loads anew', async () => {
    const { cache, time, results } = build();
    let version = 0;
    const load = async () => {
      version += 1;
      return `v${version}`;
    };
    await cache.read('a', load, never);
    time.now = 999;
    expect((await cache.read('a', load, never)).value).toBe('v1');
    time.now = 1_000;
    expect((await cache.read('a', load, never)).value).toBe('v2');
    expect(results).toEqual(['MISS', 'HIT', 'MISS']);
  });

  test('an invalidation during a load gives also those who wait already a fresh one', async () => {
    const { cache } = build();
    const { waiting, load } = gate();
    const early = cache.read('a', load, never);
    cache.invalidate('a');
    waiting[0]?.resolve('before the edit');
    await new Promise((resolve) => setImmediate(resolve));
    waiting[1]?.resolve('after the edit');
    expect((await early).value).toBe('after the edit');
    expect((await cache.read('a', load, never)).value).toBe('after the edit');
  });

  test('what loading fails for may be served past its time, but never after an invalidation', async () => {
    const { cache, time } = build();
    await cache.read('a', async () => 'old', never);
    const fail = async (): Promise<string> => {
      throw new Error('down');
    };
    time.now = 5_000;
    expect(await cache.read('a', fail, always)).toEqual({ value: 'old', result: 'STALE' });
    await expect(cache.read('a', fail, never)).rejects.toThrow('down');
    cache.invalidate('a');
    await expect(cache.read('a', fail, always)).rejects.toThrow('down');
  });

  test('is not served past its stale time', async () => {
    const { cache, time } = build();
    await cache.read('a', async () => 'old', never);
    time.now = 11_000;
    await expect(cache.read('a', () => Promise.reject(new Error('down')), always)).rejects.toThrow('down');
  });

  test('remembers for a short time that there is none', async () => {
    const { cache, time } = build();
    let loads = 0;
    const none = async () => {
      loads += 1;
      return null;
    };
    await cache.read('a', none, never);
    time.now = 99;
    await cache.read('a', none, never);
    expect(loads).toBe(1);
    time.now = 100;
    await cache.read('a', none, never);
    expect(loads).toBe(2);
  });

  test('a failed load is not remembered', async () => {
    const { cache } = build();
    await expect(cache.read('a', () => Promise.reject(new Error('down')), never)).rejects.toThrow('down');
    expect((await cache.read('a', async () => 'up', never)).value).toBe('up');
  });

  test('is bounded in bytes', async () => {
    const { cache } = build();
    const big = 'x'.repeat(4_000);
    for (const key of ['a', 'b', 'c']) await cache.read(key, async () => big, never);
    let loads = 0;
    const load = async () => {
      loads += 1;
      return big;
    };
    await cache.read('c', load, never);
    await cache.read('a', load, never);
    expect(loads).toBe(1);
  });
});
