import { defineConfig } from 'vitest/config';
import { whyNoPostgres } from './tests/support/engines.ts';
import { redisProgram } from './tests/support/redis-program.ts';

/** What uses the service's database runs once per engine; everything else, and SQLite, in the project `sqlite`. */
const ON_POSTGRES = ['tests/integration/*.test.ts', 'tests/postgres/*.test.ts'];
const NOT_ON_POSTGRES = ['tests/integration/sandbox-*.test.ts'];

const without = await whyNoPostgres();
if (without !== null) {
  process.stderr.write(
    `Left out: integration tests on PostgreSQL, and tests/postgres. TEST_POSTGRES_URL, by default postgres://postgres@127.0.0.1:5432/postgres: ${without}.\n`,
  );
}

const withoutRedis = redisProgram() === null;
if (withoutRedis) {
  process.stderr.write('Left out: tests/redis. There is no redis-server in PATH.\n');
}

const sqlite = {
  extends: true as const,
  test: {
    name: 'sqlite',
    include: ['tests/**/*.test.ts'],
    exclude: ['tests/postgres/**', ...(withoutRedis ? ['tests/redis/**'] : [])],
  },
};
const postgres = {
  extends: true as const,
  test: {
    name: 'postgres',
    include: ON_POSTGRES,
    exclude: NOT_ON_POSTGRES,
    env: { TEST_ENGINE: 'postgres' },
  },
};

export default defineConfig({
  test: {
    projects: without === null ? [sqlite, postgres] : [sqlite],
    pool: 'forks',
    maxWorkers: 2,
    // Shared, slow machines freeze for seconds; no test asserts on time, so a generous limit only catches hangs.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: ['tests/support/engines.ts'],
    reporters: ['default'],
  },
});
