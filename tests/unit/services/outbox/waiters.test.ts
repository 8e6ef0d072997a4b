import { beforeEach, describe, expect, test } from 'vitest';
import { type Settlement, Waiters } from '../../../../src/services/outbox/waiters.ts';
import { ManualClock, settle } from '../../../support/manual-clock.ts';

const NEVER = new AbortController().signal;
const REFUSED: Settlement = { outcome: 'refused', message: 'no', attio: null };

let clock: ManualClock;
let waiters: Waiters;

beforeEach(() => {
  clock = new ManualClock();
  waiters = new Waiters({ clock });
});

function wait(id: number, ms = 2_000, signal: AbortSignal = NEVER) {
  const ended: { with: Settlement | null | 'waiting' } = { with: 'waiting' };
  const done = waiters.wait(id, ms, signal).then((settlement) => {
    ended.with = settlement;
  });
  return { ended, done };
}

describe('who waits for a write', () => {
  test('is told how it ends, also when it ends before the waiting begins', async () => {
    waiters.expect(1);
    waiters.expect(2);
    waiters.tell(2, REFUSED);
    const [one, two] = [wait(1), wait(2)];
    await settle();
    expect([one.ended.with, two.ended.with]).toEqual(['waiting', REFUSED]);
    waiters.tell(1, { outcome: 'done', held: 0, entityId: 'a' });
    await one.done;
    expect([one.ended.with, clock.sleeping]).toEqual([{ outcome: 'done', held: 0, entityId: 'a' }, 0]);
  });

  test('waits no longer than it may', async () => {
    waiters.expect(1);
    const { ended } = wait(1);
    await clock.advance(1_999);
    expect(ended.with).toBe('waiting');
    await clock.advance(1);
    expect(ended.with).toBeNull();
    expect(waiters.claim(1)).toBe(false);
  });

  test('does not wait when nobody has announced it', async () => {
    await wait(1).done;
    expect(clock.sleeping).toBe(0);
  });

  test('goes when its client has gone away, before or meanwhile', async () => {
    const client = new AbortController();
    waiters.expect(1);
    const one = wait(1, 2_000, client.signal);
    client.abort();
    await one.done;
    waiters.expect(2);
    const two = wait(2, 2_000, client.signal);
    await two.done;
    expect([one.ended.with, two.ended.with]).toEqual([null, null]);
  });

  test('is let go by an outage', async () => {
    waiters.expect(1);
    const { ended, done } = wait(1);
    waiters.release();
    await done;
    expect(ended.with).toBeNull();
  });
});

describe('a write whose end is being committed', () => {
  test('keeps whoever waits until it is told, whatever happens', async () => {
    const client = new AbortController();
    waiters.expect(1);
    const { ended, done } = wait(1, 2_000, client.signal);
    expect(waiters.claim(1)).toBe(true);
    waiters.release();
    client.abort();
    await clock.advance(5_000);
    expect(ended.with).toBe('waiting');
    waiters.tell(1, REFUSED);
    await done;
    expect(ended.with).toEqual(REFUSED);
  });

  test('lets go when it could not be committed', async () => {
    waiters.expect(1);
    const { ended, done } = wait(1);
    waiters.claim(1);
    await clock.advance(3_000);
    waiters.dismiss(1);
    await done;
    expect(ended.with).toBeNull();
  });

  test('is claimed before anybody waits, too', async () => {
    waiters.expect(1);
    expect(waiters.claim(1)).toBe(true);
    const { ended, done } = wait(1, 0);
    await clock.advance(10);
    expect(ended.with).toBe('waiting');
    waiters.tell(1, REFUSED);
    await done;
    expect(ended.with).toEqual(REFUSED);
  });

  test('has nobody to tell when nobody waits any more', async () => {
    waiters.expect(1);
    const { done } = wait(1, 0);
    await clock.advance(0);
    await done;
    expect(waiters.claim(1)).toBe(false);
    waiters.tell(1, REFUSED);
    waiters.dismiss(1);
  });
});

describe('requests that wait for one write', () => {
  const DONE: Settlement = { outcome: 'done', entityId: 'e', held: 0 };
  const join = (ms: number) => {
    waiters.expect(1);
    return waiters.wait(1, ms, NEVER);
  };

  test('are all told how it ends', async () => {
    const all = [join(2_000), join(2_000), join(1_000)];
    await settle();
    waiters.tell(1, DONE);
    expect(await Promise.all(all)).toEqual([DONE, DONE, DONE]);
    expect(waiters.waiting()).toEqual([]);
  });

  test('go away one by one', async () => {
    const [early, late] = [join(1_000), join(2_000)];
    await clock.advance(1_000);
    expect(await early).toBeNull();
    expect(waiters.waiting()).toEqual([1]);
    waiters.tell(1, DONE);
    expect(await late).toEqual(DONE);
    expect(waiters.claim(1)).toBe(false);
  });

  test('stay for what is about to be committed', async () => {
    const both = [join(1_000), join(2_000)];
    expect(waiters.claim(1)).toBe(true);
    await clock.advance(5_000);
    waiters.release();
    waiters.tell(1, DONE);
    expect(await Promise.all(both)).toEqual([DONE, DONE]);
  });
});
