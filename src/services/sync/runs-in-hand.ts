import type { Clock } from '../../domain/clock.ts';
import type { SyncRunStore } from '../ports.ts';

/** Somebody has cancelled the run. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

/** The run goes on later, or at another instance. */
export class LetGoError extends Error {
  override readonly name = 'LetGoError';
}

interface Active {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** How often a run of another instance is looked at; that it has ended is told, as a rule. */
const LOOK_MS = 2_000;

/** The runs that this process works on; of those of other instances it knows what the database says. */
export class RunsInHand {
  readonly #runs: Pick<SyncRunStore, 'get'>;
  readonly #clock: Clock;
  readonly #active = new Map<string, Active>();
  #news = new AbortController();

  constructor(deps: { runs: Pick<SyncRunStore, 'get'>; clock: Clock }) {
    this.#runs = deps.runs;
    this.#clock = deps.clock;
  }

  get ids(): string[] {
    return [...this.#active.keys()];
  }

  has(runId: string): boolean {
    return this.#active.has(runId);
  }

  /** @param work never rejects */
  begin(runId: string, work: (signal: AbortSignal) => Promise<void>): void {
    const abort = new AbortController();
    const ended = work(abort.signal).finally(() => this.#active.delete(runId));
    this.#active.set(runId, { abort, ended });
  }

  /** Resolves when none of them is worked on here any more. */
  async abort(runIds: readonly string[], reason: CancelledError | LetGoError): Promise<void> {
    const active = runIds.flatMap((id) => this.#active.get(id) ?? []);
    for (const { abort } of active) abort.abort(reason);
    await Promise.all(active.map(({ ended }) => ended));
  }

  /** Runs of other instances have ended. */
  heard(): void {
    const news = this.#news;
    this.#news = new AbortController();
    news.abort();
  }

  /** Resolves when the run has ended, wherever it runs. @throws the signal's reason when it aborts first */
  async ended(runId: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const news = this.#news;
      const active = this.#active.get(runId);
      if (active !== undefined) await Promise.race([active.ended, aborted(signal)]);
      if ((await this.#runs.get(runId))?.status !== 'running') return;
      await this.#clock.sleep(LOOK_MS, AbortSignal.any([signal, news.signal])).catch(() => {});
      signal.throwIfAborted();
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return promise;
}
