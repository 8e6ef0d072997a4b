import { retryAfterMs } from '../../attio/retry-after.ts';

/** How one attempt at a delivery has ended. */
export type Outcome =
  | { readonly kind: 'delivered' }
  /** Whoever is there wants no more. */
  | { readonly kind: 'gone' }
  | {
      readonly kind: 'failed';
      /** In words, without what was sent or answered. */
      readonly error: string;
      /** When it may be tried again, if the other side has said so. */
      readonly retryAfterMs: number | null;
      /** The other side wants to be left alone, whatever the message. */
      readonly busy: boolean;
    };

/** What `Retry-After` may ask for: more would be for ever. */
const MAX_RETRY_AFTER_MS = 24 * 60 * 60 * 1000;

/** 2xx is done, 410 is the end, everything else is tried again (Standard Webhooks specification). */
export function judgeAnswer(answer: { status: number; headers: Headers }, nowMs: number): Outcome {
  const { status, headers } = answer;
  if (status >= 200 && status <= 299) return { kind: 'delivered' };
  if (status === 410) return { kind: 'gone' };
  const asked = retryAfterMs(headers, nowMs);
  const redirect = status >= 300 && status <= 399 ? '; redirects are not followed' : '';
  return {
    kind: 'failed',
    error: `answered ${status}${redirect}`,
    retryAfterMs: asked === null ? null : Math.min(asked, MAX_RETRY_AFTER_MS),
    busy: status === 429 || status === 503,
  };
}

/** Without an answer. */
export function judgeError(error: unknown): Outcome {
  return { kind: 'failed', error: wordsOf(error), retryAfterMs: null, busy: false };
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'could not be reached';
  if (error.name === 'AddressRefusedError' || error.name === 'TimeLimitError') return error.message;
  // Its message may name the address; its code does not.
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return `could not be reached (${code})`;
}

/** No answer came in time. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError';

  constructor(timeoutMs: number) {
    super(`did not answer within ${timeoutMs / 1000} s`);
  }
}

/**
 * When a delivery is tried again; null: never.
 * @param attempts that have failed, this one included
 * @param random 0 ≤ x < 1
 */
export function retryInMs(
  attempts: number,
  retrySeconds: readonly number[],
  asked: number | null,
  random: number,
): number | null {
  const seconds = retrySeconds[attempts - 1];
  if (seconds === undefined) return null;
  // Spread a little, so that what has failed together does not come back together; never sooner than written.
  return Math.max(seconds * 1000 * (1 + random / 10), asked ?? 0);
}
