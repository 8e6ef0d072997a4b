import { expect, test } from 'vitest';
import { Ticker } from '../../../src/queue/ticker.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('runs at once, then after each pause, also after a run that failed, until it is stopped', async () => {
  const clock = new ManualClock();
  const errors: unknown[] = [];
  let runs = 0;
  const ticker = new Ticker({
    clock,
    everyMs: 1_000,
    onError: (error) => errors.push(error),
    task: async () => {
      runs += 1;
      if (runs === 1) throw new Error('disk full');
    },
  });
  ticker.start();
  await clock.advance(2_500);
  expect(runs).toBe(3);
  expect(errors).toHaveLength(1);
  await ticker.stop();
  await clock.advance(10_000);
  expect(runs).toBe(3);
});

test('a run under way is told to end, and waited for', async () => {
  let ended = false;
  const ticker = new Ticker({
    clock: new ManualClock(),
    everyMs: 1_000,
    onError: () => {},
    task: (signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          ended = true;
          resolve();
        });
      }),
  });
  ticker.start();
  await ticker.stop();
  expect(ended).toBe(true);
});
