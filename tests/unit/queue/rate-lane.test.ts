import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  LaneClosedError,
  LaneFullError,
  LanePausedError,
  RateLane,
  type RateLaneOptions,
} from '../../../src/queue/rate-lane.ts';

const START = 1_700_000_000_000;

function lane({
  perWindow = 5,
  windowMs = 1000,
  ...options
}: Partial<RateLaneOptions> & { perWindow?: number; windowMs?: number } = {}): RateLane {
  return new RateLane({
    rate: { atOnce: perWindow, windowMs },
    concurrency: 100,
    maxWaiting: 1000,
    ...options,
  });
}

/** Runs works that note when they started and last `ms`. */
function startsOf(target: RateLane, count: number, lastsMs = 0): { at: number[]; done: Promise<unknown> } {
  const at: number[] = [];
  const work = async () => {
    at.push(Date.now() - START);
    if (lastsMs > 0) await new Promise((resolve) => setTimeout(resolve, lastsMs));
  };
  return { at, done: Promise.allSettled(Array.from({ length: count }, () => target.run(work))) };
}

/** The most starts in any second, wherever it begins. */
function busiestSecond(at: readonly number[]): number {
  return Math.max(0, ...at.map((from) => at.filter((start) => start >= from && start < from + 1000).length));
}

beforeEach(() => {
  vi.useFakeTimers({ now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the rate', () => {
  it('starts at once while there is room, and the next when a second has passed', async () => {
    const { at, done } = startsOf(lane({ perWindow: 2 }), 5);
    await vi.runAllTimersAsync();
    await done;
    expect(at).toEqual([0, 0, 1000, 1000, 2000]);
  });

  it('may be of another window than a second', async () => {
    const { at, done } = startsOf(lane({ perWindow: 2, windowMs: 1500 }), 3);
    await vi.runAllTimersAsync();
    await done;
    expect(at).toEqual([0, 0, 1500]);
  });

  it('never starts more than the cap in any rolling second', async () => {
    const batches = fc.array(fc.record({ afterMs: fc.nat(1500), count: fc.integer({ min: 1, max: 12 }) }), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(
        batches,
        fc.integer({ min: 1, max: 7 }),
        fc.nat(400),
        async (plan, perSecond, lastsMs) => {
          const target = lane({ perWindow: perSecond, concurrency: 3 });
          const at: number[] = [];
          for (const { afterMs, count } of plan) {
            await vi.advanceTimersByTimeAsync(afterMs);
            const batch = startsOf(target, count, lastsMs);
            void batch.done.then(() => at.push(...batch.at));
          }
          await vi.runAllTimersAsync();
          expect(at).toHaveLength(plan.reduce((sum, { count }) => sum + count, 0));
          expect(busiestSecond(at)).toBeLessThanOrEqual(perSecond);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('runs no more at once than its concurrency', async () => {
    const target = lane({ perWindow: 100, concurrency: 2 });
    const { done } = startsOf(target, 6, 50);
    await vi.advanceTimersByTimeAsync(10);
    expect([target.running, target.size]).toEqual([2, 4]);
    await vi.runAllTimersAsync();
    await done;
  });

  it('tells how long each work waited', async () => {
    const waited: number[] = [];
    const { done } = startsOf(lane({ perWindow: 2, onWait: (ms) => waited.push(ms) }), 3);
    await vi.runAllTimersAsync();
    await done;
    expect(waited).toEqual([0, 0, 1000]);
  });

  it('gives what the work gives, and throws what it throws', async () => {
    await expect(lane().run(async () => 7)).resolves.toBe(7);
    await expect(lane().run(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
  });
});

describe('a pause', () => {
  it('holds back everything that has not started', async () => {
    const target = lane({ concurrency: 1 });
    const { at, done } = startsOf(target, 3, 10);
    target.pauseFor(700);
    expect(target.pausedMs).toBe(700);
    await vi.runAllTimersAsync();
    await done;
    expect(at).toEqual([0, 700, 710]);
    expect(target.pausedMs).toBe(0);
  });

  it('ends with the longest of several', async () => {
    const target = lane();
    target.pauseFor(500);
    target.pauseFor(2000);
    target.pauseFor(100);
    const { at, done } = startsOf(target, 1);
    await vi.runAllTimersAsync();
    await done;
    expect(at).toEqual([2000]);
  });

  it('that is longer than anyone should wait refuses what waits and what comes, until its rest is short', async () => {
    const target = lane({ concurrency: 1, maxPauseMs: 5000 });
    const { done } = startsOf(target, 1, 10);
    const waiting = target.run(async () => 'never').catch((error: unknown) => error);
    target.pauseFor(60_000);
    expect(await waiting).toBeInstanceOf(LanePausedError);
    await expect(target.run(async () => 1)).rejects.toMatchObject({ pausedMs: 60_000 });
    await vi.advanceTimersByTimeAsync(56_000);
    await done;
    const late = target.run(async () => 'late');
    await vi.runAllTimersAsync();
    expect(await late).toBe('late');
  });
});

describe('waiting', () => {
  it('is refused when too many wait already', async () => {
    const target = lane({ concurrency: 1, maxWaiting: 2 });
    const { done } = startsOf(target, 3, 10);
    await expect(target.run(async () => 1)).rejects.toBeInstanceOf(LaneFullError);
    await vi.runAllTimersAsync();
    await done;
    await expect(target.run(async () => 1)).resolves.toBe(1);
  });

  it('is shorter for the more urgent', async () => {
    const target = lane({ perWindow: 1 });
    const order: string[] = [];
    const work = (name: string) => async () => order.push(name);
    const all = [0, 0, 5].map((priority, index) => target.run(work(`${index}`), { priority }));
    await vi.runAllTimersAsync();
    await Promise.all(all);
    expect(order).toEqual(['0', '2', '1']);
  });

  it('ends with the reason of the signal, and costs no start', async () => {
    const target = lane({ perWindow: 1 });
    const first = startsOf(target, 1);
    const controller = new AbortController();
    const never = vi.fn(async () => 1);
    const cancelled = target.run(never, { signal: controller.signal }).catch((error: unknown) => error);
    const last = startsOf(target, 1);
    controller.abort('enough');
    expect(await cancelled).toBe('enough');
    await vi.runAllTimersAsync();
    await Promise.all([first.done, last.done]);
    expect(never).not.toHaveBeenCalled();
    expect(last.at).toEqual([1000]);
  });

  it('does not begin with a signal that is aborted', async () => {
    await expect(lane().run(async () => 1, { signal: AbortSignal.abort('no') })).rejects.toBe('no');
  });

  it('leaves a work that has started to heed the signal itself', async () => {
    const controller = new AbortController();
    const running = lane().run(() => new Promise((resolve) => setTimeout(() => resolve('done'), 50)), {
      signal: controller.signal,
    });
    controller.abort('enough');
    await vi.runAllTimersAsync();
    await expect(running).resolves.toBe('done');
  });
});

describe('closing', () => {
  it('refuses what waits and what comes, and lets the running finish', async () => {
    const target = lane({ concurrency: 1 });
    const running = target.run(() => new Promise((resolve) => setTimeout(() => resolve('done'), 50)));
    const waiting = target.run(async () => 1).catch((error: unknown) => error);
    target.pauseFor(10_000);
    target.close();
    expect(await waiting).toBeInstanceOf(LaneClosedError);
    await expect(target.run(async () => 1)).rejects.toBeInstanceOf(LaneClosedError);
    await vi.runAllTimersAsync();
    await expect(running).resolves.toBe('done');
    expect(vi.getTimerCount()).toBe(0);
  });
});
