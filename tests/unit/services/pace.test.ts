import { expect, it } from 'vitest';
import { Pace } from '../../../src/services/pace.ts';
import { ManualClock } from '../../support/manual-clock.ts';

it('is due once in its time, for each key', async () => {
  const clock = new ManualClock();
  const pace = new Pace(clock, 5_000);
  expect([pace.isDue('a'), pace.isDue('a'), pace.isDue('b')]).toEqual([true, false, true]);
  await clock.advance(5_000);
  expect([pace.isDue('a'), pace.isDue('a')]).toEqual([true, false]);
});
