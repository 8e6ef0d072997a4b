import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SUBSCRIBED_EVENTS } from '../../src/domain/webhook-events.ts';
import { cli, cliJson } from '../support/cli.ts';
import { takeViolations } from '../support/exchanges.ts';
import { prepareService, type TestService } from '../support/service.ts';

interface Made {
  readonly outcome: string;
  readonly webhook: { id: string; target: string; status: string; events: string[] };
  readonly secret?: string;
  readonly added?: string[];
  readonly previous?: { id: string }[];
}

let service: TestService;
let folder: string;
let envFile: string;

beforeEach(async () => {
  service = await prepareService({ subscribe: false });
  folder = await mkdtemp(join(tmpdir(), 'attio-bridge-cli-'));
  envFile = join(folder, '.env');
  await writeFile(envFile, 'NODE_ENV=production\n# The secret:\n#ATTIO_WEBHOOK_SECRET=\nPORT=3000\n', {
    mode: 0o644,
  });
  // As before the first registration: required, and nowhere to be had.
  Object.assign(service.env, { PUBLIC_URL: 'https://bridge.example.com/', ATTIO_WEBHOOK_SECRET: '' });
});

afterEach(async () => {
  await service[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
  expect(takeViolations()).toEqual([]);
});

async function secretInFile(): Promise<string> {
  return parse(await readFile(envFile, 'utf8'))['ATTIO_WEBHOOK_SECRET'] ?? '';
}

/** The service, with what is in the file by now. */
async function restart(): Promise<void> {
  await service.stop();
  service.env['ATTIO_WEBHOOK_SECRET'] = await secretInFile();
  await service.start();
}

/** A person changes something in Attio. @returns how its deliveries were answered */
async function edit(): Promise<(number | null)[]> {
  const { sandbox } = service.sandbox;
  const before = sandbox.deliveries().length;
  sandbox.createRecord({ object: 'companies', values: { name: `Example ${before}` } });
  await sandbox.settled();
  return sandbox
    .deliveries()
    .slice(before)
    .map(({ lastStatus }) => lastStatus);
}

describe('webhooks register', () => {
  it('subscribes to exactly what is handled, and puts the secret where it is told to', async () => {
    const { code, body, stdout } = await cliJson<Made>(service.env, [
      'webhooks',
      'register',
      '--env-file',
      envFile,
    ]);
    expect(code).toBe(0);
    expect(body.webhook).toMatchObject({ target: 'https://bridge.example.com/webhooks', status: 'active' });
    expect(body.webhook.events.toSorted()).toEqual([...SUBSCRIBED_EVENTS].toSorted());
    expect(SUBSCRIBED_EVENTS).toHaveLength(27);

    const secret = await secretInFile();
    expect(secret).toMatch(/^\S{16,}$/);
    expect(stdout).not.toContain(secret);
    expect(await readFile(envFile, 'utf8')).toBe(
      `NODE_ENV=production\n# The secret:\n#ATTIO_WEBHOOK_SECRET=\nATTIO_WEBHOOK_SECRET=${secret}\nPORT=3000\n`,
    );
    expect((await stat(envFile)).mode & 0o777).toBe(0o600);

    await restart();
    expect(await edit()).toEqual([202]);
    const hashes = await service.database.rows('select * from webhook_secret');
    expect(JSON.stringify(hashes)).not.toContain(secret);
    expect(hashes).toHaveLength(1);
  });

  it('prints the secret once where it is not told a file, and --url names another address', async () => {
    const { code, stdout } = await cli(service.env, [
      'webhooks',
      'register',
      '--url',
      'https://other.example.com',
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain('https://other.example.com/webhooks');
    expect(stdout.match(/ATTIO_WEBHOOK_SECRET=\S{16,}/g)).toHaveLength(1);
    const again = await cli(service.env, ['webhooks', 'register', '--url', 'http://other.example.com']);
    expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('no https address') });
  });

  it('makes no second webhook, and adds what the first one lacks', async () => {
    const first = await cliJson<Made>(service.env, ['webhooks', 'register']);
    const again = await cliJson<Made>(service.env, ['webhooks', 'register']);
    expect(again.body).toMatchObject({ outcome: 'there-already', webhook: first.body.webhook, added: [] });
    expect(again.body.secret).toBeUndefined();
    const some = SUBSCRIBED_EVENTS.slice(2).map((event_type) => ({ event_type, filter: null }));
    service.sandbox.sandbox.act({
      method: 'PATCH',
      path: `/webhooks/${first.body.webhook.id}`,
      body: { data: { subscriptions: some } },
    });
    const third = await cliJson<Made>(service.env, ['webhooks', 'register']);
    expect(third.body).toMatchObject({ outcome: 'there-already', added: SUBSCRIBED_EVENTS.slice(0, 2) });
    const listed = await cliJson<{ webhooks: { events: string[]; ours: boolean }[] }>(service.env, [
      'webhooks',
      'list',
    ]);
    expect(listed.body.webhooks).toHaveLength(1);
    expect(listed.body.webhooks[0]).toMatchObject({ ours: true });
    expect(listed.body.webhooks[0]?.events).toHaveLength(27);
  });

  it('loses no secret when the file cannot be written, nor when there is no database', async () => {
    const path = join(envFile, 'below');
    service.env['DATABASE_URL'] = `sqlite:${path}.db`;
    const { code, body, stderr } = await cliJson<Made>(service.env, [
      'webhooks',
      'register',
      '--env-file',
      path,
    ]);
    expect(code).toBe(0);
    expect(body.secret).toMatch(/^\S{16,}$/);
    expect(stderr).toContain('Doctor will not know this secret');
    expect(stderr).toMatch(/cannot be (read|written)/);
    expect(stderr).not.toContain(body.secret);
  });

  it('says what to set when it does not know where to deliver, and what Attio refuses', async () => {
    service.env['PUBLIC_URL'] = '';
    const unknown = await cli(service.env, ['webhooks', 'register']);
    expect(unknown).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('PUBLIC_URL') });
    service.env['PUBLIC_URL'] = 'https://bridge.example.com';
    service.sandbox.sandbox.setToken('sandbox-token', false);
    const refused = await cli(service.env, ['webhooks', 'register']);
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('revoked') });
    expect(refused.stderr).not.toContain('    at ');
  });
});

describe('webhooks rotate', () => {
  it('gets a new secret without losing a delivery', async () => {
    const first = await cliJson<Made>(service.env, ['webhooks', 'register', '--env-file', envFile]);
    const old = await secretInFile();
    await restart();

    const { code, body, stdout } = await cliJson<Made>(service.env, [
      'webhooks',
      'rotate',
      '--env-file',
      envFile,
    ]);
    expect(code).toBe(0);
    expect(body.webhook.target).toMatch(/^https:\/\/bridge\.example\.com\/webhooks\?rotation=\w+$/);
    expect(body.previous?.map(({ id }) => id)).toEqual([first.body.webhook.id]);
    const [secret = '', ...others] = (await secretInFile()).split(',');
    expect(others).toEqual([old]);
    expect(secret).not.toBe(old);
    expect(stdout).not.toContain(secret);

    await restart();
    expect(await edit()).toEqual([202, 202]);
    const deleted = await cli(service.env, ['webhooks', 'delete', first.body.webhook.id]);
    expect(deleted).toMatchObject({ code: 0, stderr: '' });
    expect(await edit()).toEqual([202]);
    expect(await service.database.rows('select * from webhook_secret')).toHaveLength(1);

    const again = await cli(service.env, ['webhooks', 'delete', first.body.webhook.id]);
    expect(again).toMatchObject({ code: 1, stderr: 'Attio has no webhook with this id.\n' });
  });

  it('says in words what is to be done next', async () => {
    const none = await cli(service.env, ['webhooks', 'rotate']);
    expect(none).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('register one first'),
    });
    const first = await cliJson<Made>(service.env, ['webhooks', 'register']);
    const { stdout } = await cli(service.env, ['webhooks', 'rotate']);
    expect(stdout).toContain('Put it before what ATTIO_WEBHOOK_SECRET holds now');
    expect(stdout).toContain('start the service again, and then:');
    expect(stdout).toContain(`npm run cli -- webhooks delete ${first.body.webhook.id}`);
  });

  it('is reachable at an address with a query string', async () => {
    const { body } = await cliJson<Made>(service.env, ['webhooks', 'register', '--env-file', envFile]);
    expect(body.outcome).toBe('created');
    await restart();
    const response = await fetch(`${service.url}/webhooks?rotation=1a2b3c4d`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(415);
  });
});
