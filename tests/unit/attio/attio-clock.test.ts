import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AttioClock } from '../../../src/attio/attio-clock.ts';
import { instantFromMs } from '../../../src/attio/instant.ts';

const NOW = Date.parse('2026-01-01T00:00:00.000Z');

/** Milliseconds on the way there and back. */
const trip = fc.record({ there: fc.nat(5_000), back: fc.nat(5_000), after: fc.nat(60_000) });
const trips = fc.array(trip, { minLength: 1, maxLength: 60 });
const offset = fc.integer({ min: -3_600_000, max: 3_600_000 });

function listen(
  clock: AttioClock,
  ahead: number,
  all: readonly { there: number; back: number; after: number }[],
): number {
  let now = NOW;
  for (const { there, back, after } of all) {
    clock.noteRead(now + there + ahead, now, now + there + back);
    now += there + back + after;
  }
  return now;
}

describe("Attio's clock", () => {
  test('is never told later than it is', () => {
    fc.assert(
      fc.property(offset, trips, (ahead, all) => {
        const clock = new AttioClock();
        const now = listen(clock, ahead, all);
        const told = Date.parse(clock.leastAt(now, null));
        expect(told).toBeLessThanOrEqual(now + ahead);
        const fastest = Math.min(...all.slice(-32).map(({ back }) => back));
        expect(told).toBe(now + ahead - fastest);
      }),
    );
  });

  test('is guessed no worse than half of the longer of the fastest ways', () => {
    fc.assert(
      fc.property(offset, trips, (ahead, all) => {
        const clock = new AttioClock();
        const now = listen(clock, ahead, all);
        const lately = all.slice(-32);
        const there = Math.min(...lately.map((each) => each.there));
        const back = Math.min(...lately.map((each) => each.back));
        expect(Math.abs(clock.guess(now) - (now + ahead))).toBeLessThanOrEqual(Math.max(there, back) / 2);
      }),
    );
  });

  test('is ours as long as it has told nothing', () => {
    const clock = new AttioClock();
    expect([clock.leastAt(NOW, null), clock.guess(NOW)]).toEqual([instantFromMs(NOW), NOW]);
  });

  test('is guessed by its whole seconds until it tells more', () => {
    const clock = new AttioClock();
    clock.noteDate(NOW + 10_000, NOW + 100, NOW + 200);
    expect(Math.abs(clock.guess(NOW) - (NOW + 10_000))).toBeLessThanOrEqual(1_000);
    clock.noteRead(NOW + 20_000, NOW, NOW + 100);
    expect(clock.guess(NOW + 1_000)).toBe(NOW + 20_950);
  });

  test('is not told later than the second of the answer ends, should ours have been set meanwhile', () => {
    const clock = new AttioClock();
    clock.noteRead(NOW, NOW, NOW);
    expect(clock.leastAt(NOW + 3_600_000, NOW)).toBe(instantFromMs(NOW + 1_000));
    expect(clock.leastAt(NOW + 500, NOW)).toBe(instantFromMs(NOW + 500));
  });

  test('forgets what it told before ours was set', () => {
    const clock = new AttioClock();
    const still = Array.from({ length: 32 }, () => ({ there: 10, back: 10, after: 0 }));
    listen(clock, 60_000, still);
    clock.noteRead(NOW, NOW + 100, NOW + 50);
    const now = listen(clock, -5_000, still);
    expect(clock.guess(now)).toBe(now - 5_000);
  });
});
