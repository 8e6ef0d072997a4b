import type { Clock } from '../domain/clock.ts';

export type Ending = 'done' | 'timed_out' | 'stopped';

export interface TimeLimit {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Aborted when the service stops. */
  readonly stopped: AbortSignal;
  /** How long it may go on then. */
  readonly graceMs: number;
}

/**
 * Waits for work, but not for ever. Work that is cut off has its signal aborted, and is not waited for any longer.
 * @throws what the work throws in time
 */
export async function withTimeLimit(
  work: (signal: AbortSignal) => Promise<void>,
  { clock, timeoutMs, stopped, graceMs }: TimeLimit,
): Promise<Ending> {
  const cut = new AbortController();
  const over = new AbortController();
  const within = async (ms: number, ending: Ending) => {
    await clock.sleep(ms, over.signal);
    return ending;
  };
  const working = async (): Promise<Ending> => {
    await work(cut.signal);
    return 'done';
  };
  const stopping = async () => {
    await aborted(stopped, over.signal);
    return within(graceMs, 'stopped');
  };
  try {
    const ending = await Promise.race([working(), within(timeoutMs, 'timed_out'), stopping()]);
    if (ending !== 'done') cut.abort(new Error(REASONS[ending]));
    return ending;
  } finally {
    over.abort();
  }
}

const REASONS = { timed_out: 'the time is over', stopped: 'the service is stopping' } as const;

/** Resolves when the signal is aborted. Rejects when nobody waits for it any longer. */
function aborted(signal: AbortSignal, over: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true, signal: over });
    over.addEventListener('abort', () => reject(over.reason), { once: true });
  });
}
