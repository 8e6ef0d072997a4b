import {
  type CircuitBreakerPolicy,
  CircuitState as CockatielState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleAll,
  type IBackoff,
  type IHalfOpenAfterBackoffContext,
} from 'cockatiel';

export type CircuitName = 'reads' | 'writes';
export type CircuitState = 'closed' | 'open' | 'half-open';

/** Thrown instead of sending: the circuit is open, or half-open with its one probe under way. */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super(`the circuit is open for another ${retryAfterMs} ms`);
    this.retryAfterMs = retryAfterMs;
  }
}

export interface BreakerSettings {
  /** Failures in a row that open the circuit. */
  readonly failures: number;
  /** How long it stays open the first time; each failed probe adds as much again. */
  readonly halfOpenAfterMs: number;
  readonly maxHalfOpenAfterMs: number;
}

export interface BreakerOptions extends BreakerSettings {
  /** What an error says about the other side. `neither`: it was cancelled, or never sent. */
  readonly classify: (error: unknown) => 'alive' | 'failure' | 'neither';
  readonly onChange: (state: CircuitState) => void;
}

/** What to tell those who come while the probe is under way: nobody knows when it ends. */
const PROBE_UNDER_WAY_MS = 1000;

const STATES: Readonly<Record<CockatielState, CircuitState>> = {
  [CockatielState.Closed]: 'closed',
  [CockatielState.Open]: 'open',
  [CockatielState.HalfOpen]: 'half-open',
  [CockatielState.Isolated]: 'open',
};

/**
 * Stops asking a side that does not answer.
 *
 * closed: all pass; failures in a row open it. open: none pass, and what waited is called off; after a while the
 * first comer finds it half-open. half-open: one probe passes, the others fail fast; the probe's outcome closes it
 * or opens it for longer. A probe that is called off decides nothing: the next comer probes.
 *
 * The states and their changes are cockatiel's. It is told outcomes instead of being handed the work, because on its
 * own it would let others wait for the probe, take a cancelled probe for a success, and hold the late failures of
 * requests from before against a circuit that has since closed.
 */
export class CircuitBreaker {
  readonly #options: BreakerOptions;
  readonly #policy: CircuitBreakerPolicy;
  #openUntil = 0;
  /** Lasts from one closing to the next opening; its abort calls off what has not been sent. */
  #epoch = new AbortController();
  #verdict: PromiseWithResolvers<void> | undefined;
  #isProbing = false;

  constructor(options: BreakerOptions) {
    this.#options = options;
    this.#policy = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(options.failures),
      halfOpenAfter: { next: ({ attempt }) => this.#openFor(attempt) },
    });
    this.#policy.onStateChange((state) => this.#changed(STATES[state]));
  }

  get state(): CircuitState {
    return STATES[this.#policy.state];
  }

  /** Milliseconds until the next attempt is let through; 0: now. */
  get untilAllowedMs(): number {
    if (this.state === 'closed') return 0;
    if (this.state === 'open') return Math.max(0, this.#openUntil - Date.now());
    return this.#isProbing ? PROBE_UNDER_WAY_MS : 0;
  }

  /**
   * @param work is given a signal that aborts when the circuit opens, for the time before it has sent anything
   * @throws CircuitOpenError; what `work` throws
   */
  async run<T>(work: (opened: AbortSignal) => Promise<T>): Promise<T> {
    if (this.state === 'closed') return this.#runClosed(work);
    if (this.untilAllowedMs > 0) throw new CircuitOpenError(this.untilAllowedMs);
    if (this.state === 'open') this.#halfOpen();
    // cockatiel reads the clock itself and may see it a moment earlier.
    if (this.state !== 'half-open') throw new CircuitOpenError(1);
    return this.#probe(work);
  }

  async #runClosed<T>(work: (opened: AbortSignal) => Promise<T>): Promise<T> {
    const epoch = this.#epoch;
    const record = async (error?: { error: unknown }) => {
      if (this.#epoch !== epoch || epoch.signal.aborted) return;
      await this.#policy.execute(() =>
        error === undefined ? Promise.resolve() : Promise.reject(error.error),
      );
    };
    try {
      const result = await work(epoch.signal);
      await record();
      return result;
    } catch (error) {
      const outcome = this.#options.classify(error);
      if (outcome === 'alive') await record();
      if (outcome === 'failure') await record({ error }).catch(() => {});
      throw error;
    }
  }

  /** The policy turns half-open and waits for the verdict, which may take several probes to come. */
  #halfOpen(): void {
    const verdict = Promise.withResolvers<void>();
    this.#verdict = verdict;
    this.#policy.execute(() => verdict.promise).catch(() => {});
  }

  async #probe<T>(work: (opened: AbortSignal) => Promise<T>): Promise<T> {
    this.#isProbing = true;
    try {
      const result = await work(new AbortController().signal);
      await this.#judge('alive');
      return result;
    } catch (error) {
      await this.#judge(this.#options.classify(error));
      throw error;
    } finally {
      this.#isProbing = false;
    }
  }

  async #judge(outcome: 'alive' | 'failure' | 'neither'): Promise<void> {
    if (outcome === 'neither') return;
    const changed = Promise.withResolvers<void>();
    const listener = this.#policy.onStateChange(() => changed.resolve());
    if (outcome === 'alive') this.#verdict?.resolve();
    else this.#verdict?.reject(new Error('the probe failed'));
    await changed.promise;
    listener.dispose();
  }

  /** Asked for once per opening; `attempt` counts the openings since the circuit was last closed. */
  #openFor(attempt: number): IBackoff<IHalfOpenAfterBackoffContext> {
    const { halfOpenAfterMs, maxHalfOpenAfterMs } = this.#options;
    const duration = Math.min(halfOpenAfterMs * attempt, maxHalfOpenAfterMs);
    this.#openUntil = Date.now() + duration;
    return { duration, next: (context) => this.#openFor(context.attempt) };
  }

  #changed(state: CircuitState): void {
    if (state === 'open') this.#epoch.abort(new CircuitOpenError(this.untilAllowedMs));
    if (state === 'closed') this.#epoch = new AbortController();
    this.#options.onChange(state);
  }
}
