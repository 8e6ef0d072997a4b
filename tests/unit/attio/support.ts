import { vi } from 'vitest';
import { AttioClient } from '../../../src/attio/client.ts';
import { type AttioSettings, attioSettings } from '../../../src/attio/config.ts';
import type { AttioObserver } from '../../../src/attio/observer.ts';
import type { FetchLike, TransportDeps } from '../../../src/attio/transport.ts';
import { systemClock } from '../../../src/queue/clock.ts';

export const START = Date.parse('2026-11-23T12:00:00.000Z');
export const TOKEN = 'sekret-token-0123456789';

/** Timers and the clock stand still until a test moves them; promises and streams run as always. */
export function freezeTime(): void {
  vi.useFakeTimers({
    now: START,
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
  });
}

/** The machine's clock, so that fake timers move it. */
export const fakeClock = systemClock(() => Date.now());

export interface SentRequest {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: unknown;
  readonly at: number;
  readonly signal: AbortSignal;
}

export type Answer = (request: SentRequest) => Response | Promise<Response>;

/** An Attio that answers what the test says, and remembers what it was asked. */
export function fakeAttio(answer: Answer) {
  const sent: SentRequest[] = [];
  const fetch: FetchLike = async (url, init) => {
    const request: SentRequest = {
      method: init.method ?? 'GET',
      url,
      path: url.replace('https://attio.test/v2', ''),
      headers: new Headers(init.headers),
      body: typeof init.body === 'string' ? JSON.parse(init.body) : undefined,
      at: Date.now(),
      signal: init.signal ?? new AbortController().signal,
    };
    sent.push(request);
    return answer(request);
  };
  return { sent, fetch };
}

/** Answers in turn; the last one again and again. */
export function inTurn(...answers: readonly Answer[]): Answer {
  let turn = 0;
  return (request) => {
    const answer = answers[Math.min(turn, answers.length - 1)];
    turn += 1;
    if (answer === undefined) throw new Error('no answer left');
    return answer(request);
  };
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return () => new Response(JSON.stringify(body), { status, headers });
}

export function attioError(status: number, code: string, headers: Record<string, string> = {}): Answer {
  return json(
    status,
    { status_code: status, type: 'invalid_request_error', code, message: `about ${code}` },
    headers,
  );
}

export const tooMany = (headers: Record<string, string> = {}): Answer =>
  attioError(429, 'rate_limit_exceeded', { 'retry-after': '1', ...headers });

export const unreachable: Answer = () => Promise.reject(new TypeError('fetch failed'));

/** Never answers, but heeds the signal as fetch does. */
export const hang: Answer = ({ signal }) => {
  const { promise, reject } = Promise.withResolvers<Response>();
  signal.addEventListener('abort', () => reject(signal.reason));
  return promise;
};

export const OBJECT = {
  id: { workspace_id: 'w', object_id: 'o' },
  api_slug: 'people',
  singular_noun: 'Person',
  plural_noun: 'People',
  created_at: '2026-01-01T00:00:00.000000000Z',
};

export const RECORD = {
  id: { workspace_id: 'w', object_id: 'o', record_id: 'r1' },
  created_at: '2026-01-01T00:00:00.000000000Z',
  web_url: 'https://app.attio.com/w/person/r1',
  values: {
    name: [
      {
        active_from: '2026-01-01T00:00:00.000000000Z',
        active_until: null,
        created_by_actor: { type: 'system', id: null },
        first_name: 'Ada',
        last_name: 'L',
        full_name: 'Ada L',
        attribute_type: 'personal-name',
      },
    ],
    description: [],
  },
};

export const anObject: Answer = json(200, { data: OBJECT });

export function settings(overrides: Partial<AttioSettings> = {}): TransportDeps['settings'] {
  const base = { readsPerSecond: 50, writesPerSecond: 20, readConcurrency: 10, writeConcurrency: 10 };
  return {
    ...attioSettings.parse({ ...base, ...overrides }),
    apiKey: TOKEN,
    baseUrl: 'https://attio.test/v2',
  };
}

/** An observer that keeps what it is told. */
export function recorder() {
  const finished: Parameters<AttioObserver['requestFinished']>[0][] = [];
  const retried: Parameters<AttioObserver['retried']>[0][] = [];
  const circuits: Parameters<AttioObserver['circuitChanged']>[0][] = [];
  const waits: Parameters<AttioObserver['laneWaited']>[0][] = [];
  const observer: AttioObserver = {
    requestFinished: (request) => finished.push(request),
    retried: (retry) => retried.push(retry),
    circuitChanged: (change) => circuits.push(change),
    laneWaited: (wait) => waits.push(wait),
  };
  return { finished, retried, circuits, waits, observer };
}

export function makeClient(answer: Answer, overrides: Partial<AttioSettings> = {}, random = () => 0) {
  const attio = fakeAttio(answer);
  const seen = recorder();
  const client = new AttioClient({
    fetch: attio.fetch,
    clock: fakeClock,
    random,
    observer: seen.observer,
    settings: settings(overrides),
  });
  return { client, sent: attio.sent, ...seen };
}

/** How a promise ends; asked for at once, so that no rejection goes unheard. */
export function outcome<T>(promise: Promise<T>): Promise<{ value?: T; error?: unknown }> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}

/** Lets timers run until the promise has ended. */
export async function settled<T>(promise: Promise<T>): Promise<{ value?: T; error?: unknown }> {
  const ended = outcome(promise);
  await vi.runAllTimersAsync();
  return ended;
}
