import { expect, test } from 'vitest';
import { findPostgres } from '../support/engines.ts';

test.runIf(process.env['CI'])(
  'PostgreSQL can be reached, so that none of the tests on it were left out',
  async () => {
    expect(
      await findPostgres(),
      'There is no PostgreSQL at TEST_POSTGRES_URL, or by default postgres://postgres@127.0.0.1:5432/postgres. Start one: half of the tests need it.',
    ).toBe(true);
  },
);
