/**
 * The sandbox as a program for benchmarks. Answers to queries that it was asked for under `/_bench/keep` are kept as
 * bytes: rendering 500 records takes the sandbox longer than storing them takes the service, and it is not what is
 * measured. Kept answers come as late, and count for the limits, as all others do.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isFault, type PlainResponse } from '../../mocks/core/exchange.ts';
import { RateLimiter, requestKind } from '../../mocks/limits.ts';
import { createSandbox } from '../../mocks/sandbox.ts';
import type { AttioOptions } from './attio.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as AttioOptions & { port: number }; // by `Attio.start`
const { port, people, latencyMs = 0, hasLimits = false } = options;
const sandbox = createSandbox({
  people,
  companies: Math.max(10, Math.ceil(people / 10)),
  deals: 5,
  latencyMs: 0,
  rateLimits: false,
  deliverTo: null,
});

/** Counted here, because kept answers never come to the sandbox. */
const limiter = hasLimits ? new RateLimiter({ readsPerSecond: 100, writesPerSecond: 25 }) : null;
const kept = new Map<string, Buffer>();
const asked: { at: number; route: string; status: number }[] = [];
/** No answer is given before: Attio is away. */
let isAway = false;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer); // without an encoding they are
  return Buffer.concat(parts).toString();
}

async function ask(method: string, url: string, body: string): Promise<Answer> {
  const headers = { authorization: 'Bearer bench', 'content-type': 'application/json' };
  const answer = await sandbox.exchange({ method, url, headers, body });
  if (isFault(answer)) throw new Error('the sandbox of a benchmark has no faults');
  return plain(answer);
}

function plain({ status, headers, body }: PlainResponse): Answer {
  return { status, headers: { ...headers }, body: Buffer.from(body) };
}

/** The same question is the same, whatever the order of its members. */
function keyOf(url: string, body: string): string {
  const members: Record<string, unknown> = JSON.parse(body);
  return url + JSON.stringify(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function control(url: string, body: string): Promise<Answer> {
  const json = (value: unknown): Answer => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(value)),
  });
  if (url === '/_bench/keep') {
    const { path, query } = JSON.parse(body) as { path: string; query: unknown }; // by `Attio.keep`
    const text = JSON.stringify(query);
    kept.set(keyOf(path, text), (await ask('POST', path, text)).body);
    return json({ kept: kept.size });
  }
  if (url === '/_bench/away') {
    isAway = JSON.parse(body) === true;
    return json({ isAway });
  }
  if (url === '/_bench/forget') {
    asked.length = 0;
    return json({});
  }
  if (url === '/_bench/asked') return json(asked);
  if (url === '/_bench/state') return json(sandbox.summary());
  return ask('POST', url, body);
}

async function answer(method: string, url: string, body: string): Promise<Answer> {
  if (isAway) return { status: 503, headers: {}, body: Buffer.from('') };
  const retryAfter = limiter?.admit(requestKind(method, url.split('?')[0] ?? ''), Date.now()) ?? null;
  if (retryAfter !== null) {
    const refusal = {
      status_code: 429,
      type: 'rate_limit_error',
      code: 'rate_limit_exceeded',
      message: 'Too many',
    };
    return {
      status: 429,
      headers: { 'content-type': 'application/json', 'retry-after': retryAfter },
      body: Buffer.from(JSON.stringify(refusal)),
    };
  }
  const known = method === 'POST' && kept.size > 0 && body !== '' ? kept.get(keyOf(url, body)) : undefined;
  if (known === undefined) return ask(method, url, body);
  return { status: 200, headers: { 'content-type': 'application/json; charset=utf-8' }, body: known };
}

async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url = '/' } = message;
  const body = await bodyOf(message);
  const isControl = url.startsWith('/_');
  const arrivedAt = Date.now();
  const { status, headers, body: bytes } = await (isControl ? control(url, body) : answer(method, url, body));
  if (!isControl)
    asked.push({ at: arrivedAt, route: `${method} ${url.replace(/[0-9a-f-]{36}/g, '{id}')}`, status });
  const send = () => response.writeHead(status, { ...headers, 'content-length': bytes.length }).end(bytes);
  const lateMs = isControl ? 0 : arrivedAt + latencyMs - Date.now();
  if (lateMs > 0) setTimeout(send, lateMs);
  else send();
}

const server = createServer((message, response) => {
  serve(message, response).catch((error: unknown) => {
    response.writeHead(500).end(String(error));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(port, '127.0.0.1');
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
