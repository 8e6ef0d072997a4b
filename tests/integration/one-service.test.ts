import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { ENGINE } from '../support/engines.ts';
import { ServiceProcess } from '../support/process.ts';
import { freePort, prepareService } from '../support/service.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

test.skipIf(ENGINE === 'postgres')(
  'a second service on a SQLite file is refused; commands are not, nor the next one after a kill -9',
  async () => {
    await using service = await prepareService({ sandbox: { people: 2, companies: 0, deals: 0 } });
    const begin = async () => {
      const env = { ...service.env, PORT: String(await freePort()) };
      const child = new ServiceProcess(env);
      onTestFinished(() => child.kill());
      return { child, url: `http://127.0.0.1:${env.PORT}`, env };
    };
    const first = await begin();
    await first.child.ready(first.url);
    const { child: second } = await begin();
    expect((await second.exited).code).toBe(1);
    expect(second.output).toBe(
      'The service cannot start. DATABASE_URL names a file that another running service uses. Several need PostgreSQL.\n',
    );
    const status = new ServiceProcess(first.env, [CLI, 'status']);
    expect(await status.exited).toEqual({ code: 0, signal: null });
    const doctor = new ServiceProcess(first.env, [CLI, 'doctor']);
    await doctor.exited;
    expect(doctor.output).not.toContain('another running service');
    expect((await fetch(`${first.url}/health/ready`)).status).toBe(200);
    await first.child.kill();
    const next = await begin();
    await next.child.ready(next.url);
  },
  180_000,
);
