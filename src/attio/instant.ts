const ISO = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:?\d{2})$/;

/**
 * An instant as ISO 8601 UTC with nine fractional digits, so that texts sort by time; null when it is none.
 * More digits than nine are cut off.
 */
export function normaliseInstant(text: string): string | null {
  const match = ISO.exec(text.trim());
  if (match === null) return null;
  const [, seconds = '', fraction = '', zone = ''] = match;
  const at = Date.parse(`${seconds}${zone}`);
  if (Number.isNaN(at)) return null;
  return `${new Date(at).toISOString().slice(0, 19)}.${fraction.slice(0, 9).padEnd(9, '0')}Z`;
}

/** The same for milliseconds since the epoch. */
export function instantFromMs(ms: number): string {
  return new Date(ms).toISOString().replace(/Z$/, '000000Z');
}

/**
 * The instant that a read reflects: `x-accurate-at`, in Attio's clock; where it is not told, the start of the request
 * by ours, which is never later than the read, and later for each read that begins after another has ended.
 */
export function accurateAt(headers: Headers, startedAtMs: number): string {
  return normaliseInstant(headers.get('x-accurate-at') ?? '') ?? instantFromMs(startedAtMs);
}
