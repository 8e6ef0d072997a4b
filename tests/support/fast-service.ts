import type { App } from '../../src/app.ts';
import { createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import type { Clock } from '../../src/domain/clock.ts';
import { SUBSCRIBED_EVENTS } from '../../src/domain/webhook-events.ts';
import { createLogger } from '../../src/monitoring/logger.ts';
import { systemClock } from '../../src/queue/clock.ts';
import { inProcessFetch } from '../mocks/in-process-fetch.ts';
import { createSandbox, type Sandbox } from '../mocks/sandbox.ts';
import { freshDatabase, type TestDatabase } from './engines.ts';

/** How much faster than ours the clock of the service and of its Attio runs: what waits for seconds waits for moments. */
const SPEED = 50;

/** Real milliseconds: these timers are the system's. */
const BREAKER = { failures: 3, halfOpenAfterMs: 20, maxHalfOpenAfterMs: 40 };

export interface Letter {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The sandbox and the service in one process, without sockets between them, on a fast clock. What Attio would deliver
 * lies in `mail`, for the test to hand over: in any order, twice, or never.
 */
export class FastService {
  readonly sandbox: Sandbox;
  readonly mail: Letter[];
  readonly #app: App;
  readonly #database: TestDatabase;

  private constructor(parts: { sandbox: Sandbox; mail: Letter[]; app: App; database: TestDatabase }) {
    this.sandbox = parts.sandbox;
    this.mail = parts.mail;
    this.#app = parts.app;
    this.#database = parts.database;
  }

  /** @param isPatient writes never count as held back */
  static async start(isPatient: boolean): Promise<FastService> {
    const clock = fastClock();
    const mail: Letter[] = [];
    const sandbox = createSandbox({
      people: 0,
      companies: 0,
      deals: 0,
      rateLimits: false,
      now: () => clock.now(),
      deliveries: { perSecond: 10_000, concurrency: 100 },
      fetch: async (_url, init) => {
        const headers = Object.fromEntries(new Headers(init?.headers));
        mail.push({ body: String(init?.body), headers });
        return new Response(null, { status: 200 });
      },
    });
    const secret = subscribe(sandbox);
    const database = await freshDatabase();
    const config = loadConfig({
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'silent',
      ATTIO_API_KEY: 'sandbox-token',
      ATTIO_BASE_URL: 'http://attio.invalid/v2',
      ATTIO_WEBHOOK_SECRET: secret,
      SERVICE_API_KEYS: 'key',
      DATABASE_URL: database.url,
      SYNC_OBJECTS: 'people',
      SYNC_LISTS: 'none',
    });
    const app = createApp(
      {
        ...config,
        attio: { ...config.attio, readsPerSecond: 5_000, writesPerSecond: 5_000, breaker: BREAKER },
        outbox: { ...config.outbox, writeWaitMs: isPatient ? 3_600_000 : config.outbox.writeWaitMs },
      },
      { fetch: inProcessFetch(sandbox), clock, logger: createLogger({ name: 'test', level: 'silent' }) },
    );
    await app.start();
    return new FastService({ sandbox, mail, app, database });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#app.stop();
    this.sandbox.close();
    await this.#database[Symbol.asyncDispose]();
  }

  async call<T>(
    method: 'GET' | 'PUT' | 'POST',
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: T }> {
    const answer = await this.#app.http.inject({
      method,
      url: path,
      headers: { authorization: 'Bearer key' },
      ...(body === undefined ? {} : { payload: body as object }),
    });
    return { status: answer.statusCode, body: JSON.parse(answer.body) as T };
  }

  async deliver({ body, headers }: Letter): Promise<void> {
    await this.#app.http.inject({ method: 'POST', url: '/webhooks', headers, payload: body });
  }

  /** Resolves when neither events nor writes wait, and what is looked at by the way has ended. */
  async quiet(): Promise<void> {
    for (let still = 0; still < 3; ) {
      await new Promise((resolve) => setTimeout(resolve, 15));
      const { body } = await this.call<{ checks: Record<'inbox' | 'outbox', { pending: number }> }>(
        'GET',
        '/health',
      );
      const asked = this.sandbox.requests().total;
      const isQuiet = body.checks.inbox.pending + body.checks.outbox.pending === 0 && asked === this.#asked;
      this.#asked = asked;
      still = isQuiet ? still + 1 : 0;
    }
  }

  #asked = -1;
}

function fastClock(): Clock {
  const real = systemClock();
  const start = real.now();
  return {
    now: () => start + Math.floor((performance.now() - origin) * SPEED),
    sleep: (ms, signal) => real.sleep(ms / SPEED, signal),
  };
}

const origin = performance.now();

function subscribe(sandbox: Sandbox): string {
  const { secret } = sandbox.act({
    method: 'POST',
    path: '/webhooks',
    body: {
      data: {
        target_url: 'https://bridge.example.com/webhooks',
        subscriptions: SUBSCRIBED_EVENTS.map((event_type) => ({ event_type, filter: null })),
      },
    },
  }) as { secret: string };
  return secret;
}
