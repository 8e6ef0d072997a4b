import { createHmac, randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { type App, createApp, type Overrides } from '../../src/app.ts';
import { type AppConfig, loadConfig } from '../../src/config.ts';
import { SUBSCRIBED_EVENTS } from '../../src/domain/webhook-events.ts';
import { createLogger } from '../../src/monitoring/logger.ts';
import { type SandboxServer, startSandboxServer } from '../mocks/http-server.ts';
import type { SandboxOptions } from '../mocks/options.ts';
import { freshDatabase, type TestDatabase } from './engines.ts';
import { checkingExchanges } from './exchanges.ts';

export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface ServiceOptions {
  readonly sandbox?: SandboxOptions;
  /** More variables of the environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly overrides?: Overrides;
  /** Changes what the configuration files say. */
  readonly configure?: (config: AppConfig) => AppConfig;
  /** Register a webhook at the sandbox, so that it delivers to the service. @default true */
  readonly subscribe?: boolean;
}

const FIRST_PORT = 20_000;
const WORKERS = 6;
const PORTS_PER_WORKER = 2_000;

export const API_KEY = 'test-service-key';
const OTHER_SECRET = 'the-secret-before-rotation';

/** The sandbox, and the service in front of it, on a real database and real sockets. */
export class TestService {
  readonly sandbox: SandboxServer;
  /** May be changed between a stop and a start. */
  readonly env: Record<string, string>;
  readonly secret: string;
  readonly database: TestDatabase;
  readonly #overrides: Overrides;
  readonly #configure: (config: AppConfig) => AppConfig;
  #app: App | null = null;
  url = '';

  constructor(parts: {
    sandbox: SandboxServer;
    env: Readonly<Record<string, string>>;
    secret: string;
    database: TestDatabase;
    overrides: Overrides;
    configure: (config: AppConfig) => AppConfig;
  }) {
    this.sandbox = parts.sandbox;
    this.env = { ...parts.env };
    this.secret = parts.secret;
    this.database = parts.database;
    this.#overrides = parts.overrides;
    this.#configure = parts.configure;
  }

  async start(): Promise<void> {
    const logger = createLogger({ name: 'test', level: 'silent' });
    this.#app = createApp(this.#configure(waitingFor(PATIENCE_MS, loadConfig(this.env))), {
      logger,
      ...this.#overrides,
    });
    await this.#app.start();
    this.url = `http://127.0.0.1:${this.env['PORT']}`;
  }

  /** Stops the service as SIGTERM would; `start` starts another one on the same database. */
  async stop(): Promise<void> {
    await this.#app?.stop();
    this.#app = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.sandbox.close();
    await this.database[Symbol.asyncDispose]();
  }

  /** A request of an internal system. */
  async call<T = unknown>(
    method: string,
    path: string,
    options: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer<T>> {
    const headers: Record<string, string> = { authorization: `Bearer ${API_KEY}`, ...options.headers };
    if (options.body !== undefined) headers['content-type'] ??= 'application/json';
    const request = {
      method,
      headers,
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    };
    const send = () => fetch(this.url + path, request);
    // A connection that an instance has left open is found closed by the first request to the next one.
    const isStale = (error: unknown) => method === 'GET' && isCut(error);
    const response = await send().catch((error: unknown) =>
      isStale(error) ? send() : Promise.reject(error),
    );
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson ? JSON.parse(text) : text) as T,
    };
  }

  async get<T = unknown>(path: string): Promise<Answer<T>> {
    return this.call<T>('GET', path);
  }

  /** A delivery as Attio sends it. */
  async deliver(
    body: unknown,
    options: { key?: string | null; headers?: Record<string, string>; secret?: string } = {},
  ): Promise<Answer<{ accepted: number; duplicates: number; quarantined?: number }>> {
    const raw = typeof body === 'string' ? body : JSON.stringify(body);
    const { key = randomUUID(), secret = this.secret } = options;
    const response = await fetch(`${this.url}/webhooks`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'attio-signature': sign(raw, secret),
        ...(key === null ? {} : { 'idempotency-key': key }),
        ...options.headers,
      },
      body: raw,
    });
    return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
  }

  /** The body of a delivery about one record. */
  event(type: string, object: string, recordId: string, more: Record<string, unknown> = {}): unknown {
    const { world } = this.sandbox.sandbox;
    const id: Record<string, string> = {
      workspace_id: world.workspace.id,
      object_id: world.object(object).id,
      record_id: recordId,
    };
    if (type === 'record.updated') id['attribute_id'] = randomUUID();
    const event = { event_type: type, id, actor: { type: 'system', id: null }, ...more };
    return { webhook_id: '00000000-0000-4000-8000-000000000001', events: [event] };
  }

  /** Runs a full sync to its end. */
  async sync(object: string, query = ''): Promise<Run> {
    const { body } = await this.call<{ data: Run }>('POST', `/v1/sync/${object}?wait=true${query}`);
    return body.data;
  }

  async changes(after: string): Promise<{ data: Change[]; nextCursor: string }> {
    return (await this.get<{ data: Change[]; nextCursor: string }>(`/v1/changes?after=${after}&limit=1000`))
      .body;
  }

  /** A cursor at the end of the feed. */
  async latest(): Promise<string> {
    return (await this.changes('latest')).nextCursor;
  }

  /** Follows the feed from a cursor until a change fits. */
  async change(after: string, fits: (change: Change) => boolean): Promise<Change> {
    const deadline = Date.now() + 30_000;
    for (let cursor = after; Date.now() < deadline; ) {
      const page = (
        await this.get<{ data: Change[]; nextCursor: string }>(`/v1/changes?after=${cursor}&wait=5`)
      ).body;
      const found = page.data.find(fits);
      if (found !== undefined) return found;
      cursor = page.nextCursor;
    }
    throw new Error('the change did not come within 30 s');
  }

  async pending(): Promise<number> {
    const { body } = await this.get<{ checks: { inbox: { pending: number } } }>('/health');
    return body.checks.inbox.pending;
  }

  /** Resolves when Attio has told whose token it is: before, writes wait for that. */
  async confirmed(): Promise<void> {
    await until(async () => {
      const { body } = await this.get<{ checks: { attio: { status: string } } }>('/health');
      return body.checks.attio.status === 'ok';
    });
  }

  /** Resolves when every event that was accepted is settled. */
  async settled(): Promise<void> {
    await until(async () => (await this.pending()) === 0);
  }
}

/** A write that Attio has is answered 200 although the machine froze in between. */
const PATIENCE_MS = 15_000;

/** Writes wait for Attio for so long. */
export function waitingFor(writeWaitMs: number, config: AppConfig): AppConfig {
  return { ...config, outbox: { ...config.outbox, writeWaitMs } };
}

function isCut(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof Error && 'code' in cause && cause.code === 'UND_ERR_SOCKET';
}

export interface Run {
  readonly runId: string;
  readonly object: string;
  readonly status: string;
  readonly pages: number;
  readonly seen: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly deleted: number;
  readonly merged: number;
  readonly error?: string;
  readonly runs?: readonly Run[];
}

export interface Change {
  readonly cursor: string;
  readonly type: string;
  readonly object: string;
  readonly id: string;
  readonly mergedId?: string;
  readonly changed: readonly string[];
  readonly data: { readonly values: Readonly<Record<string, unknown>> };
}

export interface ContactJson {
  readonly id: string;
  readonly recordId: string;
  readonly email: string | null;
  readonly emails: readonly string[];
  readonly jobTitle: string | null;
  readonly firstName: string | null;
  readonly version: number;
  readonly mergedFrom?: readonly string[];
}

/** @returns the service, started; disposing of it stops everything */
export async function startService(options: ServiceOptions = {}): Promise<TestService> {
  const service = await prepareService(options);
  await service.start();
  return service;
}

/** The same, with the service not started yet. */
export async function prepareService(options: ServiceOptions = {}): Promise<TestService> {
  const port = await freePort();
  const sandbox = await startSandboxServer({
    deliverTo: `http://127.0.0.1:${port}/webhooks`,
    onExchange: checkingExchanges(),
    ...options.sandbox,
  });
  const secret = options.subscribe === false ? 'an-unused-secret' : await subscribe(sandbox);
  const database = await freshDatabase();
  return new TestService({
    sandbox,
    secret,
    database,
    overrides: options.overrides ?? {},
    configure: options.configure ?? ((config) => config),
    env: {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      LOG_LEVEL: 'silent',
      ATTIO_API_KEY: 'sandbox-token',
      ATTIO_BASE_URL: `${sandbox.url}/v2`,
      ATTIO_WEBHOOK_SECRET: `${OTHER_SECRET},${secret}`,
      SERVICE_API_KEYS: `another-key,${API_KEY}`,
      DATABASE_URL: database.url,
      ...options.env,
    },
  });
}

async function subscribe(sandbox: SandboxServer): Promise<string> {
  const response = await fetch(`${sandbox.url}/v2/webhooks`, {
    method: 'POST',
    headers: { authorization: 'Bearer somebody', 'content-type': 'application/json' },
    body: JSON.stringify({
      data: {
        target_url: 'https://bridge.example.com/webhooks',
        subscriptions: SUBSCRIBED_EVENTS.map((event_type) => ({ event_type, filter: null })),
      },
    }),
  });
  const { data } = (await response.json()) as { data: { secret: string } };
  return data.secret;
}

export function sign(body: string, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

/** Waits for a condition; for what is done behind a socket there is no other way than to look. */
export async function until(
  condition: () => Promise<boolean>,
  limitMs = 30_000,
  everyMs = 25,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not so within ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

let lastPort = process.pid % PORTS_PER_WORKER;

/**
 * One that nothing listens on, from a range of this worker's own below those that the system hands out: so nobody else
 * takes it before the service does.
 */
export async function freePort(): Promise<number> {
  const worker = Number(process.env['VITEST_POOL_ID'] ?? process.pid) % WORKERS;
  for (;;) {
    lastPort = (lastPort + 1) % PORTS_PER_WORKER;
    const port = FIRST_PORT + worker * PORTS_PER_WORKER + lastPort;
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
