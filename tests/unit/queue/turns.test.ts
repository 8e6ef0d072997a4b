import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Starts, shareOf } from '../../../src/queue/turns.ts';

const PACE = { atOnce: 10, windowMs: 1158 };

describe('a share', () => {
  it('is the whole for one', () => {
    expect(shareOf(PACE, 1)).toEqual(PACE);
  });

  it('is of whole turns, in a window that is longer by as much as was lost or won', () => {
    expect(shareOf({ atOnce: 10, windowMs: 1000 }, 3)).toEqual({ atOnce: 3, windowMs: 900 });
    expect(shareOf({ atOnce: 2, windowMs: 100 }, 8)).toEqual({ atOnce: 1, windowMs: 400 });
  });

  it('lets all together start no faster than the whole would, but for one share at once', () => {
    const instances = fc.integer({ min: 1, max: 12 });
    const pace = fc.record({
      atOnce: fc.integer({ min: 1, max: 12 }),
      windowMs: fc.integer({ min: 10, max: 500 }),
    });
    fc.assert(
      fc.property(instances, pace, fc.nat(300), (count, whole, offsetMs) => {
        const share = shareOf(whole, count);
        const starts: number[] = [];
        for (let instance = 0; instance < count; instance += 1) {
          const own = new Starts(share.atOnce);
          for (let now = instance * offsetMs; now < 3_000 + instance * offsetMs; now += 1) {
            if (own.freeAt(share) > now) continue;
            own.note(now);
            starts.push(now);
          }
        }
        const inAnySecond = starts.map(
          (from) => starts.filter((at) => at >= from && at < from + 1000).length,
        );
        const rate = (1000 * whole.atOnce) / whole.windowMs;
        expect(Math.max(...inAnySecond)).toBeLessThanOrEqual(rate + share.atOnce * count);
      }),
      { numRuns: 20 },
    );
  });
});

describe('starts', () => {
  it('tell when a pace allows one more, also one that is slower than another', () => {
    const starts = new Starts(2);
    expect(starts.freeAt({ atOnce: 2, windowMs: 100 })).toBe(Number.NEGATIVE_INFINITY);
    for (const at of [10, 20, 30]) starts.note(at);
    expect(starts.freeAt({ atOnce: 2, windowMs: 100 })).toBe(120);
    expect(starts.freeAt({ atOnce: 1, windowMs: 100 })).toBe(130);
  });
});
