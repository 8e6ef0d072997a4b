import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type SandboxServer, startSandboxServer } from '../mocks/http-server.ts';
import { EVENT_TYPES } from '../mocks/webhooks/events.ts';
import { Deliveries } from './deliveries.ts';
import { freePort } from './ports.ts';
import { ServiceApi } from './service-api.ts';
import { ServiceProcess } from './service-process.ts';

const SERVICE_PORT = 3000;
const SANDBOX_PORT = 4010;
/** As far away as Attio is. */
export const LATENCY_MS = 40;
const PEOPLE = 2000;
const COMPANIES = 400;
const DEALS = 200;
/** The sandbox takes any token. */
const TOKEN = 'demo-token';
/** Attio takes https addresses only; the sandbox sends to the service on this machine instead. */
const TARGET_URL = 'https://bridge.example.com/webhooks';

const RECORD_WRITE = /^(?:POST|PUT|PATCH|DELETE) \/objects\/\{object\}\/records(?:\/\{record_id\})?$/;

export interface Webhook {
  readonly secret: string;
  readonly types: number;
}

/** All that the demo consists of: the sandbox in this process, the service in one of its own, a folder for its data. */
export class Stage {
  readonly sandbox: SandboxServer;
  readonly deliveries: Deliveries;
  readonly webhook: Webhook;
  readonly service: ServiceProcess;
  readonly api: ServiceApi;
  readonly directory: string;
  #closing: Promise<void> | null = null;

  private constructor(parts: {
    sandbox: SandboxServer;
    deliveries: Deliveries;
    webhook: Webhook;
    service: ServiceProcess;
    api: ServiceApi;
    directory: string;
  }) {
    this.sandbox = parts.sandbox;
    this.deliveries = parts.deliveries;
    this.webhook = parts.webhook;
    this.service = parts.service;
    this.api = parts.api;
    this.directory = parts.directory;
  }

  /** Everything but waiting for the service to be ready. */
  static async build(): Promise<Stage> {
    const url = `http://127.0.0.1:${await freePort(SERVICE_PORT)}`;
    const directory = await mkdtemp(join(tmpdir(), 'attio-bridge-demo-'));
    const deliveries = new Deliveries();
    const sandbox = await startSandboxServer({
      port: await freePort(SANDBOX_PORT),
      people: PEOPLE,
      companies: COMPANIES,
      deals: DEALS,
      latencyMs: LATENCY_MS,
      deliverTo: `${url}/webhooks`,
      fetch: deliveries.fetch,
    });
    const webhook = await registerWebhook(sandbox.url);
    const service = new ServiceProcess(directory, {
      ATTIO_API_KEY: TOKEN,
      ATTIO_BASE_URL: `${sandbox.url}/v2`,
      ATTIO_WEBHOOK_SECRET: webhook.secret,
      DATABASE_URL: `sqlite:${join(directory, 'demo.db')}`,
      PORT: new URL(url).port,
      LOG_LEVEL: 'info',
    });
    return new Stage({ sandbox, deliveries, webhook, service, api: new ServiceApi(url), directory });
  }

  /** Ports that were taken, so that others were chosen; in words. */
  get movedPorts(): string[] {
    return [
      ...(this.api.url.endsWith(`:${SERVICE_PORT}`) ? [] : [String(SERVICE_PORT)]),
      ...(this.sandbox.url.endsWith(`:${SANDBOX_PORT}`) ? [] : [String(SANDBOX_PORT)]),
    ];
  }

  /** Requests to the sandbox's API so far. */
  get requests(): number {
    return this.sandbox.sandbox.requests().total;
  }

  /** Those that made, changed or removed records. */
  get writes(): number {
    const { counts } = this.sandbox.sandbox.requests();
    return Object.entries(counts).reduce(
      (sum, [route, times]) => (RECORD_WRITE.test(route) ? sum + times : sum),
      0,
    );
  }

  /** Leaves nothing behind. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.service.stop();
    await this.sandbox.close();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** As an operator does once per workspace. The secret is in this answer and nowhere else. */
async function registerWebhook(sandboxUrl: string): Promise<Webhook> {
  const subscriptions = EVENT_TYPES.map((event_type) => ({ event_type, filter: null }));
  const response = await fetch(`${sandboxUrl}/v2/webhooks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ data: { target_url: TARGET_URL, subscriptions } }),
  });
  const answer = z.object({ data: z.object({ secret: z.string() }) });
  return { secret: answer.parse(await response.json()).data.secret, types: subscriptions.length };
}
