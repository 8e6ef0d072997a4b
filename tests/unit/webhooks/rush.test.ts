import { expect, test } from 'vitest';
import { DeliveryRush } from '../../../src/webhooks/rush.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function rush() {
  const clock = new ManualClock();
  const one = new DeliveryRush(clock);
  /** As many a second, for a while. @returns for how much of it work was held back, in ms */
  const deliver = async (perSecond: number, forMs: number) => {
    let heldMs = 0;
    for (let ms = 0; ms < forMs; ms += 10) {
      one.note(perSecond / 100);
      if (one.holdBackMs > 0) heldMs += 10;
      await clock.advance(10);
    }
    return heldMs;
  };
  return { clock, one, deliver };
}

test('what Attio sends at most holds nothing back, and ten times that does not either', async () => {
  const { deliver } = rush();
  expect(await deliver(25, 5_000)).toBe(0);
  expect(await deliver(250, 5_000)).toBe(0);
});

test('a burst goes before work, which is held back no longer than it needs', async () => {
  const { clock, one, deliver } = rush();
  expect(await deliver(2_000, 3_000)).toBeGreaterThan(2_900);
  await clock.advance(one.holdBackMs);
  expect(one.holdBackMs).toBe(0);
});

test('under a rush without end work has a second of every eleven', async () => {
  const { deliver } = rush();
  const heldMs = await deliver(2_000, 110_000);
  expect(110_000 - heldMs).toBeGreaterThanOrEqual(10_000);
  expect(heldMs).toBeGreaterThan(95_000);
});
