import type { Clock } from '../domain/clock.ts';

/** The machine's own time. `now` may be replaced; timers are the global ones. */
export function systemClock(now: () => number = Date.now): Clock {
  return {
    now,
    sleep(ms, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      if (signal?.aborted === true) {
        reject(signal.reason);
        return promise;
      }
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
      return promise;
    },
  };
}
