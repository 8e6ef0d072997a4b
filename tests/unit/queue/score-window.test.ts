import { beforeEach, describe, expect, it } from 'vitest';
import { ScoreWindow } from '../../../src/queue/score-window.ts';

let now = 0;
let scores: ScoreWindow;

beforeEach(() => {
  now = 1_000_000;
  scores = new ScoreWindow({ clock: { now: () => now } });
});

function spend(...costs: readonly number[]): void {
  for (const cost of costs) scores.record(cost);
}

describe('before the limit was ever met', () => {
  it('lets everything go, however much it costs', () => {
    spend(1000, 1_000_000);
    expect(scores.ceiling).toBe(Number.POSITIVE_INFINITY);
    expect(scores.delayMs()).toBe(0);
  });

  it('sums the last ten seconds', () => {
    spend(10);
    now += 6000;
    spend(20);
    expect(scores.sum).toBe(30);
    now += 4000;
    expect(scores.sum).toBe(20);
    now += 6000;
    expect(scores.sum).toBe(0);
  });
});

describe('after the limit was met', () => {
  it('aims at four fifths of the sum seen then', () => {
    spend(60, 40);
    scores.limitMet();
    expect(scores.ceiling).toBeCloseTo(80);
  });

  it('learns nothing from a window without cost: it was another limit', () => {
    scores.limitMet();
    expect(scores.ceiling).toBe(Number.POSITIVE_INFINITY);
    expect(scores.delayMs()).toBe(0);
  });

  it('delays until enough has left the window', () => {
    spend(50);
    now += 3000;
    spend(50);
    scores.limitMet();
    // 100 + another 50 exceed 80; without the first one there is still 100; without both, 50.
    expect(scores.delayMs()).toBe(10_000);
    now += 9999;
    expect(scores.delayMs()).toBe(1);
    now += 1;
    expect(scores.delayMs()).toBe(0);
  });

  it('counts work under way at what such work cost', () => {
    spend(10, 10, 10, 10, 10);
    scores.limitMet();
    now += 10_000;
    spend(10, 10);
    expect(scores.delayMs()).toBe(0);
    const ends = [scores.begin(), scores.begin()];
    expect(scores.delayMs()).toBeGreaterThan(0);
    for (const end of ends) end();
    expect(scores.delayMs()).toBe(0);
  });

  it('lets work that is alone go, even if it costs more than the ceiling', () => {
    spend(100);
    scores.limitMet();
    now += 10_000;
    expect(scores.delayMs()).toBe(0);
    scores.begin();
    expect(scores.delayMs()).toBeGreaterThan(0);
  });

  it('rises by a twentieth a minute while it is quiet', () => {
    spend(100);
    scores.limitMet();
    now += 60_000;
    expect(scores.ceiling).toBeCloseTo(84);
    now += 60_000;
    expect(scores.ceiling).toBeCloseTo(88.2);
  });

  it('falls again when it is met again', () => {
    spend(100);
    scores.limitMet();
    now += 10_000;
    spend(50);
    scores.limitMet();
    expect(scores.ceiling).toBeCloseTo(40);
  });
});

describe('odd input', () => {
  it('is not counted', () => {
    spend(Number.NaN, -5, Number.POSITIVE_INFINITY);
    expect(scores.sum).toBe(0);
  });

  it('of a clock that was set back holds nothing up', () => {
    spend(100);
    scores.limitMet();
    now -= 3_600_000;
    expect(scores.sum).toBe(0);
    expect(scores.delayMs()).toBe(0);
  });
});
