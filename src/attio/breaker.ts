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
export type Outcome = 'alive' | 'failure' | 'neither';
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
  /** Milliseconds; the zero does not matter. */
  readonly now: () => number;
  /** What an error says about the other side. `neither`: it was called off. */
  readonly classify: (error: unknown) => Outcome;
  readonly onChange: (state: CircuitState) => void;
}

/** What work that was let through is given. */
export interface Pass {
  /** Aborts when the circuit opens: what has not been sent by then should not be. */
  readonly opened: AbortSignal;
  /** Sends, and has told the circuit how it ended before it ends itself. Only what is sent in here counts. */
  observe<T>(send: () => Promise<T>): Promise<T>;
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
  #opened = { at: 0, forMs: 0 };
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
    if (this.state === 'open') return this.#stillOpenMs();
    return this.#isProbing ? PROBE_UNDER_WAY_MS : 0;
  }

  /** @throws CircuitOpenError; what `work` throws */
  async run<T>(work: (pass: Pass) => Promise<T>): Promise<T> {
    if (this.state === 'closed') return work(this.#passOf(this.#epoch));
    if (this.untilAllowedMs > 0) throw new CircuitOpenError(this.untilAllowedMs);
    if (this.state === 'open') this.#halfOpen();
    return this.#probe(work);
  }

  #passOf(epoch: AbortController): Pass {
    const isOver = () => this.#epoch !== epoch || epoch.signal.aborted;
    const record = async (error: unknown) => {
      if (isOver()) return;
      await this.#policy
        .execute(() => (error === null ? Promise.resolve() : Promise.reject(error)))
        .catch(() => {});
    };
    const tell = async (outcome: Outcome, error: unknown) => {
      if (outcome !== 'neither') await record(outcome === 'failure' ? error : null);
    };
    return { opened: epoch.signal, observe: (send) => this.#observe(send, tell) };
  }

  async #probe<T>(work: (pass: Pass) => Promise<T>): Promise<T> {
    this.#isProbing = true;
    const opened = new AbortController().signal;
    try {
      return await work({
        opened,
        observe: (send) => this.#observe(send, (outcome) => this.#judge(outcome)),
      });
    } finally {
      this.#isProbing = false;
    }
  }

  async #observe<T>(
    send: () => Promise<T>,
    tell: (outcome: Outcome, error: unknown) => Promise<void>,
  ): Promise<T> {
    try {
      const result = await send();
      await tell('alive', null);
      return result;
    } catch (error) {
      await tell(this.#options.classify(error), error);
      throw error;
    }
  }

  /** The policy turns half-open and waits for the verdict, which may take several probes to come. */
  #halfOpen(): void {
    const verdict = Promise.withResolvers<void>();
    this.#verdict = verdict;
    this.#policy.execute(() => verdict.promise).catch(() => {});
  }

  async #judge(outcome: Outcome): Promise<void> {
    if (outcome === 'neither' || this.state !== 'half-open') return;
    const changed = Promise.withResolvers<void>();
    const listener = this.#policy.onStateChange(() => changed.resolve());
    if (outcome === 'alive') this.#verdict?.resolve();
    else this.#verdict?.reject(new Error('the probe failed'));
    await changed.promise;
    listener.dispose();
  }

  /** A clock that was set back ends the time: one probe too early does no harm, a circuit shut for hours would. */
  #stillOpenMs(): number {
    const passedMs = this.#options.now() - this.#opened.at;
    return passedMs < 0 ? 0 : Math.max(0, this.#opened.forMs - passedMs);
  }

  /** Asked for once per opening; `attempt` counts the openings since the circuit was last closed. */
  #openFor(attempt: number): IBackoff<IHalfOpenAfterBackoffContext> {
    const { halfOpenAfterMs, maxHalfOpenAfterMs, now } = this.#options;
    this.#opened = { at: now(), forMs: Math.min(halfOpenAfterMs * attempt, maxHalfOpenAfterMs) };
    const isOver = () => this.#stillOpenMs() === 0;
    return {
      // cockatiel holds it against the system clock; the answer must be ours alone.
      get duration() {
        return isOver() ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
      },
      next: (context) => this.#openFor(context.attempt),
    };
  }

  #changed(state: CircuitState): void {
    if (state === 'open') this.#epoch.abort(new CircuitOpenError(this.untilAllowedMs));
    if (state === 'closed') this.#epoch = new AbortController();
    this.#options.onChange(state);
  }
}
