import { expect, test } from 'vitest';
import { StorageUnavailableError } from '../../../src/domain/storage.ts';
import { WriteQueue } from '../../../src/store/write-queue.ts';

test('one piece of work at a time, in the order of arrival', async () => {
  const queue = new WriteQueue();
  const log: string[] = [];
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    log.push(`${name} ends`);
    return name;
  };
  expect(await Promise.all(['a', 'b'].map((name) => queue.run(work(name))))).toEqual(['a', 'b']);
  expect(await queue.run(work('c'))).toBe('c');
  expect(log).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

test('work that fails fails alone', async () => {
  const queue = new WriteQueue();
  const failing = queue.run(() => Promise.reject(new Error('its own fault')));
  const next = queue.run(async () => 'done');
  await expect(failing).rejects.toThrow('its own fault');
  expect(await next).toBe('done');
});

test('an outage fails all that wait, and not what comes later', async () => {
  const queue = new WriteQueue();
  const outage = new StorageUnavailableError('away');
  const all = [
    queue.run(() => Promise.reject(outage)),
    queue.run(async () => 'too early'),
    queue.run(async () => 'too early'),
  ];
  expect((await Promise.allSettled(all)).map((one) => one.status)).toEqual([
    'rejected',
    'rejected',
    'rejected',
  ]);
  expect(await queue.run(async () => 'done')).toBe('done');
});
