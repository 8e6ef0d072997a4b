import { expect, test } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { redisProgram } from '../support/redis-program.ts';

test.runIf(process.env['CI'])(
  'PostgreSQL can be reached, so that none of the tests on it were left out',
  async () => {
    expect(
      await whyNoPostgres(),
      'Half of the tests need a PostgreSQL at TEST_POSTGRES_URL, by default postgres://postgres@127.0.0.1:5432/postgres.',
    ).toBeNull();
  },
);

test.runIf(process.env['CI'])(
  'there is a redis-server, so that none of the tests on one of their own were left out',
  () => {
    expect(
      redisProgram(),
      'The tests of shared caches start a redis-server: put one in PATH.',
    ).not.toBeNull();
  },
);
