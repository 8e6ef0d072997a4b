import { expect, test } from 'vitest';
import type { AppConfig } from '../../src/config.ts';
import { Load } from '../support/load.ts';
import { PrivatePostgres, serverPrograms } from '../support/private-postgres.ts';
import { startService, until } from '../support/service.ts';

const SANDBOX = { people: 300, companies: 20, deals: 10, rateLimits: false } as const;

function watchful(config: AppConfig): AppConfig {
  return { ...config, health: { probeEverySeconds: 1 } };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test('connections that the server ends again and again cost "not now" at worst, and nothing that was accepted', async () => {
  await using service = await startService({ sandbox: SANDBOX, subscribe: false, configure: watchful });
  await service.sync('all');
  const load = await Load.during(service, async () => {
    for (let turn = 0; turn < 15; turn += 1) {
      await pause(200);
      await service.database.rows(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
    }
  });
  expect(load.good).toBeGreaterThan(100);
  expect(load.refused).toBeGreaterThan(0);
});

const programs = serverPrograms();
if (programs === null)
  process.stderr.write(
    'Left out: the restart of a server. There is no initdb and postgres to run one of our own.\n',
  );

test.skipIf(programs === null)(
  'a server that is restarted, and one that crashes, are waited for: the service goes on by itself',
  async () => {
    await using server = await PrivatePostgres.start(programs ?? '');
    await using service = await startService({
      sandbox: SANDBOX,
      subscribe: false,
      configure: watchful,
      env: { DATABASE_URL: server.url },
    });
    await service.sync('all');
    const load = await Load.during(service, async () => {
      await pause(500);
      for (const how of ['fast', 'immediate'] as const) {
        await server.stop(how);
        await until(async () => (await service.get('/health')).status === 503);
        expect((await service.get('/health/ready')).status).toBe(503);
        await pause(1_500);
        await server.start();
        await until(async () => (await service.get('/health/ready')).status === 200);
        await pause(500);
      }
    });
    expect(load.refused).toBeGreaterThan(10);
  },
  180_000,
);
