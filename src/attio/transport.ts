import type { z } from 'zod';
import type { Clock } from '../domain/clock.ts';
import { LaneClosedError, LaneFullError, LanePausedError } from '../queue/rate-lane.ts';
import type { SharedBudget } from '../queue/shared-budget.ts';
import { AttioClock } from './attio-clock.ts';
import { BodyTooLongError, parseJson, parsePage, readText } from './body.ts';
import { CircuitBreaker, type CircuitName, CircuitOpenError } from './breaker.ts';
import type { AttioSettings } from './config.ts';
import { DeadlineError, withDeadline } from './deadline.ts';
import { errorFromResponse } from './error-response.ts';
import { AttioApiError } from './errors.ts';
import { accurateAt } from './instant.ts';
import { type LaneName, Lanes } from './lanes.ts';
import { askingAgain, type Dispatcher } from './last-look.ts';
import type { AttioObserver } from './observer.ts';
import { retryDecision } from './retry.ts';
import { serverTime } from './retry-after.ts';
import type { Route } from './route.ts';
import { withAnySignal } from './signals.ts';

export type FetchLike = (url: string, init: RequestInit) => Promise<Response>;

export interface TransportDeps {
  readonly fetch: FetchLike;
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  readonly observer: AttioObserver;
  /** Asked right before a write is sent: what it is part of may be another instance's by now. @default always */
  readonly mayWrite?: () => boolean;
  /** What this instance shares with others. @default null: nothing */
  readonly budget?: SharedBudget | null;
  readonly settings: AttioSettings & { readonly apiKey: string; readonly baseUrl: string };
}

export type QueryParameters = Readonly<Record<string, string | number | boolean | undefined>>;

/** What a caller may say about one request. */
export interface RequestOptions {
  /** Ends the request wherever it is: waiting for its turn, for a retry, or for the answer. */
  readonly signal?: AbortSignal | undefined;
  /** For one attempt, from when it is sent. @default settings.attemptTimeoutMs */
  readonly timeoutMs?: number | undefined;
  /** @default true */
  readonly retry?: boolean | undefined;
  /**
   * Whether an attempt that may have been carried out is sent again by itself. `false`: the caller looks first.
   * @default by the method: all but POST
   */
  readonly resend?: boolean | undefined;
  /** Of those that wait for their turn, the highest goes first: a probe, or somebody who looks on. @default 0 */
  readonly priority?: number | undefined;
}

export interface AttioRequest<T> extends RequestOptions, Route {
  readonly query?: QueryParameters | undefined;
  readonly body?: unknown;
  /** Whether sending it twice does no more than sending it once. Attio's queries are POSTs, so the method cannot tell. */
  readonly idempotent: boolean;
  readonly lane: LaneName;
  readonly schema: z.ZodType<T>;
}

/** What an answer says beside its data. Times are ISO 8601 UTC with nine fractional digits. */
export interface ResponseMeta {
  /** The instant that a read reflects, in Attio's clock; of a write, one that it is never earlier than. */
  readonly accurateAt: string;
  /** When the answer was complete, by our clock. */
  readonly receivedAt: string;
  /** Attio's name for this request. */
  readonly executionId: string | null;
  /** What a query cost of the limit on query scores. */
  readonly queryScore: number | null;
}

export interface AttioResponse<T> {
  readonly data: T;
  readonly meta: ResponseMeta;
}

interface Attempt {
  readonly random: number;
  rateLimitStreak: number;
}

/** By then the lease is ours again, as a rule. */
const NOT_IN_CHARGE_MS = 1_000;
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BODY_BYTES = 1024 * 1024;
const TOKEN = /^[\x21-\x7e]+$/;

/**
 * The one way to Attio.
 *
 * Outermost first: retry, circuit breaker, rate lane, time limit per attempt. What waits holds nothing: a request
 * that waits for its retry has given its turn back, and one that waits for its turn is called off when the circuit
 * opens.
 */
export class Transport {
  readonly #deps: TransportDeps;
  readonly #lanes: Lanes;
  /** What Attio's clock shows. */
  readonly clock = new AttioClock();
  readonly #closed = new AbortController();
  readonly #breakers: Readonly<Record<CircuitName, CircuitBreaker>>;

  /** @throws TypeError when the key is no text that a header can hold */
  constructor(deps: TransportDeps) {
    const { clock, observer, settings, budget = null } = deps;
    if (!TOKEN.test(settings.apiKey)) throw new TypeError('the Attio key is no text that a header can hold');
    this.#deps = deps;
    this.#lanes = new Lanes(
      { clock, budget, onWait: (wait) => observer.laneWaited(wait) },
      { ...settings, maxPauseMs: settings.maxRetryWaitMs },
    );
    const breaker = (lane: CircuitName) =>
      new CircuitBreaker({
        ...settings.breaker,
        now: () => clock.now(),
        classify: (error) => (error instanceof AttioApiError ? error.traits.breaker : 'neither'),
        onChange: (state) => observer.circuitChanged({ lane, state }),
      });
    this.#breakers = { reads: breaker('reads'), writes: breaker('writes') };
  }

  circuit(name: CircuitName): CircuitBreaker {
    return this.#breakers[name];
  }

  /**
   * @throws AttioApiError; the reason of `request.signal`
   */
  async send<T>(request: AttioRequest<T>): Promise<AttioResponse<T>> {
    return withAnySignal([request.signal, this.#closed.signal], (signal) =>
      this.#sendAndRetry({ ...request, signal }),
    );
  }

  /** Ends what waits and what was sent, and refuses what comes. */
  close(): void {
    this.#closed.abort(new AttioApiError('lane_full', { endpoint: 'any, after close' }));
    this.#lanes.close();
  }

  async #sendAndRetry<T>(request: AttioRequest<T>): Promise<AttioResponse<T>> {
    const { clock, observer, random } = this.#deps;
    const startedAt = clock.now();
    for (let attempt = 1; ; attempt += 1) {
      request.signal?.throwIfAborted();
      const state: Attempt = { random: random(), rateLimitStreak: 1 };
      try {
        return await this.#sendOnce(request, state);
      } catch (error) {
        if (!(error instanceof AttioApiError)) throw error;
        const elapsedMs = Math.max(0, clock.now() - startedAt);
        const decision = this.#retryDecision({ ...state, error, attempt, elapsedMs }, request);
        if (!decision.retry) throw error;
        observer.retried({ endpoint: request.endpoint, reason: decision.reason, waitMs: decision.waitMs });
        await clock.sleep(decision.waitMs, request.signal);
      }
    }
  }

  #retryDecision(
    failed: Attempt & { error: AttioApiError; attempt: number; elapsedMs: number },
    request: AttioRequest<unknown>,
  ) {
    const { maxAttempts, maxRetryWaitMs, maxTotalMs } = this.#deps.settings;
    return retryDecision(
      { ...failed, idempotent: request.idempotent },
      { maxAttempts: request.retry === false ? 1 : maxAttempts, maxWaitMs: maxRetryWaitMs, maxTotalMs },
    );
  }

  async #sendOnce<T>(request: AttioRequest<T>, state: Attempt): Promise<AttioResponse<T>> {
    const { lane, priority = 0 } = request;
    const breaker = this.#breakers[lane === 'write' ? 'writes' : 'reads'];
    try {
      return await breaker.run(({ opened, observe }) =>
        withAnySignal([request.signal, opened], (waiting) =>
          this.#lanes.run(lane, () => observe(() => this.#attempt(request, state)), {
            signal: waiting,
            priority,
          }),
        ),
      );
    } catch (error) {
      throw notSentError(error, request.endpoint) ?? error;
    }
  }

  async #attempt<T>(request: AttioRequest<T>, state: Attempt): Promise<AttioResponse<T>> {
    const { clock, observer, settings } = this.#deps;
    const { endpoint, lane, signal } = request;
    // Before anything else is awaited: nothing may come between this and the request.
    const refusal = this.#refusal(request);
    if (refusal !== null) throw refusal;
    const sentAt = clock.now();
    const finished = (status: number | 'network' | 'timeout' | 'cancelled') =>
      observer.requestFinished({ endpoint, status, durationMs: Math.max(0, clock.now() - sentAt) });
    try {
      const ms = request.timeoutMs ?? settings.attemptTimeoutMs;
      const { response, text } = await withDeadline({ clock, ms, signal }, (ended) =>
        this.#exchange(request, ended),
      );
      finished(response.status);
      if (response.status !== 429) this.#lanes.accepted(lane, sentAt);
      return await this.#interpret(request, response, text, sentAt);
    } catch (error) {
      const failure = this.#failure(error, request, finished);
      if (failure instanceof AttioApiError && failure.kind === 'rate_limited') {
        const refusal = { sentAt, askedMs: failure.retryAfterMs, random: state.random };
        state.rateLimitStreak = this.#lanes.refused(lane, refusal);
      }
      throw failure;
    }
  }

  /** Why a write must not leave now. */
  #refusal({ lane, endpoint }: AttioRequest<unknown>): AttioApiError | null {
    if (lane !== 'write' || this.#deps.mayWrite?.() !== false) return null;
    return new AttioApiError('not_in_charge', { endpoint, retryAfterMs: NOT_IN_CHARGE_MS });
  }

  #lastLook(request: AttioRequest<unknown>): { dispatcher?: Dispatcher } {
    const dispatcher = request.lane === 'write' ? askingAgain(() => this.#refusal(request)) : undefined;
    return dispatcher === undefined ? {} : { dispatcher };
  }

  async #exchange(
    request: AttioRequest<unknown>,
    signal: AbortSignal,
  ): Promise<{ response: Response; text: string }> {
    const { settings } = this.#deps;
    const headers: Record<string, string> = {
      accept: 'application/json',
      authorization: `Bearer ${settings.apiKey}`,
      'user-agent': 'attio-bridge',
    };
    if (request.body !== undefined) headers['content-type'] = 'application/json';
    const response = await this.#deps.fetch(settings.baseUrl + request.path + queryString(request.query), {
      method: request.method,
      headers,
      // Never followed: Attio's API does not redirect, and the key is for Attio alone.
      redirect: 'manual',
      signal,
      ...this.#lastLook(request),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
    const text = await readText(response, response.ok ? MAX_BODY_BYTES : MAX_ERROR_BODY_BYTES);
    return { response, text };
  }

  async #interpret<T>(
    request: AttioRequest<T>,
    response: Response,
    text: string,
    sentAt: number,
  ): Promise<AttioResponse<T>> {
    const { endpoint } = request;
    const { status, headers } = response;
    const finishedAt = this.#deps.clock.now();
    if (!response.ok) {
      const { apiKey } = this.#deps.settings;
      const received = { endpoint, status, headers, body: parseJson(text), receivedAtMs: finishedAt };
      throw errorFromResponse(received, apiKey);
    }
    const body = text === '' ? {} : await parsePage(text);
    const executionId = headers.get('x-attio-execution-id');
    const queryScore = scoreOf(headers);
    if (queryScore !== null && request.lane === 'query') this.#lanes.recordScore(queryScore);
    const parsed = request.schema.safeParse(body);
    if (!parsed.success) {
      throw new AttioApiError('invalid_response', { endpoint, status, executionId, cause: parsed.error });
    }
    const meta = {
      accurateAt: this.#reflects(request, headers, sentAt, finishedAt),
      receivedAt: new Date(finishedAt).toISOString().replace('Z', '000000Z'),
      executionId,
      queryScore,
    };
    return { data: parsed.data, meta };
  }

  /** Answers tell Attio's clock: reads by the instant that they reflect, all by their `Date`, in whole seconds. */
  #reflects({ lane }: AttioRequest<unknown>, headers: Headers, sentAt: number, finishedAt: number): string {
    const second = serverTime(headers);
    if (second !== null) this.clock.noteDate(second, sentAt, finishedAt);
    if (lane === 'write') return this.clock.leastAt(sentAt, second);
    const at = accurateAt(headers, sentAt);
    if (headers.has('x-accurate-at')) this.clock.noteRead(Date.parse(at), sentAt, finishedAt);
    return at;
  }

  /** What was thrown on the way, as an AttioApiError; the caller's own reason stays what it is. */
  #failure(
    error: unknown,
    { endpoint, signal }: AttioRequest<unknown>,
    finished: (status: 'network' | 'timeout' | 'cancelled') => void,
  ): unknown {
    if (error instanceof AttioApiError) return error;
    if (error instanceof Error && error.cause instanceof AttioApiError) return error.cause;
    if (signal?.aborted === true) {
      finished('cancelled');
      return signal.reason;
    }
    if (error instanceof DeadlineError) {
      finished('timeout');
      return new AttioApiError('timeout', { endpoint, cause: error });
    }
    finished('network');
    const kind = error instanceof BodyTooLongError ? 'invalid_response' : 'network';
    return new AttioApiError(kind, { endpoint, cause: error });
  }
}

/** What kept a request from being sent at all, in Attio's layer's words; null for anything else. */
function notSentError(error: unknown, endpoint: string): AttioApiError | null {
  if (error instanceof CircuitOpenError) {
    return new AttioApiError('circuit_open', { endpoint, retryAfterMs: error.retryAfterMs });
  }
  if (error instanceof LanePausedError) {
    return new AttioApiError('rate_limited', { endpoint, retryAfterMs: error.pausedMs, cause: error });
  }
  if (error instanceof LaneFullError || error instanceof LaneClosedError) {
    return new AttioApiError('lane_full', { endpoint, retryAfterMs: 1000, cause: error });
  }
  return null;
}

function scoreOf(headers: Headers): number | null {
  const text = headers.get('x-attio-record-query-score');
  const score = text === null || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(score) ? score : null;
}

function queryString(query: QueryParameters | undefined): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return '';
  return `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`;
}
