import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../domain/clock.ts';

export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/** @throws the error of `answer`; TimeoutError when it comes too late */
export async function within<T>(clock: Clock, answer: Promise<T>, limitMs: number): Promise<T> {
  const answered = new AbortController();
  const limit = clock.sleep(limitMs, answered.signal).then(async () => {
    // A process that was held up reads now what has come in time.
    await turn();
    throw new TimeoutError(`no answer within ${limitMs} ms`);
  });
  limit.catch(() => {});
  try {
    return await Promise.race([answer, limit]);
  } finally {
    answered.abort(new Error('answered'));
  }
}
