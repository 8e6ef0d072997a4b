import type { Overrides } from '../../src/app.ts';
import { freshDatabase, type TestDatabase } from './engines.ts';
import { PrivateRedis } from './private-redis.ts';
import { freePort, prepareService, TestService, until } from './service.ts';

export interface InstancesOptions {
  /** One database for both: they share values as well. @default false */
  readonly sharesDatabase?: boolean;
  /** @default the one that comes with the instances */
  readonly redisUrl?: string;
  /** Of the second instance. */
  readonly second?: Overrides;
}

interface RecordJson {
  readonly data: { readonly values: { readonly job_title: readonly { readonly value: string }[] } };
}

/** Two instances of the service in front of one Attio and one Redis; webhooks come to the first. */
export class Instances {
  readonly redis: PrivateRedis;
  readonly first: TestService;
  readonly second: TestService;
  readonly #ownDatabase: TestDatabase | null;

  private constructor(parts: {
    redis: PrivateRedis;
    first: TestService;
    second: TestService;
    ownDatabase: TestDatabase | null;
  }) {
    this.redis = parts.redis;
    this.first = parts.first;
    this.second = parts.second;
    this.#ownDatabase = parts.ownDatabase;
  }

  static async prepare(options: InstancesOptions = {}): Promise<Instances> {
    const redis = await PrivateRedis.prepare();
    const { sharesDatabase = false } = options;
    const first = await prepareService({
      sandbox: { people: 20, companies: 2, deals: 2 },
      // Webhooks come when a test says so.
      subscribe: false,
      env: { REDIS_URL: options.redisUrl ?? redis.url },
    });
    const ownDatabase = sharesDatabase ? null : await freshDatabase();
    const second = new TestService({
      sandbox: first.sandbox,
      secret: first.secret,
      database: ownDatabase ?? first.database,
      overrides: options.second ?? {},
      configure: (config) => config,
      env: {
        ...first.env,
        PORT: String(await freePort()),
        DATABASE_URL: (ownDatabase ?? first.database).url,
      },
    });
    return new Instances({ redis, first, second, ownDatabase });
  }

  static async start(options: InstancesOptions = {}): Promise<Instances> {
    const instances = await Instances.prepare(options);
    await instances.redis.start();
    await instances.startServices();
    await instances.redisIs('ok');
    return instances;
  }

  async startServices(): Promise<void> {
    for (const service of this.both) {
      await service.start();
      await service.confirmed();
    }
  }

  get both(): readonly TestService[] {
    return [this.first, this.second];
  }

  /** Resolves when both say so of Redis. */
  async redisIs(status: 'ok' | 'down'): Promise<void> {
    await until(async () => {
      const all = await Promise.all(this.both.map((service) => redisOf(service)));
      return all.every(
        (one) => one.redis === status && one.overall === (status === 'ok' ? 'ok' : 'degraded'),
      );
    });
  }

  /** Ids of people whom Attio has. */
  async people(count: number): Promise<string[]> {
    const { body } = await this.first.call<{ data: { id: { record_id: string } }[] }>(
      'POST',
      '/v1/records/people/query',
      { body: { limit: count } },
    );
    return body.data.map((record) => record.id.record_id);
  }

  /** The job title of a person by one instance, and what its cache says. */
  async read(
    service: TestService,
    id: string,
  ): Promise<{ title: string; cache: string | null; status: number }> {
    const { status, headers, body } = await service.get<RecordJson>(`/v1/records/people/${id}`);
    return { status, title: body.data?.values.job_title[0]?.value ?? '', cache: headers.get('x-cache') };
  }

  /** Changes a person in Attio, and brings the webhook to the first instance. */
  async edit(id: string, title: string): Promise<void> {
    this.editQuietly(id, title);
    await this.tell(id);
  }

  /** Nobody is told. */
  editQuietly(id: string, title: string): void {
    this.first.sandbox.sandbox.edit({ object: 'people', recordId: id, values: { job_title: title } });
  }

  /** A webhook about a person, answered with 202 by the first instance. */
  async tell(id: string): Promise<void> {
    const { status } = await this.first.deliver(this.first.event('record.updated', 'people', id));
    if (status !== 202) throw new Error(`the webhook was answered with ${status}`);
  }

  /** How often Attio has been asked for the record. */
  readsOf(id: string): number {
    const { requests } = this.first.sandbox.sandbox.requests();
    return requests.filter(({ method, path }) => method === 'GET' && path.includes(`/records/${id}`)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.redis.thaw();
    await this.second.stop();
    await this.first[Symbol.asyncDispose]();
    await this.#ownDatabase?.[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
  }
}

async function redisOf(service: TestService): Promise<{ overall: string; redis: string | undefined }> {
  type Health = { status: string; checks: { redis: { status: string } | null } };
  const { body } = await service.get<Health>('/health');
  return { overall: body.status, redis: body.checks.redis?.status };
}
