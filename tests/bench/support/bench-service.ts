import { createHmac, randomUUID } from 'node:crypto';
import { freePort, type Run, until } from '../../support/service.ts';
import { NODE_OPTIONS, SCRIPT } from '../../support/start-command.ts';
import { requestBytes } from './http-load.ts';
import { MeasuredProcess, type Usage } from './measured-process.ts';

const ENTRY = new URL(`../../../${SCRIPT}`, import.meta.url);
export const SECRET = 'the-secret-of-benchmarks';
const API_KEY = 'bench-service-key';
const WEBHOOK_ID = '00000000-0000-4000-8000-000000000001';

export interface ServiceOptions {
  readonly databaseUrl: string;
  readonly attioUrl: string;
  readonly redisUrl?: string | undefined;
  /** Where its CPU profile goes when it stops. */
  readonly profiles?: string | null;
  /** How often it is looked whether it is ready. @default 25 */
  readonly lookEveryMs?: number;
}

/** The service as operations run it, in production's settings, in a process that is measured. */
export class BenchService {
  readonly process: MeasuredProcess;
  readonly port: number;

  private constructor(process: MeasuredProcess, port: number) {
    this.process = process;
    this.port = port;
  }

  /** Resolves when it is ready. */
  static async start(options: ServiceOptions): Promise<BenchService> {
    const { databaseUrl, attioUrl, redisUrl, profiles = null, lookEveryMs } = options;
    const port = await freePort();
    const process = new MeasuredProcess({
      script: ENTRY,
      nodeArgs: [...NODE_OPTIONS, ...(profiles === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`])],
      env: {
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        PORT: String(port),
        ATTIO_API_KEY: 'bench-token',
        ATTIO_BASE_URL: `${attioUrl}/v2`,
        ATTIO_WEBHOOK_SECRET: SECRET,
        SERVICE_API_KEYS: API_KEY,
        DATABASE_URL: databaseUrl,
        ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
      },
    });
    const service = new BenchService(process, port);
    await process.answers(`${service.url}/health/ready`, lookEveryMs);
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get authorization(): Record<string, string> {
    return { authorization: `Bearer ${API_KEY}` };
  }

  usage(): Promise<Usage> {
    return this.process.usage();
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...this.authorization,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T; // by the service's own contract
  }

  /** Resolves when Attio has told whose token it is. */
  async confirmed(): Promise<void> {
    type Health = { checks: { attio: { status: string } } };
    await until(
      async () => (await this.call<Health>('GET', '/health')).checks.attio.status === 'ok',
      60_000,
      250,
    );
  }

  /** Runs a full sync of people to its end. */
  async sync(): Promise<Run> {
    let run = (await this.call<{ data: Run }>('POST', '/v1/sync/people?wait=true')).data;
    while (run.status === 'running' || run.status === undefined) {
      run = (await this.call<{ data: Run }>('POST', '/v1/sync/people?wait=true')).data;
    }
    if (run.status !== 'succeeded') throw new Error(`the full sync has ${run.status}: ${run.error}`);
    return run;
  }

  /** Events that are accepted and not settled, as operators see it. It asks Attio nothing. */
  async pendingEvents(): Promise<number> {
    return this.#gauge('inbox_pending');
  }

  async pendingWrites(): Promise<number> {
    return this.#gauge('outbox_pending');
  }

  /** Since its start. */
  async settledEvents(): Promise<number> {
    const counts = (await this.#metrics()).matchAll(/^webhook_events_total\{.*\} (\d+)/gm);
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  async #gauge(name: string): Promise<number> {
    const value = new RegExp(`^${name} (\\d+)`, 'm').exec(await this.#metrics())?.[1];
    if (value === undefined) throw new Error(`the metrics do not tell ${name}`);
    return Number(value);
  }

  async #metrics(): Promise<string> {
    return (await fetch(`${this.url}/metrics`, { headers: this.authorization })).text();
  }

  async settled(limitMs = 300_000, everyMs = 250): Promise<void> {
    await until(async () => (await this.pendingEvents()) === 0, limitMs, everyMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.stop();
  }
}

export interface Subject {
  readonly workspaceId: string;
  readonly objectId: string;
  readonly recordId: string;
}

/** A delivery as Attio sends it: one attribute of a record has changed. */
export function deliveryBytes({ workspaceId, objectId, recordId }: Subject): Buffer {
  const body = JSON.stringify({
    webhook_id: WEBHOOK_ID,
    events: [
      {
        event_type: 'record.updated',
        id: {
          workspace_id: workspaceId,
          object_id: objectId,
          record_id: recordId,
          attribute_id: randomUUID(),
        },
        actor: { type: 'workspace-member', id: '00000000-0000-4000-8000-000000000002' },
      },
    ],
  });
  return requestBytes(
    'POST',
    '/webhooks',
    {
      'content-type': 'application/json',
      'attio-signature': createHmac('sha256', SECRET).update(body).digest('hex'),
      'idempotency-key': randomUUID(),
    },
    body,
  );
}
