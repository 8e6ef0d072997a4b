/**
 * Runs `work` with a signal that aborts when one of several does.
 *
 * Unlike AbortSignal.any it leaves nothing behind on a signal that lives as long as the process.
 */
export async function withAnySignal<T>(
  signals: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const any = new AbortController();
  const links = signals
    .filter((signal) => signal !== undefined)
    .map((signal) => ({ signal, listener: () => any.abort(signal.reason) }));
  for (const { signal, listener } of links) {
    if (signal.aborted) listener();
    signal.addEventListener('abort', listener, { once: true });
  }
  try {
    return await work(any.signal);
  } finally {
    for (const { signal, listener } of links) signal.removeEventListener('abort', listener);
  }
}
