import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RateLane } from '../../../src/queue/rate-lane.ts';
import { SharedBudget } from '../../../src/queue/shared-budget.ts';
import { type Reservation, type ReservationRequest, USABLE_MS } from '../../../src/queue/shared-turns.ts';

const START = 1_700_000_000_000;
/** Two every tenth of a second: asked for two at a time. */
const PACE = { atOnce: 2, windowMs: 100 };

type Answer = Reservation | 'never';

/** A lane, and a plan whose answers a test decides: by default, turns as the pace allows them to one instance. */
class Bench {
  readonly asked: (ReservationRequest & { readonly at: number })[] = [];
  readonly paused: { lane: string; ms: number }[] = [];
  readonly modes: string[] = [];
  readonly at: number[] = [];
  readonly budget: SharedBudget;
  readonly lane: RateLane;
  delayMs = 0;
  answer: ((request: ReservationRequest) => Answer) | null = null;
  #planned: number[] = [];

  constructor({ instances = 1, concurrency = 100 } = {}) {
    this.budget = new SharedBudget({
      plan: {
        reserve: (_lane, request) => this.#reserve(request),
        pause: async (lane, ms) => void this.paused.push({ lane, ms }),
      },
      now: () => Date.now(),
      instances,
      onMode: (lane, mode) => this.modes.push(`${lane} ${mode}`),
    });
    this.lane = new RateLane({ rate: this.budget.turns('write', PACE), concurrency, maxWaiting: 1000 });
    this.budget.listen('write', (ms) => this.lane.pauseFor(ms));
  }

  /** Gives works that note when they start. @returns resolves when all have ended */
  give(count: number, lastsMs = 0): Promise<unknown> {
    const work = async () => {
      this.at.push(Date.now() - START);
      if (lastsMs > 0) await new Promise((resolve) => setTimeout(resolve, lastsMs));
    };
    return Promise.all(Array.from({ length: count }, () => this.lane.run(work)));
  }

  async #reserve(request: ReservationRequest): Promise<Reservation> {
    this.asked.push({ ...request, at: Date.now() - START });
    const answer = this.answer?.(request) ?? this.#plan(request);
    if (answer === 'never' || this.delayMs > USABLE_MS) {
      await new Promise((resolve) => setTimeout(resolve, USABLE_MS));
      throw new Error('no answer');
    }
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    return answer;
  }

  #plan({ pace, count }: ReservationRequest): Reservation {
    const now = Date.now();
    const inMs = Array.from({ length: count }, () => {
      const at = Math.max(now, (this.#planned.at(-pace.atOnce) ?? 0) + pace.windowMs);
      this.#planned.push(at);
      return at - now;
    });
    return { kind: 'turns', inMs };
  }
}

beforeEach(() => {
  vi.useFakeTimers({ now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('while there is a plan', () => {
  it('work starts as planned, without a pause between two answers', async () => {
    const bench = new Bench();
    bench.budget.found();
    bench.delayMs = 20;
    const done = bench.give(7);
    await vi.runAllTimersAsync();
    await done;
    expect(bench.at).toEqual([20, 40, 120, 140, 220, 240, 320]);
  });

  it('turns are asked for a few at a time, no more than can be used, and none while nothing waits', async () => {
    const bench = new Bench({ concurrency: 3 });
    bench.budget.found();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(bench.asked).toEqual([]);
    const done = bench.give(10, 150);
    await vi.runAllTimersAsync();
    await done;
    expect(bench.asked.reduce((sum, { count }) => sum + count, 0)).toBe(10);
    expect(Math.max(...bench.asked.map(({ count }) => count))).toBe(2);
    const asked = bench.asked.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(bench.asked).toHaveLength(asked);
  });

  it('a turn goes to the most urgent that waits when it comes, not to who waited when it was asked for', async () => {
    const bench = new Bench();
    bench.budget.found();
    bench.delayMs = 30;
    const order: string[] = [];
    const work = (name: string, priority: number) =>
      bench.lane.run(async () => void order.push(name), { priority });
    const first = [work('early', 0), work('second', 0)];
    await vi.advanceTimersByTimeAsync(20);
    const all = [...first, work('urgent', 1)];
    await vi.runAllTimersAsync();
    await Promise.all(all);
    expect(order).toEqual(['urgent', 'early', 'second']);
  });

  it('who is not waited for any more takes no turn, and no place', async () => {
    const bench = new Bench({ concurrency: 2 });
    bench.budget.found();
    const running = bench.give(2, 500);
    const controller = new AbortController();
    const { signal } = controller;
    const gone = bench.lane.run(async () => 1, { signal }).catch((error: unknown) => error);
    const next = bench.give(1);
    await vi.advanceTimersByTimeAsync(10);
    expect([bench.lane.running, bench.lane.size]).toEqual([2, 2]);
    controller.abort('enough');
    expect(await gone).toBe('enough');
    await vi.runAllTimersAsync();
    await Promise.all([running, next]);
    expect(bench.at).toEqual([0, 0, 500]);
    expect(bench.asked.reduce((sum, { count }) => sum + count, 0)).toBe(3);
  });

  it('closing the lane refuses all that waits, also when a turn has just come, and leaves no timer', async () => {
    const bench = new Bench();
    bench.budget.found();
    const outcomes = Promise.allSettled([bench.give(2), bench.give(2)]);
    await vi.advanceTimersByTimeAsync(10);
    vi.setSystemTime(START + 100);
    bench.lane.close();
    const [started, waiting] = await outcomes;
    expect(started?.status).toBe('fulfilled');
    expect(waiting).toMatchObject({ status: 'rejected', reason: { name: 'LaneClosedError' } });
    expect(bench.at).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a turn that comes too late is not used', async () => {
    const bench = new Bench({ concurrency: 1 });
    bench.budget.found();
    bench.answer = ({ count }) => ({ kind: 'turns', inMs: Array.from({ length: count }, () => 10) });
    void bench.give(1);
    await vi.advanceTimersByTimeAsync(5);
    // The process is held up: its timers fire late.
    vi.setSystemTime(START + 10 + USABLE_MS + 1);
    await vi.advanceTimersByTimeAsync(5);
    expect(bench.at).toEqual([]);
    await vi.advanceTimersByTimeAsync(10);
    expect(bench.at).toHaveLength(1);
    expect(bench.asked).toHaveLength(2);
  });

  it('a refusal of any instance pauses the lane, and is told to the others', async () => {
    const bench = new Bench();
    bench.budget.found();
    bench.answer = () => (Date.now() < START + 700 ? { kind: 'paused', ms: 700 } : null) as Answer;
    const done = bench.give(1);
    await vi.advanceTimersByTimeAsync(0);
    expect(bench.lane.pausedMs).toBe(700);
    await vi.runAllTimersAsync();
    await done;
    expect(bench.at).toEqual([700]);
    bench.budget.heardPause('write', 300);
    expect(bench.lane.pausedMs).toBe(300);
    bench.budget.pause('write', 900);
    expect(bench.paused).toEqual([{ lane: 'write', ms: 900 }]);
  });
});

describe('when the plan does not answer', () => {
  it.each(['never', 'late', 'refused'] as const)(
    'work waits for it once and briefly, then goes by its share: %s',
    async (how) => {
      const bench = new Bench({ instances: 4 });
      bench.budget.found();
      if (how === 'never') bench.answer = () => 'never';
      if (how === 'late') bench.delayMs = USABLE_MS + 30;
      if (how === 'refused') bench.answer = () => ({ kind: 'alone', ms: 5_000 });
      const done = bench.give(5);
      await vi.advanceTimersByTimeAsync(1_000);
      await done;
      const first = how === 'refused' ? 0 : USABLE_MS;
      expect(bench.at).toEqual([0, 200, 400, 600, 800].map((ms) => first + ms));
      expect(bench.modes.slice(0, 2)).toEqual(['write shared', 'write alone']);
    },
  );

  it('it is asked again now and then, for as long as there is work, and nobody waits for that', async () => {
    const bench = new Bench({ concurrency: 5 });
    bench.budget.found();
    bench.answer = () => 'never';
    const done = bench.give(40);
    await vi.advanceTimersByTimeAsync(3_000);
    await done;
    // Two in a tenth of a second from when the first answer did not come.
    expect(bench.at.at(-1)).toBe(USABLE_MS + 1_900);
    expect(bench.asked.length).toBeGreaterThan(4);
    expect(bench.asked.length).toBeLessThan(9);
    const asked = bench.asked.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(bench.asked).toHaveLength(asked);
  });

  it('the plan is followed again when it answers, without a burst', async () => {
    const bench = new Bench();
    bench.budget.found();
    bench.answer = () => 'never';
    const done = bench.give(40);
    await vi.advanceTimersByTimeAsync(700);
    bench.answer = null;
    await vi.runAllTimersAsync();
    await done;
    expect(bench.modes).toEqual(['write shared', 'write alone', 'write shared']);
    const busiest = bench.at.map((from) => bench.at.filter((at) => at >= from && at < from + 1000).length);
    expect(Math.max(...busiest)).toBeLessThanOrEqual(22);
  });

  it('who comes back says so after a long time alone only', async () => {
    const bench = new Bench();
    bench.budget.found();
    bench.answer = () => 'never';
    const brief = bench.give(8);
    await vi.advanceTimersByTimeAsync(900);
    await brief;
    bench.answer = null;
    void bench.give(1);
    await vi.advanceTimersByTimeAsync(50);
    expect(bench.asked.at(-1)?.isBack).toBe(false);
    bench.answer = () => 'never';
    const long = bench.give(40);
    await vi.advanceTimersByTimeAsync(2_500);
    await long;
    bench.answer = null;
    void bench.give(2);
    await vi.advanceTimersByTimeAsync(300);
    expect(bench.asked.at(-1)?.isBack).toBe(true);
    await vi.advanceTimersByTimeAsync(2_000);
    void bench.give(1);
    await vi.advanceTimersByTimeAsync(300);
    expect(bench.asked.at(-1)?.isBack).toBe(false);
  });
});

describe('without a plan', () => {
  it('nobody waits, before it is found and after it is lost', async () => {
    const bench = new Bench();
    await bench.give(1);
    bench.budget.found();
    bench.budget.lost();
    await bench.give(1);
    expect(bench.at).toEqual([0, 0]);
    expect(bench.asked).toEqual([]);
    expect(bench.modes).toEqual(['write shared', 'write alone']);
  });

  it('who waits for an answer goes on when it is lost, and the answer changes nothing', async () => {
    const bench = new Bench();
    bench.budget.found();
    bench.delayMs = 40;
    const done = bench.give(1);
    await vi.advanceTimersByTimeAsync(10);
    bench.budget.lost();
    await done;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(bench.at).toEqual([10]);
    expect(bench.modes.at(-1)).toBe('write alone');
  });

  it('a refusal is told to nobody', () => {
    const bench = new Bench();
    bench.budget.pause('write', 900);
    expect(bench.paused).toEqual([]);
  });

  it.each([
    { seen: [], share: [0, 150, 300] },
    { seen: [1], share: [0, 0, 100] },
    { seen: [2, 4], share: [0, 200, 400] },
  ])('the share is that of the instances last seen, or configured: $seen', async ({ seen, share }) => {
    const bench = new Bench({ instances: 3 });
    bench.budget.found();
    for (const count of seen) bench.budget.sawInstances(count);
    bench.budget.lost();
    const done = bench.give(3);
    await vi.runAllTimersAsync();
    await done;
    expect(bench.at).toEqual(share);
  });

  it('who has seen nobody goes by how many have registered, and so does who has seen fewer', () => {
    const bench = new Bench({ instances: 1 });
    bench.budget.registered(3);
    expect(bench.budget.instances).toBe(3);
    bench.budget.found();
    bench.budget.sawInstances(2);
    expect(bench.budget.instances).toBe(3);
    bench.budget.registered(1);
    expect(bench.budget.instances).toBe(2);
  });

  it('nobody is seen to go: those who come back first would count themselves alone', async () => {
    const bench = new Bench();
    bench.budget.found();
    bench.budget.sawInstances(3);
    bench.budget.lost();
    await vi.advanceTimersByTimeAsync(60_000);
    bench.budget.sawInstances(1);
    expect(bench.budget.instances).toBe(3);
    bench.budget.sawInstances(4);
    expect(bench.budget.instances).toBe(4);
    await vi.advanceTimersByTimeAsync(60_000);
    bench.budget.found();
    bench.budget.sawInstances(1);
    expect(bench.budget.instances).toBe(4);
    await vi.advanceTimersByTimeAsync(6_000);
    bench.budget.sawInstances(1);
    expect(bench.budget.instances).toBe(1);
  });
});
