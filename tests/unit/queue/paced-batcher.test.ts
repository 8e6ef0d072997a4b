import { describe, expect, test } from 'vitest';
import { PacedBatcher } from '../../../src/queue/paced-batcher.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

function build(options: { maxBatch?: number; enough?: number; maxWaiting?: number } = {}) {
  const clock = new ManualClock();
  const batches: { at: number; keys: readonly string[] }[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  let gated = false;
  const batcher = new PacedBatcher<string>({
    clock,
    intervalMs: 1_000,
    maxBatch: options.maxBatch ?? 500,
    ...(options.enough === undefined ? {} : { enough: options.enough }),
    maxWaiting: options.maxWaiting ?? 10_000,
    run: async (keys) => {
      batches.push({ at: clock.now(), keys });
      const nth = batches.length;
      if (gated) {
        const gate = Promise.withResolvers<void>();
        gates.push(gate);
        await gate.promise;
      }
      return new Map(keys.map((key) => [key, `${key}#${nth}`]));
    },
  });
  return { clock, batches, batcher, gates, hold: () => (gated = true) };
}

describe('PacedBatcher', () => {
  test('runs the first key at once', async () => {
    const { batcher, batches } = build();
    expect(await batcher.add('a')).toBe('a#1');
    expect(batches).toHaveLength(1);
  });

  test('starts at most one batch per interval while keys keep coming', async () => {
    const { clock, batcher, batches } = build();
    const start = clock.now();
    for (let step = 0; step < 30; step += 1) {
      void batcher.add(`k${step % 10}`);
      await clock.advance(100);
    }
    await clock.advance(1_000);
    expect(batches.map((batch) => batch.at - start)).toEqual([0, 1_000, 2_000, 3_000]);
  });

  test('a key added again while it waits shares the answer', async () => {
    const { clock, batcher, batches } = build();
    await batcher.add('first');
    const twice = [batcher.add('a'), batcher.add('a')];
    await clock.advance(1_000);
    expect(await Promise.all(twice)).toEqual(['a#2', 'a#2']);
    expect(batches[1]?.keys).toEqual(['a']);
  });

  test('a key added while its batch runs is looked at again', async () => {
    const { clock, batcher, gates, hold } = build();
    hold();
    const early = batcher.add('a');
    await settle();
    const late = batcher.add('a');
    gates[0]?.resolve();
    expect(await early).toBe('a#1');
    await clock.advance(1_000);
    gates[1]?.resolve();
    expect(await late).toBe('a#2');
  });

  test('a full batch does not wait for the interval', async () => {
    const { clock, batcher, batches } = build({ maxBatch: 3 });
    await batcher.add('first');
    const start = clock.now();
    await Promise.all(['a', 'b', 'c'].map((key) => batcher.add(key)));
    expect(batches[1]).toEqual({ at: start, keys: ['a', 'b', 'c'] });
  });

  test('enough keys do not wait for the interval, and take along what came meanwhile', async () => {
    const { clock, batcher, batches, gates, hold } = build({ enough: 3, maxBatch: 5 });
    hold();
    const start = clock.now();
    void batcher.add('first');
    await settle();
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const key of keys) void batcher.add(key);
    gates[0]?.resolve();
    await settle();
    expect(batches[1]).toEqual({ at: start, keys: keys.slice(0, 5) });
    gates[1]?.resolve();
    await clock.advance(999);
    expect(batches).toHaveLength(2);
    await clock.advance(1);
    expect(batches[2]?.keys).toEqual(['f']);
  });

  describe('a key that has patience', () => {
    test('waits for others of its key, as long as the first of them would', async () => {
      const { clock, batcher, batches } = build();
      const start = clock.now();
      const first = batcher.add('a', 500);
      await clock.advance(400);
      const second = batcher.add('a', 500);
      await clock.advance(99);
      expect(batches).toEqual([]);
      await clock.advance(1);
      expect(await Promise.all([first, second])).toEqual(['a#1', 'a#1']);
      expect(batches).toEqual([{ at: start + 500, keys: ['a'] }]);
    });

    test('is brought forward by one that has none, and by no other key', async () => {
      const { clock, batcher, batches } = build();
      const start = clock.now();
      const patient = [batcher.add('a', 5_000), batcher.add('b', 5_000)];
      await clock.advance(100);
      const urgent = batcher.add('a');
      expect(await Promise.all([urgent, patient[0]])).toEqual(['a#1', 'a#1']);
      await clock.advance(4_900);
      expect(await patient[1]).toBe('b#2');
      expect(batches).toEqual([
        { at: start + 100, keys: ['a'] },
        { at: start + 5_000, keys: ['b'] },
      ]);
    });

    test('does not make a batch full before it is due', async () => {
      const { clock, batcher, batches } = build({ maxBatch: 2 });
      const start = clock.now();
      const answers = [batcher.add('a', 300), batcher.add('b', 300), batcher.add('c', 300)];
      await clock.advance(2_000);
      await Promise.all(answers);
      expect(batches).toEqual([
        { at: start + 300, keys: ['a', 'b'] },
        { at: start + 1_300, keys: ['c'] },
      ]);
    });

    test('is refused with the others by a stop', async () => {
      const { batcher, batches } = build();
      const waiting = batcher.add('a', 500);
      batcher.close();
      await expect(waiting).rejects.toThrow('closing');
      expect(batches).toEqual([]);
    });
  });

  test('a batch that fails fails its keys and no others', async () => {
    const clock = new ManualClock();
    let fail = true;
    const batcher = new PacedBatcher<number>({
      clock,
      intervalMs: 1_000,
      maxBatch: 10,
      maxWaiting: 10,
      run: async (keys) => {
        if (fail) throw new Error('down');
        return new Map(keys.map((key) => [key, 1]));
      },
    });
    await expect(batcher.add('a')).rejects.toThrow('down');
    fail = false;
    const again = batcher.add('a');
    await clock.advance(1_000);
    expect(await again).toBe(1);
  });

  test('refuses what exceeds its bound, and everything once closed', async () => {
    const { batcher, batches } = build({ maxWaiting: 1 });
    await batcher.add('first');
    const waiting = batcher.add('a');
    await expect(batcher.add('b')).rejects.toThrow('too many');
    batcher.close();
    await expect(waiting).rejects.toThrow('closing');
    await expect(batcher.add('c')).rejects.toThrow('closing');
    expect(batches).toHaveLength(1);
  });
});
