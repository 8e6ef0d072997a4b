import { expect, test } from 'vitest';
import { POSTGRES_URL } from '../support/engines.ts';
import { ServiceProcess } from '../support/process.ts';
import { freePort } from '../support/service.ts';

async function startOn(databaseUrl: string): Promise<{ code: number | null; output: string }> {
  const child = new ServiceProcess({
    ATTIO_API_KEY: 'k',
    PORT: '0',
    LOG_LEVEL: 'fatal',
    DATABASE_URL: databaseUrl,
  });
  const { code } = await child.exited;
  return { code, output: child.output };
}

test.each<[string, () => Promise<Partial<URL>>, RegExp]>([
  ['nobody listens', async () => ({ port: String(await freePort()) }), /ECONNREFUSED/],
  ['is no such database', async () => ({ pathname: '/no_such_database' }), /no_such_database/],
  ['is no such host', async () => ({ hostname: 'no-such-host.invalid' }), /no-such-host/],
  ['is no such certificate', async () => ({ search: 'sslrootcert=/no/such/file' }), /no such file/],
])(
  'a start where there %s ends with 1 and one line that names DATABASE_URL and no password',
  async (_, change, reason) => {
    const url = new URL(POSTGRES_URL);
    const { code, output } = await startOn(Object.assign(url, { password: 'hunter2' }, await change()).href);
    expect(code).toBe(1);
    expect(output).toMatch(/^The service cannot start\. DATABASE_URL [^\n]+\n$/);
    expect(output).toMatch(reason);
    expect(output).not.toContain('hunter2');
  },
);
