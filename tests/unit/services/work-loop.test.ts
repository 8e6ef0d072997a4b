import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ServiceError } from '../../../src/services/errors.ts';
import { WorkLoop } from '../../../src/services/work-loop.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

interface Row {
  readonly id: number;
  dueAt: number;
}

const OUTAGE = new ServiceError('unavailable', 'Attio is away');

let clock: ManualClock;
/** What is not settled yet. */
let rows: Row[];
let looks: number;
let dueLooks: number;
/** What the answer to that waits for. */
let askDue: () => Promise<void>;
let pauses: number[];
let mayWork: boolean;
/** What was taken in hand, in order. */
let taken: number[];
let work: (row: Row) => Promise<void>;
/** What a look waits for. */
let look: () => Promise<void>;
let loop: WorkLoop<Row>;

beforeEach(() => {
  clock = new ManualClock();
  [rows, looks, dueLooks, pauses, mayWork, taken] = [[], 0, 0, [], true, []];
  work = async (row) => done(row);
  look = async () => {};
  askDue = async () => {};
  loop = new WorkLoop<Row>({
    source: {
      async due(now, afterId, inHand, limit) {
        looks += 1;
        await look();
        const at = Date.parse(now);
        return rows.filter(({ id, dueAt }) => id > afterId && dueAt <= at && !inHand.has(id)).slice(0, limit);
      },
      async nextDueAt(after) {
        dueLooks += 1;
        const later = rows.map(({ dueAt }) => dueAt).filter((at) => at > Date.parse(after));
        const answer = later.length === 0 ? null : new Date(Math.min(...later)).toISOString();
        await askDue();
        return answer;
      },
    },
    async settle(row) {
      taken.push(row.id);
      await work(row);
    },
    mayWork: () => mayWork,
    onPaused: (waitMs) => pauses.push(waitMs),
    clock,
    random: () => 0.5,
    window: 3,
    rescanMs: 5_000,
  });
});

afterEach(() => loop.stop());

function add(count: number): void {
  for (let id = rows.length + 1; count > 0; id += 1, count -= 1) rows.push({ id, dueAt: clock.now() });
}

function done(row: Row): void {
  rows = rows.filter((other) => other !== row);
}

/** Starts the loop on these many rows. */
async function start(count: number): Promise<void> {
  add(count);
  loop.start();
  await settle();
}

describe('a work loop', () => {
  test('works off what there is, and what it is woken for', async () => {
    await start(10);
    expect([taken, rows]).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], []]);
    rows.push({ id: 11, dueAt: clock.now() });
    await settle();
    expect(taken).toHaveLength(10);
    loop.wake();
    await settle();
    expect(taken).toHaveLength(11);
  });

  test('has no more in hand than its window, and each row once', async () => {
    const ends: (() => void)[] = [];
    work = (row) => new Promise((resolve) => ends.push(() => resolve(done(row))));
    await start(5);
    loop.wakeAll();
    await settle();
    expect(taken).toEqual([1, 2, 3]);
    ends[1]?.();
    await settle();
    expect(taken).toEqual([1, 2, 3, 4]);
    for (const end of ends) end();
    await settle();
    expect(taken).toEqual([1, 2, 3, 4, 5]);
    ends.at(-1)?.();
  });

  test('does not look all the time when there is nothing', async () => {
    await start(0);
    const before = looks;
    await clock.advance(60_000);
    expect(looks - before).toBeLessThanOrEqual(3);
  });

  test('comes back for a row that waits, when it is due', async () => {
    work = async (row) => {
      if (taken.filter((id) => id === row.id).length > 1) return done(row);
      row.dueAt = clock.now() + 5_000;
      loop.dueAt(row.dueAt);
    };
    await start(2);
    await clock.advance(4_999);
    expect(taken).toEqual([1, 2]);
    await clock.advance(1);
    expect([taken, rows]).toEqual([[1, 2, 1, 2], []]);
  });

  test('comes back for what others have left behind, also while it is kept busy', async () => {
    await start(10);
    rows.push({ id: 5, dueAt: clock.now() });
    for (let second = 1; second < 5; second += 1) {
      rows.push({ id: 10 + second, dueAt: clock.now() });
      await clock.advance(1_000 - 1);
      loop.wake();
      await clock.advance(1);
    }
    expect(taken.slice(10)).toEqual([11, 12, 13, 14]);
    await clock.advance(1_000);
    loop.wake();
    await settle();
    expect(taken.slice(14)).toEqual([5]);
  });

  test('asks once a second what others have put off, however busy it is', async () => {
    await start(10);
    const [looksBefore, dueLooksBefore] = [looks, dueLooks];
    rows.push({ id: 5, dueAt: clock.now() + 1_500 });
    for (let id = 11; id <= 60; id += 1) {
      rows.push({ id, dueAt: clock.now() });
      loop.wake();
      await clock.advance(50);
    }
    expect(looks - looksBefore).toBeGreaterThanOrEqual(50);
    expect(dueLooks - dueLooksBefore).toBeLessThan(6);
    expect(taken.slice(10).indexOf(5)).toBeCloseTo(30, -1);
  });

  test('knows what was put off while it asked what waits', async () => {
    const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    askDue = () => {
      asked.resolve();
      return answered.promise;
    };
    work = async (row) => {
      if (taken.length > 1) return done(row);
      await asked.promise;
      row.dueAt = clock.now() + 900;
      loop.dueAt(row.dueAt);
      answered.resolve();
    };
    await start(1);
    await clock.advance(900);
    expect([taken, rows]).toEqual([[1, 1], []]);
  });

  test('works when it may, and not before', async () => {
    mayWork = false;
    await start(2);
    expect(taken).toEqual([]);
    mayWork = true;
    loop.resume();
    await settle();
    expect(taken).toEqual([1, 2]);
  });
});

describe('an outage', () => {
  test('pauses everything with one growing pause, and loses no row', async () => {
    work = async () => {
      throw OUTAGE;
    };
    await start(10);
    expect([taken, pauses, loop.isPaused]).toEqual([[1, 2, 3], [1_000], true]);
    loop.wake();
    loop.wakeAll();
    await settle();
    expect(taken).toHaveLength(3);
    await clock.advance(1_000);
    await clock.advance(2_000);
    expect(pauses).toEqual([1_000, 2_000, 4_000]);
    await clock.advance(120_000);
    expect(Math.max(...pauses)).toBe(30_000);
    work = async (row) => done(row);
    await clock.advance(30_000);
    expect([rows, loop.isPaused]).toEqual([[], false]);
  });

  test('that is met during a look keeps what the look has found from going before it', async () => {
    const found = Promise.withResolvers<void>();
    const outage = Promise.withResolvers<void>();
    work = async (row) => {
      if (row.id === 1 && taken.length === 1) await outage.promise;
      done(row);
    };
    await start(1);
    look = () => found.promise;
    rows.push({ id: 2, dueAt: clock.now() });
    loop.wake();
    await settle();
    outage.reject(OUTAGE);
    await settle();
    found.resolve();
    await settle();
    expect(taken).toEqual([1]);
    await clock.advance(1_000);
    expect(taken).toEqual([1, 1, 2]);
  });

  test('is over at once when somebody says so, and the next one starts anew', async () => {
    work = async () => {
      throw OUTAGE;
    };
    await start(5);
    await clock.advance(1_000);
    await clock.advance(2_000);
    work = async (row) => done(row);
    loop.resume();
    await settle();
    expect(rows).toEqual([]);
    expect(loop.pause(OUTAGE)).toBe(1_000);
  });

  test('lasts as long as was asked for', async () => {
    expect(loop.pause(new ServiceError('unavailable', 'wait', { retryAfterSeconds: 60 }))).toBe(60_000);
    await clock.advance(20_000);
    expect(loop.pause(OUTAGE)).toBe(40_000);
    expect(pauses).toEqual([60_000]);
  });

  test('of the database is one, too', async () => {
    let broken = true;
    const { due } = { due: () => Promise.reject(new Error('the disk is full')) };
    const paused: unknown[] = [];
    const other = new WorkLoop<Row>({
      source: { due: () => (broken ? due() : Promise.resolve([])), nextDueAt: async () => null },
      settle: async () => {},
      mayWork: () => true,
      onPaused: (_, error) => paused.push(error),
      clock,
      random: () => 0.5,
      window: 1,
    });
    other.start();
    await settle();
    broken = false;
    await clock.advance(5_000);
    await other.stop();
    expect(paused).toHaveLength(1);
  });
});

describe('a stop', () => {
  test('takes nothing more in hand and waits for what is', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    work = async (row) => {
      await promise;
      done(row);
    };
    await start(5);
    let stopped = false;
    const stopping = loop.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect([stopped, loop.stopped.aborted]).toEqual([false, true]);
    resolve();
    await stopping;
    expect([taken, rows.map(({ id }) => id)]).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
  });

  test('ends a pause, and a loop that was never started', async () => {
    work = async () => {
      throw OUTAGE;
    };
    await start(1);
    await loop.stop();
    expect(clock.sleeping).toBe(0);
    await loop.stop();
  });
});
