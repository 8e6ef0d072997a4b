import type { Clock } from '../domain/clock.ts';

/** The time for one attempt is over. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Runs `work` with a signal that aborts on the caller's signal or after `ms` milliseconds.
 *
 * Ends then, even if `work` does not heed its signal. Nothing of it is left behind afterwards: neither the timer nor
 * a listener on a signal that may live as long as the process.
 * @throws DeadlineError; the reason of the caller's signal; what `work` throws
 */
export async function withDeadline<T>(
  options: { clock: Clock; ms: number; signal: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { clock, ms, signal } = options;
  signal?.throwIfAborted();
  const ended = new AbortController();
  const stop = new AbortController();
  const aborted = Promise.withResolvers<never>();
  stop.signal.addEventListener('abort', () => aborted.reject(stop.signal.reason), { once: true });
  const onAbort = () => stop.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  clock.sleep(ms, ended.signal).then(
    () => stop.abort(new DeadlineError(`no answer within ${ms} ms`)),
    () => {},
  );
  try {
    return await Promise.race([aborted.promise, work(stop.signal)]);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    ended.abort();
    aborted.promise.catch(() => {});
  }
}
