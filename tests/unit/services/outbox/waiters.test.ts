import { describe, expect, it } from 'vitest';
import { Waiters } from '../../../../src/services/outbox/waiters.ts';
import { ManualClock, settle } from '../../../support/manual-clock.ts';

const DONE = { outcome: 'done', entityId: 'e', held: 0 } as const;
const { signal } = new AbortController();

function setUp() {
  const clock = new ManualClock();
  const waiters = new Waiters({ clock });
  const wait = (ms: number) => {
    waiters.expect(1);
    return waiters.wait(1, ms, signal);
  };
  return { clock, waiters, wait };
}

describe('requests that wait for one write', () => {
  it('are all told how it ends', async () => {
    const { waiters, wait } = setUp();
    const all = [wait(2_000), wait(2_000), wait(1_000)];
    await settle();
    waiters.tell(1, DONE);
    expect(await Promise.all(all)).toEqual([DONE, DONE, DONE]);
    expect(waiters.waiting()).toEqual([]);
  });

  it('go away one by one', async () => {
    const { clock, waiters, wait } = setUp();
    const early = wait(1_000);
    const late = wait(2_000);
    await clock.advance(1_000);
    expect(await early).toBeNull();
    expect(waiters.waiting()).toEqual([1]);
    waiters.tell(1, DONE);
    expect(await late).toEqual(DONE);
    expect(waiters.claim(1)).toBe(false);
  });

  it('stay for what is about to be committed', async () => {
    const { clock, waiters, wait } = setUp();
    const both = [wait(1_000), wait(2_000)];
    expect(waiters.claim(1)).toBe(true);
    await clock.advance(5_000);
    waiters.release();
    waiters.tell(1, DONE);
    expect(await Promise.all(both)).toEqual([DONE, DONE]);
  });
});
