import { AttioError } from './core/errors.ts';

const WINDOW_MS = 1000;

/** A true sliding window: no second, wherever it starts, holds more than the limit. */
class SlidingWindow {
  readonly #limit: number;
  #times: number[] = [];
  #head = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a place and gives null, or gives the instant at which one is free. */
  take(now: number): number | null {
    while (this.#head < this.#times.length && (this.#times[this.#head] ?? 0) <= now - WINDOW_MS)
      this.#head += 1;
    if (this.#head > 1024) {
      this.#times = this.#times.slice(this.#head);
      this.#head = 0;
    }
    if (this.#times.length - this.#head >= this.#limit) return (this.#times[this.#head] ?? now) + WINDOW_MS;
    this.#times.push(now);
    return null;
  }
}

export interface Limits {
  readonly readsPerSecond: number;
  readonly writesPerSecond: number;
}

export const ATTIO_LIMITS: Limits = { readsPerSecond: 100, writesPerSecond: 25 };

/** The next full second at which a request can pass, as the HTTP-date Attio sends. */
export function retryAfterDate(freeAt: number): string {
  return new Date(Math.ceil(freeAt / 1000) * 1000).toUTCString();
}

export class RateLimiter {
  readonly #reads: SlidingWindow;
  readonly #writes: SlidingWindow;

  constructor(limits: Limits) {
    this.#reads = new SlidingWindow(limits.readsPerSecond);
    this.#writes = new SlidingWindow(limits.writesPerSecond);
  }

  /** Null when the request may pass; otherwise the value for `Retry-After`. */
  admit(kind: 'read' | 'write', now: number): string | null {
    const freeAt = (kind === 'read' ? this.#reads : this.#writes).take(now);
    return freeAt === null ? null : retryAfterDate(freeAt);
  }
}

// GET and whatever ends in /query or /search is a read: third parties' reading, the docs give no list.
export function requestKind(method: string, path: string): 'read' | 'write' {
  return method === 'GET' || method === 'HEAD' || /\/(query|search)$/.test(path) ? 'read' : 'write';
}

export const rateLimited = () =>
  new AttioError(429, 'rate_limit_exceeded', 'Rate limit exceeded, please try again later');
