import { describe, expect, it } from 'vitest';
import { estimateCount } from '../../../src/cli/estimate.ts';

async function estimate(count: number, guess?: number): Promise<{ estimates: number[]; requests: number }> {
  const estimates: number[] = [];
  let requests = 0;
  await estimateCount(
    async (offset) => {
      requests += 1;
      return offset < count;
    },
    (found) => estimates.push(found),
    guess,
  );
  return { estimates, requests };
}

describe('an estimate of how many there are', () => {
  it.each([499, 500, 501, 3_000, 4_001, 50_000, 256_000, 1_000_000, 9_000_000])(
    'is within a tenth of %d, for a dozen requests',
    async (count) => {
      const { estimates, requests } = await estimate(count);
      expect(requests).toBeLessThanOrEqual(12);
      const last = estimates.at(-1) ?? 0;
      expect(Math.abs(last - count) / count).toBeLessThan(0.1);
    },
  );

  it.each([0, 1, 7])('says few for %d', async (count) => {
    const { estimates } = await estimate(count);
    expect(estimates.at(-1)).toBeLessThan(20);
  });

  it('says what it knows of more than it looks for', async () => {
    expect((await estimate(20_000_000)).estimates).toEqual([16_000_001]);
  });

  it('is what there were last time, as long as there may be as many', async () => {
    expect(new Set((await estimate(4_000, 4_000)).estimates)).toEqual(new Set([4_000]));
    const { estimates } = await estimate(40_000, 4_000);
    expect(estimates).not.toContain(4_000);
    expect(Math.abs((estimates.at(-1) ?? 0) - 40_000) / 40_000).toBeLessThan(0.1);
  });

  it('ends with what it could not ask', async () => {
    const failing = async () => Promise.reject(new Error('away'));
    await expect(estimateCount(failing, () => {})).rejects.toThrow('away');
  });
});
