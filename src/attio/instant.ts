import { serverTime } from './retry-after.ts';

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
 * The instant that a read reflects, in Attio's clock where it is told.
 *
 * `x-accurate-at` if present; else the response's `Date` less the request's duration, which is never later than the
 * read; else the start of the request by our clock. Too early is harmless: the next read is taken for newer.
 */
export function accurateAt(headers: Headers, timing: { startedAt: number; finishedAt: number }): string {
  const told = normaliseInstant(headers.get('x-accurate-at') ?? '');
  if (told !== null) return told;
  const answeredAt = serverTime(headers);
  if (answeredAt === null) return instantFromMs(timing.startedAt);
  return instantFromMs(answeredAt - Math.max(0, timing.finishedAt - timing.startedAt));
}
