import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { recordIds, retitle } from '../support/automations.ts';
import { takeViolations } from '../support/exchanges.ts';
import { ServiceProcess } from '../support/process.ts';
import { pushed, startPushing, webhook } from '../support/pushes.ts';
import { Receiver, SECRET } from '../support/receiver.ts';
import { freePort, until } from '../support/service.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

test.each(['localhost', '127.0.0.1', '[::1]'])(
  'nothing is pushed to %s where it is not allowed, and why is told',
  async (host) => {
    await using receiver = await Receiver.start();
    const url = `http://${host}:${receiver.port}/`;
    await using service = await startPushing([url], {
      settings: { allowedHosts: [], retrySeconds: [1, 60] },
    });
    retitle(service, recordIds(service)[0] ?? '', 'Pilot');
    await until(async () => (await webhook(service)).lastError !== null);
    expect(await webhook(service)).toMatchObject({
      status: 'active',
      pending: 1,
      lastError: 'leads to a loopback address',
    });
    expect(receiver.attempts).toEqual([]);
  },
);

test('the receiver of the README takes what is pushed, and refuses what is not signed', async () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, code = ''] = /```js\n(import \{ createServer \}.*?)```/s.exec(readme) ?? [];
  const port = await freePort();
  const program = `${code.replace('listen(8080)', `listen(${port}, '127.0.0.1')`)}
    const storeOnce = async (id, change) => console.log(JSON.stringify({ id, change }));`;
  const env = { PATH: process.env['PATH'] ?? '', CHANGE_WEBHOOK_SECRET: SECRET };
  const receiver = new ServiceProcess(env, ['--input-type=module', '--eval', program]);
  try {
    await until(() =>
      fetch(`http://127.0.0.1:${port}/`).then(
        () => true,
        () => false,
      ),
    );
    const forged = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}' });
    expect(forged.status).toBe(401);
    await using service = await startPushing([`http://127.0.0.1:${port}/`]);
    const [id] = recordIds(service);
    retitle(service, id ?? '', 'Pilot');
    await until(async () => receiver.output.includes('Pilot'));
    await pushed(service);
    expect(JSON.parse(receiver.output)).toMatchObject({
      id: expect.stringMatching(/^chg_/),
      change: { type: 'record.updated', data: { id, changed: ['job_title'] } },
    });
  } finally {
    await receiver.kill();
  }
});
