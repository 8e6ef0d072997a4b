import { afterEach, describe, expect, it } from 'vitest';
import { retitle } from '../support/automations.ts';
import { cli } from '../support/cli.ts';
import { takeViolations } from '../support/exchanges.ts';
import { failure, faults, Operated } from '../support/operated.ts';
import { pushEnv, webhook } from '../support/pushes.ts';
import { Receiver, SECRET } from '../support/receiver.ts';
import { API_KEY, until } from '../support/service.ts';

let set: Operated;
afterEach(async () => {
  await set[Symbol.asyncDispose]();
  expect(takeViolations()).toEqual([]);
});

async function ready(...urls: string[]): Promise<void> {
  set = await Operated.ready();
  Object.assign(set.env, pushEnv(...urls));
}

describe('doctor', () => {
  it('says of each address whether it can be pushed to, and connects to none', async () => {
    await using receiver = await Receiver.start();
    await ready(receiver.url);
    const report = await set.doctor();
    expect(faults(report)).toEqual([]);
    expect(report.checks.filter(({ id }) => id === 'change-webhooks')).toMatchObject([
      { status: 'ok', message: `the change webhook 127.0.0.1:${receiver.port} (number 1) can be pushed to` },
    ]);
    expect(receiver.attempts).toEqual([]);
  });

  it('names an address that leads to nobody', async () => {
    await ready('https://nobody.invalid/hook?token=hidden');
    const found = failure(await set.doctor());
    expect(found.message).toMatch(
      /^the change webhook nobody\.invalid \(number 1\) cannot be looked up \(E[A-Z_]+\)$/,
    );
    expect(found.mend).toContain('CHANGE_WEBHOOK_URLS');
  });

  it('names an address that is disabled, and what enables it', async () => {
    await using receiver = await Receiver.start();
    await ready(receiver.url);
    set.env['SERVICE_API_KEYS'] = API_KEY;
    await set.service.start();
    await set.service.sync('people');
    receiver.reply = () => ({ status: 410 });
    const [person] = set.sandbox.world.object('people').table.inOrder();
    retitle(set.service, person?.id ?? '', 'Pilot');
    await set.service.sync('people');
    await until(async () => (await webhook(set.service)).status === 'disabled');
    const found = failure(await set.doctor());
    const { id } = await webhook(set.service);
    expect(found.message).toBe(
      `the change webhook 127.0.0.1:${receiver.port} (number 1) is disabled: it answered 410 Gone`,
    );
    expect(found.mend).toContain(`npm run cli -- change-webhooks enable ${id}`);
    await set.service.stop();
    // Without the service the command does it, and the next start pushes.
    const enabled = await cli(set.env, ['change-webhooks', 'enable', id]);
    expect(enabled).toMatchObject({ code: 0, stdout: expect.stringContaining('once the service runs') });
    expect(faults(await set.doctor())).toEqual([]);
    receiver.reply = () => ({});
    await set.service.start();
    await until(async () => receiver.accepted.size === 1);
  });

  it('says what is wrong with the variables, and looks at the rest', async () => {
    await ready('http://10.0.0.1/');
    const report = await set.doctor();
    expect(faults(report)).toEqual([
      'failed variables: CHANGE_WEBHOOK_URLS has an address that is of a private network (number 1)',
    ]);
    set.env['CHANGE_WEBHOOK_URLS'] = 'https://hooks.example.com/';
    set.env['CHANGE_WEBHOOK_SECRET'] = `${SECRET}x`;
    const second = await set.doctor();
    expect(faults(second)).toEqual([expect.stringContaining('failed variables: CHANGE_WEBHOOK_SECRET')]);
    expect(second.checks.map(({ id }) => id)).toContain('webhook-secret');
  });
});

describe('change-webhooks', () => {
  it('says that there are none, and refuses what is no id', async () => {
    set = await Operated.ready();
    expect(await cli(set.env, ['change-webhooks', 'list'])).toMatchObject({
      code: 0,
      stdout: 'There are none: CHANGE_WEBHOOK_URLS is not set.\n',
    });
    expect(await cli(set.env, ['change-webhooks', 'enable', 'a/b'])).toMatchObject({ code: 1, stdout: '' });
    const unknown = await cli(set.env, ['change-webhooks', 'enable', 'nobody']);
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('change webhook') });
  });

  it('lists an address before the service has ever run with it', async () => {
    await ready('https://hooks.example.com/in?token=hidden');
    const { stdout } = await cli(set.env, ['change-webhooks', 'list']);
    expect(stdout).toMatch(/^[\da-f]{16} {2}number 1 {2}hooks\.example\.com {2}active/);
    expect(stdout).not.toContain('hidden');
  });
});
