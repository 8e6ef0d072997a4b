/** A moment, by both clocks of this machine. */
export interface Mark {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export function mark(): Mark {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}

/**
 * At least as long as it is. The monotonic clock stands still while the machine sleeps, the other one may be set back:
 * the one that shows more is right.
 */
export function elapsedMs(since: Mark): number {
  const now = mark();
  return Math.max(now.monotonicMs - since.monotonicMs, now.wallMs - since.wallMs);
}
