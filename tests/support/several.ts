import type { AppConfig } from '../../src/config.ts';
import { freePort, prepareService, type ServiceOptions, TestService, until } from './service.ts';
import { shortLease } from './short-lease.ts';

/** Several instances in one process, in front of one sandbox and on one PostgreSQL database. */
export class Several {
  readonly all: readonly TestService[];

  private constructor(all: readonly TestService[]) {
    this.all = all;
  }

  /** @param options `configure` comes on top of the short lease */
  static async prepare(count: number, options: ServiceOptions = {}): Promise<Several> {
    const { configure = (config: AppConfig) => config } = options;
    const each = { ...options, configure: (config: AppConfig) => configure(shortLease(config)) };
    const first = await prepareService({ subscribe: false, ...each });
    const all = [first];
    while (all.length < count) {
      const { sandbox, secret, database } = first;
      all.push(
        new TestService({
          sandbox,
          secret,
          database,
          overrides: options.overrides ?? {},
          configure: each.configure,
          env: { ...first.env, PORT: String(await freePort()) },
        }),
      );
    }
    return new Several(all);
  }

  static async start(count: number, options: ServiceOptions = {}): Promise<Several> {
    const several = await Several.prepare(count, options);
    await several.startAll();
    return several;
  }

  async startAll(): Promise<void> {
    await Promise.all(this.all.map((service) => service.start()));
    await Promise.all(this.all.map((service) => service.confirmed()));
  }

  get first(): TestService {
    return this.at(0);
  }

  get second(): TestService {
    return this.at(1);
  }

  at(index: number): TestService {
    const service = this.all[index];
    if (service === undefined) throw new Error(`there are ${this.all.length} instances`);
    return service;
  }

  async settled(): Promise<void> {
    await until(async () => {
      const [row] = await this.first.database.rows(
        "select (select count(*) from inbox where status = 'pending') + (select count(*) from outbox where status = 'pending') as n",
      );
      return Number(row?.['n']) === 0;
    }, 60_000);
  }

  /** Requests of a kind that Attio has had. */
  requests(method: string, path: RegExp): number {
    const { requests } = this.first.sandbox.sandbox.requests();
    return requests.filter((request) => request.method === method && path.test(request.path)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.slice(1).map((service) => service.stop()));
    await this.first[Symbol.asyncDispose]();
  }
}
