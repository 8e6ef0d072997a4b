import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RateLimiter } from '../../mocks/limits.ts';
import { freezeTime, json, makeClient, settled } from './support.ts';

beforeEach(freezeTime);
afterEach(() => {
  vi.useRealTimers();
});

/** Attio's own limit; it refuses by its own watch. */
const LIMIT = { readsPerSecond: 100, writesPerSecond: 25 };
const CONFIGURED = 22;
const WRITES = 220;

async function startsOfWrites(): Promise<number[]> {
  const { client, sent } = makeClient(json(200, {}), { writesPerSecond: CONFIGURED, writeConcurrency: 50 });
  await settled(
    Promise.all(Array.from({ length: WRITES }, (_, id) => client.records.delete('people', `r${id}`))),
  );
  return sent.map(({ at }) => at);
}

describe('writes, when many wait,', () => {
  it('use nearly all of the configured rate', async () => {
    const starts = await startsOfWrites();
    const seconds = ((starts.at(-1) ?? 0) - (starts[0] ?? 0)) / 1000;
    expect((WRITES - 1) / seconds).toBeGreaterThan(0.95 * CONFIGURED);
    expect((WRITES - 1) / seconds).toBeLessThanOrEqual(CONFIGURED * 1.01);
  });

  it.each([0, 100, 150])(
    'never meet the limit, though any may be held up by %i ms on the way',
    async (delayMs) => {
      const starts = await startsOfWrites();
      // The worst: what comes before an instant is held up until then, and what comes after is not.
      for (const freeze of starts) {
        const limiter = new RateLimiter(LIMIT);
        const arrivals = starts.map((at) => (at >= freeze - delayMs && at < freeze ? freeze : at));
        expect(arrivals.filter((at) => limiter.admit('write', at) !== null)).toEqual([]);
      }
    },
  );
});
