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

test('the urgent goes before what waits, and not before what runs', async () => {
  const queue = new WriteQueue();
  const log: string[] = [];
  const work = (name: string) => async () => {
    log.push(name);
  };
  const all = [
    queue.run(work('first')),
    queue.run(work('second')),
    queue.run(work('urgent'), true),
    queue.run(work('third')),
    queue.run(work('also urgent'), true),
  ];
  await Promise.all(all);
  expect(log).toEqual(['first', 'urgent', 'also urgent', 'second', 'third']);
});

test('between two pieces of work the event loop has a turn', async () => {
  const queue = new WriteQueue();
  const log: string[] = [];
  setImmediate(() => log.push('a request'));
  await Promise.all(
    ['first', 'second'].map((name) =>
      queue.run(async () => {
        log.push(name);
      }),
    ),
  );
  expect(log).toEqual(['first', 'a request', 'second']);
});
