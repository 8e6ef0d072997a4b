import { expect, test } from 'vitest';
import { GroupCommit } from '../../../src/queue/group-commit.ts';
import { settle } from '../../support/manual-clock.ts';

test('items that arrive together share one flush, and each gets its own result', async () => {
  const flushes: number[][] = [];
  const group = new GroupCommit<number, number>({
    maxBatch: 100,
    maxWaiting: 100,
    flush: async (items) => {
      flushes.push([...items]);
      return items.map((item) => item * 10);
    },
  });
  expect(await Promise.all([1, 2, 3].map((item) => group.add(item)))).toEqual([10, 20, 30]);
  expect(flushes).toEqual([[1, 2, 3]]);
});

test('what arrives during a flush shares the next one', async () => {
  const gate = Promise.withResolvers<void>();
  const flushes: number[][] = [];
  const group = new GroupCommit<number, number>({
    maxBatch: 100,
    maxWaiting: 100,
    flush: async (items) => {
      flushes.push([...items]);
      if (flushes.length === 1) await gate.promise;
      return items;
    },
  });
  const first = group.add(1);
  await settle();
  const rest = [group.add(2), group.add(3)];
  gate.resolve();
  expect(await Promise.all([first, ...rest])).toEqual([1, 2, 3]);
  expect(flushes).toEqual([[1], [2, 3]]);
});

test('where two may run, the second does not wait for the first, and the third does', async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  const flushes: number[][] = [];
  const group = new GroupCommit<number, number>({
    maxBatch: 100,
    maxWaiting: 100,
    maxRunning: 2,
    flush: async (items) => {
      flushes.push([...items]);
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      return items;
    },
  });
  const all: Promise<number>[] = [];
  for (const item of [1, 2, 3]) {
    all.push(group.add(item));
    await settle();
  }
  expect(flushes).toEqual([[1], [2]]);
  gates[1]?.resolve();
  expect(await all[1]).toBe(2);
  await settle();
  expect(flushes).toEqual([[1], [2], [3]]);
  gates[0]?.resolve();
  gates[2]?.resolve();
  await group.idle();
  expect(await Promise.all(all)).toEqual([1, 2, 3]);
});

test('a flush that fails fails its items; the next one is unharmed', async () => {
  let broken = true;
  const group = new GroupCommit<number, number>({
    maxBatch: 100,
    maxWaiting: 100,
    flush: async (items) => {
      if (broken) throw new Error('disk full');
      return items;
    },
  });
  const failed = await Promise.allSettled([group.add(1), group.add(2)]);
  expect(failed.map((result) => result.status)).toEqual(['rejected', 'rejected']);
  broken = false;
  expect(await group.add(3)).toBe(3);
});

test('where the order counts, a flush that fails fails what waits behind it as well, and nothing that comes later', async () => {
  const flushes: (readonly number[])[] = [];
  const first = Promise.withResolvers<void>();
  const log = new GroupCommit<number, void>({
    async flush(items) {
      flushes.push(items);
      if (flushes.length === 1) await first.promise;
      return items.map(() => undefined);
    },
    maxBatch: 10,
    maxWaiting: 10,
    inOrder: true,
  });
  const one = log.add(1);
  await new Promise((resolve) => setImmediate(resolve));
  const two = log.add(2);
  first.reject(new Error('away'));
  const ends = await Promise.allSettled([one, two]);
  expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await log.add(3);
  expect(flushes).toEqual([[1], [3]]);
});

test('refuses what exceeds its bound', async () => {
  const group = new GroupCommit<number, number>({
    maxBatch: 1,
    maxWaiting: 1,
    flush: async (items) => items,
  });
  const waiting = group.add(1);
  await expect(group.add(2)).rejects.toThrow('too much');
  expect(await waiting).toBe(1);
  await group.idle();
});
