import { describe, expect, test } from 'vitest';
import { RecordCache } from '../../../src/cache/record-cache.ts';
import { SchemaCache } from '../../../src/cache/schema-cache.ts';
import type { CacheResult } from '../../../src/cache/ttl-cache.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import { settle } from '../../support/manual-clock.ts';
import { buildTier } from './fake-redis.ts';

const always = () => true;

async function build() {
  const built = buildTier();
  const results: CacheResult[] = [];
  const options = {
    ttlMs: 60_000,
    now: () => built.clock.now(),
    random: () => 0,
    onRead: ({ result }: { result: CacheResult }) => results.push(result),
    tier: built.tier,
  };
  const records = new RecordCache(options);
  const schema = new SchemaCache(options);
  built.tier.start('ours');
  await built.clock.advance(0);
  built.redis.calls.length = 0;
  const lose = () => {
    built.redis.failing.add('listen');
    built.tier.lost({ values: false, reason: new Error('closed') });
  };
  return { ...built, records, schema, results, lose };
}

/** Loads that end when a test says so. */
function loads() {
  const waiting: PromiseWithResolvers<JsonObject | null>[] = [];
  const load = () => {
    const next = Promise.withResolvers<JsonObject | null>();
    waiting.push(next);
    return next.promise;
  };
  return { waiting, load };
}

function keyIn(records: RecordCache, object: string, recordId: string): string {
  return records.keyOf(object, recordId) ?? '';
}

const broken = () => Promise.reject(new Error('down'));

describe('a cache in front of Redis', () => {
  test('takes what is there without loading, for as long as it has left', async () => {
    const { records, redis, clock } = await build();
    redis.answer = { names: 'n', found: { text: '{"v":1}', ttlMs: 5_000 } };
    const { waiting, load } = loads();
    expect(await records.read('people/a', load, always)).toEqual({ value: { v: 1 }, result: 'HIT' });
    redis.answer = { names: 'n', found: null };
    await clock.advance(4_999);
    expect((await records.read('people/a', load, always)).result).toBe('HIT');
    expect([redis.count('look'), waiting.length]).toEqual([1, 0]);
    await clock.advance(1);
    const read = records.read('people/a', load, always);
    await settle();
    waiting[0]?.resolve({ v: 2 });
    expect(await read).toEqual({ value: { v: 2 }, result: 'MISS' });
  });

  test('a thousand readers are one look and one load, which is kept', async () => {
    const { records, redis } = await build();
    const { waiting, load } = loads();
    const reads = Array.from({ length: 1_000 }, () => records.read('people/a', load, always));
    await settle();
    waiting[0]?.resolve({ v: 1 });
    await Promise.all(reads);
    expect([redis.count('look'), waiting.length]).toEqual([1, 1]);
    expect(redis.kept).toEqual([{ names: 'names', text: '{"v":1}', ttlMs: 60_000 }]);
  });

  test('that there is none is kept too, for a shorter time', async () => {
    const { records, redis } = await build();
    expect((await records.read('people/a', async () => null, always)).value).toBeNull();
    expect(redis.kept).toEqual([{ names: 'names', text: 'null', ttlMs: 6_000 }]);
    redis.answer = { names: 'n', found: { text: 'null', ttlMs: 5_000 } };
    expect(await records.read('people/b', broken, always)).toEqual({ value: null, result: 'HIT' });
  });

  test('a message during the load gives a fresh one; nothing of the old is kept, and Redis is asked once', async () => {
    const { records, redis, tier } = await build();
    const { waiting, load } = loads();
    const read = records.read(keyIn(records, 'people', 'a'), load, always);
    await settle();
    tier.heard('{"from":"you","forget":[["record","a"]]}');
    waiting[0]?.resolve({ v: 'old' });
    await settle();
    waiting[1]?.resolve({ v: 'new' });
    expect((await read).value).toEqual({ v: 'new' });
    expect([redis.count('look'), redis.kept]).toEqual([1, []]);
    expect((await records.read('people/a', broken, always)).value).toEqual({ v: 'new' });
  });

  test('a message is about a record under whatever object it was read', async () => {
    const { records, tier } = await build();
    await records.read(keyIn(records, 'people', 'a'), async () => ({ v: 1 }), always);
    await records.read(keyIn(records, 'staff', 'a'), async () => ({ v: 1 }), always);
    tier.heard('{"from":"you","forget":[["record","a"]]}');
    expect([records.peek('people/a'), records.peek('staff/a')]).toEqual([null, null]);
  });

  test('when the subscription is lost, records are gone; definitions stay for when Attio cannot be reached', async () => {
    const { records, schema, lose } = await build();
    await records.read(keyIn(records, 'people', 'a'), async () => ({ v: 1 }), always);
    await schema.read('objects', async () => ({ items: [{ v: 1 }] }), always);
    lose();
    await expect(records.read('people/a', broken, always)).rejects.toThrow('down');
    expect((await schema.read('objects', broken, always)).result).toBe('STALE');
    expect((await schema.read('objects', async () => ({ items: [] }), always)).result).toBe('MISS');
  });

  test('without a subscription a record is believed, and a load joined, for less than a second', async () => {
    const { records, clock, lose, redis } = await build();
    lose();
    const { waiting, load } = loads();
    const early = records.read('people/a', load, always);
    await clock.advance(800);
    const joined = records.read('people/a', load, always);
    await settle();
    expect(waiting).toHaveLength(1);
    await clock.advance(100);
    const late = records.read('people/a', load, always);
    await settle();
    expect(waiting).toHaveLength(2);
    waiting[1]?.resolve({ v: 2 });
    expect((await late).value).toEqual({ v: 2 });
    waiting[0]?.resolve({ v: 1 });
    expect((await Promise.all([early, joined])).map((read) => read.value)).toEqual([{ v: 1 }, { v: 1 }]);
    // What came last, and is older, has not taken the place of the newer.
    expect(await records.read('people/a', broken, always)).toEqual({ value: { v: 2 }, result: 'HIT' });
    await clock.advance(900);
    await expect(records.read('people/a', broken, always)).rejects.toThrow('down');
    expect(redis.count('look')).toBe(0);
  });

  test('an invalidation also reaches readers of a load that nobody may join any more', async () => {
    const { records, clock, lose } = await build();
    lose();
    const { waiting, load } = loads();
    const early = records.read(keyIn(records, 'people', 'a'), load, always);
    await clock.advance(900);
    const late = records.read('people/a', load, always);
    await settle();
    records.invalidateSubject('a');
    for (const old of waiting) old.resolve({ v: 'old' });
    await settle();
    waiting[2]?.resolve({ v: 'new' });
    expect((await Promise.all([early, late])).map((read) => read.value)).toEqual([
      { v: 'new' },
      { v: 'new' },
    ]);
  });

  test('after being held up, a reader waits for what others have said meanwhile, a little', async () => {
    const { records, clock, tier, redis, results } = await build();
    await records.read(keyIn(records, 'people', 'a'), async () => ({ v: 1 }), always);
    await records.read(keyIn(records, 'people', 'b'), async () => ({ v: 1 }), always);
    redis.delays.set('ping', 30);
    const { now } = clock;
    clock.now = () => now.call(clock) + 1_000;
    const changed = records.read('people/a', async () => ({ v: 2 }), always);
    const unchanged = records.read('people/b', broken, always);
    tier.heard('{"from":"you","forget":[["record","a"]]}');
    await clock.advance(29);
    expect(results).toHaveLength(2);
    await clock.advance(1);
    expect(await changed).toEqual({ value: { v: 2 }, result: 'MISS' });
    expect(await unchanged).toEqual({ value: { v: 1 }, result: 'HIT' });
    expect(results).toEqual(['MISS', 'MISS', 'HIT', 'MISS']);
  });

  test('an expired definition is asked for anew in the other instances', async () => {
    const { schema, redis, tier } = await build();
    await schema.read('attributes:people', async () => ({ items: [] }), always);
    schema.expire('attributes:people');
    await settle();
    const [message = ''] = redis.messages;
    expect(schema.peek('attributes:people')).toEqual({ items: [] });
    await schema.read('attributes:people', async () => ({ items: [{ v: 2 }] }), always);
    tier.heard(message.replace('"me"', '"you"'));
    expect((await schema.read('attributes:people', async () => ({ items: [] }), always)).result).toBe('MISS');
  });
});
