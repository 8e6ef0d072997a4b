/** The least wait after a 429: Attio's dates have whole seconds, so a shorter one is an artefact of rounding. */
export const RETRY_AFTER_FLOOR_MS = 1000;

/**
 * What `Retry-After` asks for, in milliseconds, at least a second; null when there is none or it cannot be read.
 *
 * Attio sends an HTTP date, usually the next second (Attio rate-limit guide); seconds are read as well. A date is
 * held against the response's own `Date`, so that a wrong clock on this machine does no harm.
 * @param nowMs this machine's time, used when the response has no `Date`
 */
export function retryAfterMs(headers: Headers, nowMs: number): number | null {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return Math.max(RETRY_AFTER_FLOOR_MS, Math.ceil(Number(text) * 1000));
  const at = text === '' ? Number.NaN : Date.parse(text);
  if (Number.isNaN(at)) return null;
  return Math.max(RETRY_AFTER_FLOOR_MS, at - (serverTime(headers) ?? nowMs));
}

/** The response's `Date` in milliseconds since the epoch (whole seconds); null when it has none. */
export function serverTime(headers: Headers): number | null {
  const at = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(at) ? null : at;
}
