import { describe, expect, it } from 'vitest';
import { attioEnvironment, attioSettings } from '../../../src/attio/config.ts';

const env = (overrides: Record<string, string | undefined>) =>
  attioEnvironment.safeParse({ ATTIO_API_KEY: 'key', ...overrides });

describe('the environment', () => {
  it('needs only the key', () => {
    expect(env({}).data).toEqual({ ATTIO_API_KEY: 'key', ATTIO_BASE_URL: 'https://api.attio.com/v2' });
  });

  it.each([undefined, '', ' ', 'two words', 'line\nbreak', 'nul\0', 'ümlaut'])(
    'refuses the key %j',
    (key) => {
      const parsed = env({ ATTIO_API_KEY: key });
      expect(parsed.success).toBe(false);
      if (key !== undefined && key.trim() !== '') expect(JSON.stringify(parsed.error)).not.toContain(key);
    },
  );

  it.each([
    ['http://127.0.0.1:4010/v2', 'http://127.0.0.1:4010/v2'],
    ['https://api.attio.com/v2/', 'https://api.attio.com/v2'],
    ['https://proxy.test', 'https://proxy.test'],
  ])('takes the address %s', (address, expected) => {
    expect(env({ ATTIO_BASE_URL: address }).data?.ATTIO_BASE_URL).toBe(expected);
  });

  it.each([
    '',
    'api.attio.com/v2',
    'ftp://api.attio.com',
    'https://user@api.attio.com/v2',
    'https://user:secret@api.attio.com/v2',
    'https://api.attio.com/v2?x=1',
    'https://api.attio.com/v2#x',
    'https://',
  ])('refuses the address %j', (address) => {
    const parsed = env({ ATTIO_BASE_URL: address });
    expect(parsed.success).toBe(false);
    expect(JSON.stringify(parsed.error)).not.toContain('secret');
  });
});

describe('the settings', () => {
  const budgets = { readsPerSecond: 95, writesPerSecond: 24, readConcurrency: 10, writeConcurrency: 10 };

  it('need only the budgets', () => {
    expect(attioSettings.parse(budgets)).toEqual({
      ...budgets,
      instances: 1,
      attemptTimeoutMs: 10_000,
      maxAttempts: 4,
      maxRetryWaitMs: 30_000,
      maxTotalMs: 60_000,
      breaker: { failures: 3, halfOpenAfterMs: 5000, maxHalfOpenAfterMs: 15_000 },
      maxWaiting: 2000,
    });
  });

  it.each([
    { readsPerSecond: 101 },
    { writesPerSecond: 26 },
    { readsPerSecond: 0 },
    { readConcurrency: 1.5 },
    { maxAttempts: 0 },
    { breaker: { failures: 0 } },
    { unknown: 1 },
  ])('refuse %j', (overrides) => {
    expect(attioSettings.safeParse({ ...budgets, ...overrides }).success).toBe(false);
  });
});
