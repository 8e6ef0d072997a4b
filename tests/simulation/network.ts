import { isFault, type PlainAnswer } from '../mocks/core/exchange.ts';
import type { Gate } from './gate.ts';
import type { SimulatedTime } from './simulated-time.ts';
import type { Witness } from './witness.ts';

/** How long things travel. @unit ms */
export interface Latencies {
  request(): number;
  answer(): number;
}

function connectionLost(): TypeError {
  const cause = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
  return new TypeError('fetch failed', { cause });
}

export interface Wire {
  readonly time: SimulatedTime;
  readonly latencies: Latencies;
}

function travel({ time }: Wire, ms: number): Promise<void> {
  return new Promise((resolve) => {
    time.setTimeout(resolve, ms);
  });
}

/** An answer of Attio's, and when it was made. */
interface Carried {
  readonly answer: PlainAnswer;
  readonly madeAt: number;
}

/** One life of the service, as Attio's side knows it. */
export interface Caller {
  readonly wire: Wire;
  readonly witness: Witness;
  /** Which life it is. */
  readonly life: number;
  readonly gate: Gate;
}

/** What is sent arrives, whatever becomes of the sender, and of its patience. */
async function carry({ wire, witness, life }: Caller, url: string, init: RequestInit): Promise<Carried> {
  const sentAt = wire.time.now();
  await travel(wire, wire.latencies.request());
  const madeAt = wire.time.now();
  const answer = await witness.exchange(life, sentAt, {
    method: init.method ?? 'GET',
    url,
    headers: { ...(init.headers as Record<string, string>) },
    body: typeof init.body === 'string' ? init.body : '',
  });
  await travel(wire, wire.latencies.answer());
  return { answer, madeAt };
}

/** The service's way to Attio, for one life of it. */
export function attioFetch(caller: Caller) {
  const { gate, witness, life } = caller;
  return async (url: string, init: RequestInit): Promise<Response> => {
    await gate.pass();
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const { signal } = init;
    const give = () => reject(signal?.reason);
    if (signal?.aborted === true) give();
    signal?.addEventListener('abort', give, { once: true });
    void carry(caller, url, init).then(async ({ answer, madeAt }) => {
      await gate.pass();
      if (!isFault(answer)) {
        signal?.removeEventListener('abort', give);
        if (signal?.aborted !== true) witness.heard(life, madeAt, answer);
        const { body, status, headers } = answer;
        resolve(new Response(body, { status, headers: { ...headers } }));
      } else if (answer.fault === 'disconnect') {
        reject(connectionLost());
      }
      // One that hangs ends with the caller's patience.
    });
    return promise;
  };
}

/** Whoever answers HTTP at the moment; null: nobody, connections are refused. */
export interface Listener {
  answer(request: HttpRequest): Promise<HttpAnswer>;
}

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** A request to the service. @throws when the connection is refused or lost */
export async function callService(
  wire: Wire,
  listener: () => Listener | null,
  request: HttpRequest,
): Promise<HttpAnswer> {
  await travel(wire, wire.latencies.request());
  const there = listener();
  if (there === null) throw connectionLost();
  const answer = await there.answer(request);
  await travel(wire, wire.latencies.answer());
  return answer;
}

/** Attio's way to the service: for its webhooks. */
export function deliveryFetch(wire: Wire, listener: () => Listener | null): typeof fetch {
  return async (_url, init) => {
    const { status } = await callService(wire, listener, {
      method: 'POST',
      path: '/webhooks',
      headers: { ...(init?.headers as Record<string, string>) },
      body: String(init?.body),
    });
    return new Response(null, { status });
  };
}
