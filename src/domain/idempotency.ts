/** How long a key is remembered: a request that comes later is a new one. */
export const IDEMPOTENCY_KEPT_MS = 24 * 60 * 60 * 1000;

/** Before keys of our own. */
const LASTING = 'lasting:';

/** A key for what is to be made once for good; those of callers are good for as long as they are remembered. */
export function lastingKeyOf(digest: string): string {
  return LASTING + digest;
}

export function isLastingKey(key: string): boolean {
  return key.startsWith(LASTING);
}

/** An answer that was given to a request with an idempotency key. */
export interface StoredReply {
  readonly status: number;
  /** Null when there was no body. */
  readonly contentType: string | null;
  readonly body: string;
}

/** What is known of a request with an idempotency key; `reply` is null while the request runs. */
export interface KnownRequest {
  /** Equal for equal requests. */
  readonly fingerprint: string;
  readonly reply: StoredReply | null;
}
