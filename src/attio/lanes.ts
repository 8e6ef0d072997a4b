import type { Clock } from '../domain/clock.ts';
import { LanePausedError, type LaneRunOptions, RateLane } from '../queue/rate-lane.ts';
import { ScoreWindow } from '../queue/score-window.ts';
import type { SharedBudget } from '../queue/shared-budget.ts';
import { type Pace, shareOf, type Turns } from '../queue/turns.ts';
import { rateLimitWaitMs } from './retry.ts';

/** `query`: the two query endpoints, which have a second limit on top of that for reads. */
export type LaneName = 'read' | 'query' | 'write';

export interface LaneSettings {
  readonly readsPerSecond: number;
  readonly writesPerSecond: number;
  /** How many share the two, while nothing better is known. */
  readonly instances: number;
  readonly readConcurrency: number;
  readonly writeConcurrency: number;
  readonly maxWaiting: number;
  /** A pause that lasts longer is not waited for. */
  readonly maxPauseMs: number;
}

type Turn = LaneRunOptions & { readonly signal: AbortSignal };

interface Streak {
  count: number;
  lastHitAt: number;
}

/**
 * Attio counts arrivals, we count starts. Requests that differ in how long they travel arrive closer together than
 * they were sent, so a second's worth is spread over a little more than one. Measured against a strict limiter:
 * without it a lane near the limit is refused every few seconds, and each refusal costs it a second.
 */
const READ_SPREAD = 1.1;

/**
 * Writes start a few at a time, spread over the second: others share Attio's limit (25 a second), and would find it used
 * up by a whole second's worth at once. By a little more than a second in all: at 22 a second, 26 of them span 1.17 s,
 * so requests may be held up by 0.17 s anywhere on the way and none of them meets the limit.
 */
const WRITES_AT_ONCE = 5;
const WRITE_SPREAD = 1.03;

/**
 * Several instances start fewer at once, so that a second's worth leaves some of Attio's limit for the moment when they
 * begin or cease to share it: no more than 22 writes and 90 reads in any second at 22 and 95 a second.
 */
const SHARED_READS_AT_ONCE = 10;
const SHARED_WRITES_AT_ONCE = 2;

/** Queries get at most this share of the reads that run at once, so that a full sync leaves room for the rest. */
const QUERY_SHARE = 0.8;

/**
 * Who may send when. Attio counts reads and writes apart (Attio rate-limit guide), and queries by their cost on
 * top; a query passes the query lane first and then the read lane.
 */
export class Lanes {
  readonly #lanes: Readonly<Record<LaneName, RateLane>>;
  readonly #streaks: Readonly<Record<LaneName, Streak>>;
  readonly #scores: ScoreWindow;
  readonly #clock: Clock;
  readonly #budget: SharedBudget | null;
  readonly #maxPauseMs: number;

  constructor(
    deps: {
      clock: Clock;
      budget: SharedBudget | null;
      onWait: (wait: { lane: LaneName; ms: number }) => void;
    },
    settings: LaneSettings,
  ) {
    this.#clock = deps.clock;
    this.#maxPauseMs = settings.maxPauseMs;
    this.#scores = new ScoreWindow({ clock: deps.clock });
    const lane = (name: LaneName, rate: Pace | Turns, concurrency: number) =>
      new RateLane({
        rate,
        concurrency,
        maxWaiting: settings.maxWaiting,
        maxPauseMs: settings.maxPauseMs,
        onWait: (ms) => deps.onWait({ lane: name, ms }),
      });
    const queryConcurrency = Math.max(1, Math.floor(settings.readConcurrency * QUERY_SHARE));
    const pace = pacesOf(settings, deps.budget !== null || settings.instances > 1);
    const rate = (name: 'read' | 'write') =>
      deps.budget?.turns(name, pace[name]) ?? shareOf(pace[name], settings.instances);
    this.#lanes = {
      read: lane('read', rate('read'), settings.readConcurrency),
      // Their turns are those of reads.
      query: lane('query', pace.read, queryConcurrency),
      write: lane('write', rate('write'), settings.writeConcurrency),
    };
    this.#budget = deps.budget;
    for (const name of ['read', 'query', 'write'] as const)
      deps.budget?.listen(name, (ms) => this.#pausedByOthers(name, ms));
    const streak = () => ({ count: 0, lastHitAt: Number.NEGATIVE_INFINITY });
    this.#streaks = { read: streak(), query: streak(), write: streak() };
  }

  /** @throws as RateLane.run */
  run<T>(name: LaneName, fn: () => Promise<T>, turn: Turn): Promise<T> {
    if (name !== 'query') return this.#lanes[name].run(fn, turn);
    return this.#lanes.query.run(() => this.#runQuery(fn, turn), turn);
  }

  /** What a query cost, as Attio said with its answer. */
  recordScore(score: number): void {
    this.#scores.record(score);
  }

  /** The lane was not refused. @param sentAt when the request was sent, in milliseconds by the clock */
  accepted(name: LaneName, sentAt: number): void {
    const streak = this.#streaks[name];
    if (sentAt > streak.lastHitAt) streak.count = 0;
  }

  /**
   * The lane was told to wait, and does as a whole. Requests that were under way at the same time are one refusal.
   *
   * A query is refused for its cost or for the reads' rate, and the answer does not say which: with no cost in the
   * window it was the rate, and all reads wait.
   * @returns the length of the streak of refusals
   */
  refused(name: LaneName, refusal: { sentAt: number; askedMs: number | null; random: number }): number {
    const streak = this.#streaks[name];
    if (refusal.sentAt > streak.lastHitAt) {
      streak.count += 1;
      streak.lastHitAt = this.#clock.now();
      if (name === 'query') this.#scores.limitMet();
    }
    const waitMs = rateLimitWaitMs(refusal.askedMs, streak.count, refusal.random);
    this.#pauseAll(name, waitMs);
    if (name === 'query' && this.#scores.sum === 0) this.#pauseAll('read', waitMs);
    return streak.count;
  }

  close(): void {
    for (const lane of Object.values(this.#lanes)) lane.close();
  }

  #pauseAll(name: LaneName, ms: number): void {
    this.#lanes[name].pauseFor(ms);
    this.#budget?.pause(name, ms);
  }

  /** Another instance was refused. The sum of costs that met the limit was everybody's: ours was a share of it. */
  #pausedByOthers(name: LaneName, ms: number): void {
    this.#lanes[name].pauseFor(ms);
    if (name === 'query') this.#scores.limitMet();
  }

  async #runQuery<T>(fn: () => Promise<T>, turn: Turn): Promise<T> {
    for (;;) {
      const end = await this.#beginQuery(turn.signal);
      try {
        // Queries may have been paused while this one waited among the reads: then it has lost its turn.
        const unlessPaused = () => (this.#lanes.query.pausedMs > 0 ? Promise.resolve(null) : fn().then(wrap));
        const outcome = await this.#lanes.read.run(unlessPaused, turn);
        if (outcome !== null) return outcome.result;
      } finally {
        end();
      }
    }
  }

  /** Waits until queries may go, and counts this one in the same step, so that no other one takes its room. */
  async #beginQuery(signal: AbortSignal): Promise<() => void> {
    for (;;) {
      const { pausedMs } = this.#lanes.query;
      if (pausedMs > this.#maxPauseMs) throw new LanePausedError(pausedMs);
      const waitMs = Math.max(pausedMs, this.#scores.delayMs());
      if (waitMs <= 0) return this.#scores.begin();
      await this.#clock.sleep(waitMs, signal);
    }
  }
}

/** What all instances may do together. */
function pacesOf(
  { readsPerSecond, writesPerSecond }: LaneSettings,
  isShared: boolean,
): Readonly<Record<'read' | 'write', Pace>> {
  const pace = (perSecond: number, mostAtOnce: number, spread: number): Pace => {
    const atOnce = Math.min(mostAtOnce, perSecond);
    return { atOnce, windowMs: (atOnce / perSecond) * 1000 * spread };
  };
  return {
    read: pace(readsPerSecond, isShared ? SHARED_READS_AT_ONCE : readsPerSecond, READ_SPREAD),
    write: pace(writesPerSecond, isShared ? SHARED_WRITES_AT_ONCE : WRITES_AT_ONCE, WRITE_SPREAD),
  };
}

function wrap<T>(result: T): { readonly result: T } {
  return { result };
}
