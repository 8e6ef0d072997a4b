import { expect, test } from 'vitest';
import { SharedFlush } from '../../../src/store/shared-flush.ts';

function flushes() {
  const running: PromiseWithResolvers<void>[] = [];
  const flush = new SharedFlush(() => {
    const one = Promise.withResolvers<void>();
    running.push(one);
    return one.promise;
  });
  return { flush, running };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('who comes while a flush runs is not told by it, and shares the next', async () => {
  const { flush, running } = flushes();
  const done: string[] = [];
  const wait = (name: string) => flush.wait().then(() => done.push(name));
  void wait('first');
  await turn();
  void wait('second');
  void wait('third');
  await turn();
  expect(running).toHaveLength(1);
  running[0]?.resolve();
  await turn();
  expect(done).toEqual(['first']);
  expect(running).toHaveLength(2);
  running[1]?.resolve();
  await turn();
  expect(done).toEqual(['first', 'second', 'third']);
  expect(running).toHaveLength(2);
});

test('a flush that fails fails those who wait for it, and not those who share the next', async () => {
  const { flush, running } = flushes();
  const first = flush.wait();
  await turn();
  const second = flush.wait();
  running[0]?.reject(new Error('the disk'));
  await expect(first).rejects.toThrow('the disk');
  await turn();
  running[1]?.resolve();
  await second;
});
