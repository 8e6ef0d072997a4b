import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AttioApiError, type AttioErrorKind, ERROR_TRAITS } from '../../../src/attio/errors.ts';
import { type FailedAttempt, RETRY_RULES, rateLimitWaitMs, retryDecision } from '../../../src/attio/retry.ts';
import { retryAfterMs } from '../../../src/attio/retry-after.ts';

const LIMITS = { maxAttempts: 4, maxWaitMs: 30_000, maxTotalMs: 60_000 };

function failed(
  kind: AttioErrorKind,
  rest: Partial<FailedAttempt> & { retryAfterMs?: number } = {},
): FailedAttempt {
  const { retryAfterMs: asked = null, ...overrides } = rest;
  const error = new AttioApiError(kind, { endpoint: 'GET /objects', retryAfterMs: asked });
  return { error, attempt: 1, idempotent: false, elapsedMs: 0, random: 0, ...overrides };
}

/** kind, then whether it is sent again: not idempotent, idempotent, and the first wait without jitter. */
const ROWS: readonly (readonly [AttioErrorKind, boolean, boolean, number])[] = [
  ['rate_limited', true, true, 1000],
  ['concurrent_write_conflict', true, true, 100],
  ['merge_in_progress', true, true, 1000],
  ['server_error', false, true, 125],
  ['network', false, true, 125],
  ['timeout', false, true, 125],
  ['invalid_response', false, true, 125],
  ['unauthorized', false, false, 0],
  ['forbidden', false, false, 0],
  ['token_inactive', false, false, 0],
  ['quota', false, false, 0],
  ['not_found', false, false, 0],
  ['misrouted', false, false, 0],
  ['validation', false, false, 0],
  ['missing_value', false, false, 0],
  ['value_not_found', false, false, 0],
  ['filter_error', false, false, 0],
  ['uniqueness_conflict', false, false, 0],
  ['multiple_match_results', false, false, 0],
  ['immutable_value', false, false, 0],
  ['conflict', false, false, 0],
  ['bad_request', false, false, 0],
  ['circuit_open', false, false, 0],
  ['lane_full', false, false, 0],
  ['not_in_charge', false, false, 0],
];

describe('the retry table', () => {
  it('has a row for every kind', () => {
    expect(ROWS.map(([kind]) => kind).sort()).toEqual(Object.keys(RETRY_RULES).sort());
  });

  it.each(ROWS)(
    '%s: a write that may not be repeated: %s, anything else: %s',
    (kind, once, repeatable, waitMs) => {
      const expected = (retry: boolean) => (retry ? { retry, waitMs, reason: kind } : { retry });
      expect(retryDecision(failed(kind), LIMITS)).toEqual(expected(once));
      expect(retryDecision(failed(kind, { idempotent: true }), LIMITS)).toEqual(expected(repeatable));
    },
  );

  it('never sends again what Attio refuses for good', () => {
    for (const [kind, rule] of Object.entries(RETRY_RULES)) {
      if (ERROR_TRAITS[kind as AttioErrorKind].final) expect(rule.when).toBe('never'); // keys of that very record
    }
  });

  it('backs off twice as long with each attempt, with jitter up to as much again', () => {
    const waits = [1, 2, 3].map((attempt) =>
      retryDecision(failed('server_error', { idempotent: true, attempt }), LIMITS),
    );
    expect(waits).toMatchObject([{ waitMs: 125 }, { waitMs: 250 }, { waitMs: 500 }]);
    expect(retryDecision(failed('network', { idempotent: true, random: 0.5 }), LIMITS)).toMatchObject({
      waitMs: 188,
    });
  });

  it('waits at least as long as a 503 asks', () => {
    const asked = failed('server_error', { idempotent: true, retryAfterMs: 5000 });
    expect(retryDecision(asked, LIMITS)).toMatchObject({ waitMs: 5000 });
  });
});

describe('its bounds', () => {
  it('are the number of attempts', () => {
    expect(retryDecision(failed('rate_limited', { attempt: 4 }), LIMITS)).toEqual({ retry: false });
  });

  it('are the single wait, which is not shortened', () => {
    const justAllowed = failed('rate_limited', { retryAfterMs: 30_000 });
    expect(retryDecision(justAllowed, LIMITS)).toMatchObject({ waitMs: 30_000 });
    expect(retryDecision(failed('rate_limited', { retryAfterMs: 30_001 }), LIMITS)).toEqual({ retry: false });
  });

  it('are the whole time', () => {
    const late = failed('rate_limited', { elapsedMs: 59_001 });
    expect(retryDecision(late, LIMITS)).toEqual({ retry: false });
    expect(retryDecision({ ...late, elapsedMs: 59_000 }, LIMITS)).toMatchObject({ retry: true });
  });

  it('hold for every kind of failure', () => {
    const anyKind = fc.constantFrom(...ROWS.map(([kind]) => kind));
    fc.assert(
      fc.property(
        anyKind,
        fc.record({
          attempt: fc.integer({ min: 1, max: 10 }),
          idempotent: fc.boolean(),
          elapsedMs: fc.nat(100_000),
          random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
          rateLimitStreak: fc.integer({ min: 1, max: 50 }),
          retryAfterMs: fc.nat(100_000),
        }),
        (kind, attempt) => {
          const decision = retryDecision(failed(kind, attempt), LIMITS);
          if (!decision.retry) return;
          expect(attempt.attempt).toBeLessThan(LIMITS.maxAttempts);
          expect(decision.waitMs).toBeLessThanOrEqual(LIMITS.maxWaitMs);
          expect(decision.waitMs + attempt.elapsedMs).toBeLessThanOrEqual(LIMITS.maxTotalMs);
          expect(decision.waitMs).toBeGreaterThanOrEqual(attempt.retryAfterMs);
        },
      ),
    );
  });
});

describe('the wait after a 429', () => {
  it('is all that was asked, a second at least, and a second if nothing was', () => {
    expect(rateLimitWaitMs(7000, 1, 0)).toBe(7000);
    expect(rateLimitWaitMs(10, 1, 0)).toBe(1000);
    expect(rateLimitWaitMs(null, 1, 0)).toBe(1000);
  });

  it('has up to a quarter of a second of jitter on top', () => {
    expect(rateLimitWaitMs(1000, 1, 0.999)).toBe(1250);
  });

  it('grows when it is met again right after', () => {
    expect([1, 2, 3, 4].map((streak) => rateLimitWaitMs(1000, streak, 0))).toEqual([1000, 2000, 3000, 5000]);
  });

  it('stays a finite number', () => {
    expect(rateLimitWaitMs(1000, 1_000_000, 0)).toBeLessThan(24 * 3_600_000);
  });
});

describe('Retry-After', () => {
  const NOW = Date.parse('2026-11-23T12:00:00.600Z');
  const of = (headers: Record<string, string>) => retryAfterMs(new Headers(headers), NOW);

  it('is read as an HTTP date against the Date of the response', () => {
    const headers = { date: 'Mon, 23 Nov 2026 12:00:00 GMT', 'retry-after': 'Mon, 23 Nov 2026 12:00:03 GMT' };
    expect(of(headers)).toBe(3000);
  });

  it('does not care how wrong our own clock is when the response has a Date', () => {
    const headers = { date: 'Wed, 01 Jan 2020 00:00:00 GMT', 'retry-after': 'Wed, 01 Jan 2020 00:00:02 GMT' };
    expect(of(headers)).toBe(2000);
  });

  it('is held against our clock when the response has no Date', () => {
    expect(of({ 'retry-after': 'Mon, 23 Nov 2026 12:00:03 GMT' })).toBe(2400);
  });

  it('is read as seconds', () => {
    expect(of({ 'retry-after': '5' })).toBe(5000);
    expect(of({ 'retry-after': ' 1.2 ' })).toBe(1200);
  });

  it('is a second at least', () => {
    expect(of({ 'retry-after': '0' })).toBe(1000);
    expect(of({ 'retry-after': 'Mon, 23 Nov 2026 11:00:00 GMT' })).toBe(1000);
    const sameSecond = 'Mon, 23 Nov 2026 12:00:00 GMT';
    expect(of({ date: sameSecond, 'retry-after': sameSecond })).toBe(1000);
  });

  it('is nothing when it is missing or unreadable', () => {
    expect(of({})).toBeNull();
    expect(of({ 'retry-after': '' })).toBeNull();
    expect(of({ 'retry-after': 'soon' })).toBeNull();
  });
});
