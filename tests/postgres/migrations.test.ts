import { expect, test } from 'vitest';
import { migrate, openDatabase } from '../../src/store/database.ts';
import { freshDatabase } from '../support/engines.ts';
import { startService } from '../support/service.ts';
import { Several } from '../support/several.ts';

const SANDBOX = { people: 2, companies: 0, deals: 0 } as const;

test('a migration that fails leaves no instance ready, each says why, and nothing of it stays', async () => {
  await using several = await Several.prepare(2, { sandbox: SANDBOX });
  const { rows } = several.first.database;
  // In the way of a migration.
  await rows('create table idempotency (scope text)');
  const starts = await Promise.allSettled(several.all.map((service) => service.start()));
  for (const start of starts) {
    expect(start).toMatchObject({
      status: 'rejected',
      reason: { message: expect.stringMatching(/idempotency.*exists/) },
    });
  }
  const states = several.all.map(({ env }) => fetch(`http://127.0.0.1:${env['PORT']}/health/ready`));
  for (const state of await Promise.allSettled(states)) expect(state.status).toBe('rejected');
  expect(await rows("select 1 from information_schema.tables where table_name = 'inbox'")).toEqual([]);
  // Mended, they start.
  await rows('drop table idempotency');
  await several.startAll();
});

test('a version starts, and works, on a database that a newer one has migrated', async () => {
  await using service = await startService({ sandbox: SANDBOX });
  await service.stop();
  const { rows } = service.database;
  await rows(
    "insert into kysely_migration (name, timestamp) values ('999-newer', '2030-01-01T00:00:00.000Z')",
  );
  await rows('alter table outbox add column only_newer_knows text');
  await service.start();
  await service.confirmed();
  const { status } = await service.call('PUT', '/v1/contacts', { body: { email: 'older@example.com' } });
  expect(status).toBe(200);
});

test('a database that lacks a migration which this version has between others is refused', async () => {
  await using fresh = await freshDatabase('postgres');
  const database = openDatabase(fresh.url);
  await migrate(database);
  await fresh.rows("update kysely_migration set name = '003-another' where name = '003-idempotency'");
  await expect(migrate(database)).rejects.toThrow('003-another');
  await database.destroy();
});
