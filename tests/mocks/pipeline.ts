import { AttioError, invalid } from './core/errors.ts';
import {
  isFault,
  type PlainAnswer,
  type PlainRequest,
  type PlainResponse,
  proxyPage,
} from './core/exchange.ts';
import { wait } from './core/timers.ts';
import type { Actor } from './core/types.ts';
import type { Fault } from './faults.ts';
import { rateLimited, requestKind, retryAfterDate } from './limits.ts';
import type { Settings } from './options.ts';
import type { LoggedRequest } from './request-log.ts';
import { attioRouter } from './routes/index.ts';
import type { Match, TokenState } from './routes/router.ts';
import { ALL_SCOPES, checkScopes } from './scopes.ts';
import type { State } from './state.ts';

interface Incoming {
  readonly request: PlainRequest;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly match: Match | null;
}

/** What a handler said, before it is put on the wire. */
interface Outcome {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const HTML_TYPE = 'text/html; charset=UTF-8';

const UNAUTHORIZED = 'The access token is missing, invalid or has been revoked.';

export function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const bare = url.replace(/^[a-z]+:\/\/[^/]*/i, '');
  const mark = bare.indexOf('?');
  if (mark < 0) return { path: bare || '/', query: new URLSearchParams() };
  return { path: bare.slice(0, mark) || '/', query: new URLSearchParams(bare.slice(mark + 1)) };
}

function readBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('Body payload validation error. The body is not valid JSON.');
  }
}

/** Runs one route as someone, with no faults, limits or token in the way. */
export function runRoute(state: State, incoming: Incoming, token: TokenState): Outcome {
  const { match, request } = incoming;
  if (match === null) {
    throw new AttioError(404, 'not_found', `Could not find endpoint "${request.method} ${incoming.path}".`);
  }
  const headers: Record<string, string> = {};
  const { world } = state;
  let at: string | null = null;
  const body = match.route.run({
    world,
    webhooks: state.webhooks,
    params: match.params,
    body: readBody(request.body),
    query: Object.fromEntries(incoming.query),
    token,
    stamp() {
      at ??= world.clock.next();
      return { at, actor: token.actor };
    },
    header(name, value) {
      headers[name] = value;
    },
  });
  const reads = requestKind(request.method, incoming.path) === 'read' || match.route.path === '/comments';
  if (reads && match.route.path !== '/self') headers['x-accurate-at'] = world.clock.next();
  return { status: 200, headers, body };
}

function guarded(run: () => Outcome): Outcome {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof AttioError)) throw error;
    return { status: error.status, headers: {}, body: error.body() };
  }
}

export class Pipeline {
  readonly #settings: Settings;
  readonly #state: State;

  constructor(settings: Settings, state: State) {
    this.#settings = settings;
    this.#state = state;
  }

  /** Faults come first (they stand in front of Attio), then the token, the limits and the route. */
  async answer(request: PlainRequest): Promise<PlainAnswer> {
    const { faults, log } = this.#state;
    const incoming = this.#receive(request);
    const entry = log.open({
      at: new Date(this.#settings.now()).toISOString(),
      method: request.method,
      path: request.url.replace(/^[a-z]+:\/\/[^/]*/i, ''),
      route: `${request.method} ${incoming.match?.route.path ?? '(unknown)'}`,
      body: request.body === '' ? null : request.body,
    });
    const { latencyMs, fault } = faults.strike(request.method, incoming.path);
    const answer = this.#underFault(incoming, fault);
    const late = latencyMs + this.#settings.latencyMs;
    if (late > 0) await wait(this.#settings.timers, late);
    this.#finish(request, entry, fault, answer);
    return answer;
  }

  #receive(request: PlainRequest): Incoming {
    const { path, query } = splitUrl(request.url);
    const match = path.startsWith('/v2/') ? attioRouter.find(request.method, path.slice(3)) : null;
    return { request, path, query, match };
  }

  #finish(request: PlainRequest, entry: LoggedRequest, fault: Fault | null, answer: PlainAnswer): void {
    this.#state.log.settle(entry, isFault(answer) ? null : answer.status, fault?.kind ?? null);
    // What a fault has answered is not Attio's.
    if (isFault(answer) || fault !== null) return;
    this.#settings.onExchange?.({
      method: request.method,
      url: request.url,
      requestBody: request.body,
      status: answer.status,
      headers: answer.headers,
      responseBody: answer.body,
    });
  }

  #underFault(incoming: Incoming, fault: Fault | null): PlainAnswer {
    if (fault === null) return this.#reply(this.#carryOut(incoming));
    switch (fault.kind) {
      case 'disconnect':
      case 'hang':
        return { fault: fault.kind };
      case 'lost-answer':
        this.#carryOut(incoming);
        return { fault: 'disconnect' };
      case 'malformed':
        return fault.html === true ? this.#page(fault.status ?? 200) : this.#cutShort(incoming);
      default:
        return this.#refusal(fault);
    }
  }

  #carryOut(incoming: Incoming): Outcome {
    const token = this.#state.tokens.read(incoming.request.headers['authorization']);
    return guarded(() => {
      if (incoming.match !== null && !incoming.match.route.open && token.kind !== 'live') {
        throw new AttioError(401, 'unauthorized', UNAUTHORIZED);
      }
      if (incoming.match !== null && !incoming.match.route.open) checkScopes(token.scopes, incoming.match);
      const kind = requestKind(incoming.request.method, incoming.path);
      const retryAfter = this.#state.limiter?.admit(kind, this.#settings.now()) ?? null;
      if (retryAfter !== null) {
        return { status: 429, headers: { 'retry-after': retryAfter }, body: rateLimited().body() };
      }
      return runRoute(this.#state, incoming, token);
    });
  }

  /** Someone else's request inside the workspace: a person at the screen. */
  asActor(actor: Actor, request: PlainRequest): PlainResponse {
    const token: TokenState = { kind: 'live', actor, clientId: '', scopes: ALL_SCOPES };
    return this.#reply(guarded(() => runRoute(this.#state, this.#receive(request), token)));
  }

  #headers(type: string): Record<string, string> {
    return {
      'content-type': type,
      date: new Date(this.#settings.now()).toUTCString(),
      'x-attio-execution-id': this.#state.newTraceId(),
    };
  }

  #reply(outcome: Outcome): PlainResponse {
    return {
      status: outcome.status,
      headers: { ...this.#headers(JSON_TYPE), ...outcome.headers },
      body: JSON.stringify(outcome.body),
    };
  }

  #page(status: number): PlainResponse {
    const { 'x-attio-execution-id': id = '', ...headers } = this.#headers(HTML_TYPE);
    return {
      status,
      headers: { ...headers, server: 'cloudflare' },
      body: proxyPage(status, id.slice(0, 16)),
    };
  }

  #cutShort(incoming: Incoming): PlainResponse {
    const whole = this.#reply(this.#carryOut(incoming));
    return { ...whole, status: 200, body: whole.body.slice(0, Math.ceil(whole.body.length / 2)) };
  }

  #refusal(fault: Fault): PlainResponse {
    const status = fault.status ?? 500;
    const retryAfter: Record<string, string> =
      status === 429 || fault.retryAfterSeconds !== undefined
        ? { 'retry-after': retryAfterDate(this.#settings.now() + (fault.retryAfterSeconds ?? 0) * 1000 + 1) }
        : {};
    if (fault.html === true || (fault.html === undefined && status >= 502 && status <= 504)) {
      const page = this.#page(status);
      return { ...page, headers: { ...page.headers, ...retryAfter } };
    }
    const error = status === 429 && fault.message === undefined ? rateLimited() : null;
    const made = new AttioError(
      status,
      fault.code ?? codeFor(status),
      fault.message ?? 'A fault of the sandbox.',
    );
    return this.#reply({ status, headers: retryAfter, body: (error ?? made).body() });
  }
}

const CODES: Readonly<Record<number, string>> = {
  400: 'validation_type',
  401: 'unauthorized',
  403: 'unauthorized',
  404: 'not_found',
  409: 'concurrent_write_conflict',
  413: 'validation_type',
  429: 'rate_limit_exceeded',
};

function codeFor(status: number): string {
  return CODES[status] ?? 'internal_error';
}
