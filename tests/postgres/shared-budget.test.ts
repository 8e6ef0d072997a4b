import { expect, test } from 'vitest';
import type { AppConfig } from '../../src/config.ts';
import { PrivateRedis } from '../support/private-redis.ts';
import { redisProgram } from '../support/redis-program.ts';
import { freePort, prepareService, TestService, until } from '../support/service.ts';

const WRITES = 150;
const CONFIGURED = 22;

test.skipIf(redisProgram() === null)(
  'three instances on one database deliver writes by one budget, also while Redis is away, and who starts then',
  async () => {
    await using redis = await PrivateRedis.start();
    await using first = await prepareService({
      sandbox: { people: 20, companies: 2, deals: 2 },
      subscribe: false,
      env: { REDIS_URL: redis.url },
    });
    const { sandbox, secret, database, env } = first;
    const parts = { sandbox, secret, database, overrides: {}, configure: (config: AppConfig) => config };
    const more = async () => new TestService({ ...parts, env: { ...env, PORT: String(await freePort()) } });
    const services = [first, await more(), await more()];
    await using _stopping = {
      [Symbol.asyncDispose]: async () => {
        await Promise.all(services.slice(1).map((service) => service.stop()));
      },
    };
    for (const service of services) {
      await service.start();
      await service.confirmed();
    }
    const isShared = async (service: TestService) =>
      (await service.get<string>('/metrics')).body.includes('attio_rate_limit_shared{lane="write"} 1');
    await until(async () => (await Promise.all(services.map(isShared))).every(Boolean));

    let written = 0;
    const write = async () => {
      const emails = Array.from({ length: WRITES }, () => `p${written++}@budget.example`);
      await Promise.all(
        emails.map(async (email, index) => {
          const answer = await services[index % 3]?.call('PUT', '/v1/contacts?wait=false', {
            body: { email },
          });
          expect(answer?.status).toBe(202);
        }),
      );
    };
    const delivered = () =>
      until(async () => {
        const { body } = await first.get<string>('/metrics');
        return /^outbox_pending 0$/m.test(body);
      }, 50_000);
    const writes = () =>
      sandbox.sandbox
        .requests()
        .requests.filter(({ method, path }) => method !== 'GET' && !path.endsWith('/query'));
    // All are in one process with Attio, whose stalls let requests arrive together.
    const expectFewRefusals = () => {
      const refused = writes().filter(({ status }) => status === 429);
      expect(refused.length / writes().length).toBeLessThan(0.05);
    };

    await write();
    await delivered();
    expect(writes().length).toBeGreaterThanOrEqual(WRITES);
    expectFewRefusals();
    const times = writes().map(({ at }) => Date.parse(at));
    const perSecond = ((times.length - 1) * 1000) / (Math.max(...times) - Math.min(...times));
    // How fast they are says more of the machine than of them; three budgets would be faster than one.
    expect(perSecond / CONFIGURED).toBeLessThan(1.05);

    await write();
    await redis.stop('KILL');
    await until(async () => !(await Promise.all(services.map(isShared))).some(Boolean));
    await delivered();
    expectFewRefusals();

    // Redis does not tell it of the others.
    await first.stop();
    await first.start();
    await until(async () =>
      (await first.get<string>('/metrics')).body.includes('attio_rate_limit_instances 3'),
    );
  },
  120_000,
);
