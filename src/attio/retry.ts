import type { AttioApiError, AttioErrorKind } from './errors.ts';
import { RETRY_AFTER_FLOOR_MS } from './retry-after.ts';

/** When a request of a kind of failure may be sent again. */
export interface RetryRule {
  /** `always`: Attio did not carry it out; `idempotent`: it may have; `never`: the answer would be the same. */
  readonly when: 'always' | 'idempotent' | 'never';
  /** The wait before the second attempt; it doubles with each further one. */
  readonly firstWaitMs: number;
}

const never: RetryRule = { when: 'never', firstWaitMs: 0 };
const ifIdempotent: RetryRule = { when: 'idempotent', firstWaitMs: 250 };

/**
 * The table. 429: the request was not carried out, so every method may be sent again (Attio rate-limit guide).
 * `concurrent_write_conflict`: Attio asks to try again. `merge_in_progress`: over when the merge is.
 * An open circuit and a full lane are for whoever called: they last longer than a request should.
 */
export const RETRY_RULES: Readonly<Record<AttioErrorKind, RetryRule>> = {
  rate_limited: { when: 'always', firstWaitMs: RETRY_AFTER_FLOOR_MS },
  concurrent_write_conflict: { when: 'always', firstWaitMs: 200 },
  merge_in_progress: { when: 'always', firstWaitMs: 2000 },
  server_error: ifIdempotent,
  network: ifIdempotent,
  timeout: ifIdempotent,
  invalid_response: ifIdempotent,
  unauthorized: never,
  forbidden: never,
  token_inactive: never,
  quota: never,
  not_found: never,
  misrouted: never,
  validation: never,
  missing_value: never,
  value_not_found: never,
  filter_error: never,
  uniqueness_conflict: never,
  multiple_match_results: never,
  immutable_value: never,
  conflict: never,
  bad_request: never,
  circuit_open: never,
  lane_full: never,
  not_in_charge: never,
};

export interface RetryLimits {
  /** Attempts in all, the first included. */
  readonly maxAttempts: number;
  /** A longer wait is not shortened: the request is given up. */
  readonly maxWaitMs: number;
  /** From the start of the first attempt to the start of the last. */
  readonly maxTotalMs: number;
}

export interface FailedAttempt {
  readonly error: AttioApiError;
  /** From 1. */
  readonly attempt: number;
  readonly idempotent: boolean;
  /** Since the start of the first attempt. */
  readonly elapsedMs: number;
  /** 0 ≤ x < 1 */
  readonly random: number;
  /** How many times in a row this lane was told to wait, this one included. @default 1 */
  readonly rateLimitStreak?: number;
}

export type RetryDecision =
  | { readonly retry: false }
  | { readonly retry: true; readonly waitMs: number; readonly reason: AttioErrorKind };

/**
 * How long a lane rests after a 429: all of what Attio asked for (a second if it did not say), and never less.
 * Another 429 right after the wait doubles an added back-off: the query-score limit sums over ten seconds, while
 * `Retry-After` names the next one. Jitter of up to a quarter keeps instances apart.
 */
export function rateLimitWaitMs(askedMs: number | null, streak: number, random: number): number {
  const asked = Math.max(RETRY_AFTER_FLOOR_MS, askedMs ?? 0);
  const backOff = streak <= 1 ? 0 : RETRY_AFTER_FLOOR_MS * 2 ** Math.min(streak - 2, 10);
  const jitter = random * (RETRY_AFTER_FLOOR_MS + backOff) * 0.25;
  return Math.ceil(asked + backOff + jitter);
}

/** Whether and when to send again. Pure: the table above, held against the limits. */
export function retryDecision(failed: FailedAttempt, limits: RetryLimits): RetryDecision {
  const rule = RETRY_RULES[failed.error.kind];
  const isAllowed = rule.when === 'always' || (rule.when === 'idempotent' && failed.idempotent);
  if (!isAllowed || failed.attempt >= limits.maxAttempts) return { retry: false };
  const waitMs = waitBefore(failed, rule);
  if (waitMs > limits.maxWaitMs || failed.elapsedMs + waitMs > limits.maxTotalMs) return { retry: false };
  return { retry: true, waitMs, reason: failed.error.kind };
}

function waitBefore({ error, attempt, random, rateLimitStreak = 1 }: FailedAttempt, rule: RetryRule): number {
  if (error.kind === 'rate_limited') return rateLimitWaitMs(error.retryAfterMs, rateLimitStreak, random);
  const backOff = rule.firstWaitMs * 2 ** (attempt - 1);
  // Between half and all of it, but never less than what a 503 asks for.
  return Math.ceil(Math.max(backOff * (0.5 + random / 2), error.retryAfterMs ?? 0));
}
