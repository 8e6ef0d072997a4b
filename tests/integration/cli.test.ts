import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { cli, cliJson } from '../support/cli.ts';
import { ENGINE } from '../support/engines.ts';
import { takeViolations } from '../support/exchanges.ts';
import { prepareService, type TestService, until } from '../support/service.ts';

let service: TestService;
afterEach(async () => {
  await service[Symbol.asyncDispose]();
  expect(takeViolations()).toEqual([]);
});

async function prepare(): Promise<void> {
  service = await prepareService();
  service.env['SYNC_LISTS'] = 'none';
}

describe('migrate', () => {
  it('makes the database, says what was done, and does nothing the second time', async () => {
    await prepare();
    const first = await cliJson<{ done: string[] }>(service.env, ['migrate']);
    expect(first.body.done).toContain('001-initial');
    expect(first.code).toBe(0);
    const second = await cli(service.env, ['migrate']);
    expect(second).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('nothing was to be done'),
    });
    service.env['DATABASE_URL'] = 'mysql://nothing';
    const bad = await cli(service.env, ['migrate']);
    expect(bad).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('DATABASE_URL is not an address'),
    });
  });
});

describe('status', () => {
  it.runIf(ENGINE === 'sqlite')('says that the service runs and has no database', async () => {
    await prepare();
    await service.start();
    const holder = new DatabaseSync(service.database.url.replace('sqlite:', ''));
    holder.exec('begin immediate');
    const { code, stdout, stderr } = await cli(service.env, ['status']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/^The service runs at .*: down\.$/m);
    expect(stdout).toMatch(/^Database: cannot store; see npm run cli -- doctor\.$/m);
    expect(stdout).not.toContain('wait');
    const { body } = await cliJson(service.env, ['status']);
    expect(body).toMatchObject({ running: true, health: { status: 'down' }, openConflicts: null });
    holder.close();
    await until(async () => (await cli(service.env, ['status'])).code === 0);
  });

  it('says how the service is, and what the database knows when it is down', async () => {
    await prepare();
    await service.start();
    await service.sync('companies');
    const up = await cli(service.env, ['status']);
    expect(up).toMatchObject({ code: 0, stderr: '' });
    expect(up.stdout).toMatch(
      /^The service runs at http:\/\/127\.0\.0\.1:\d+ \(version [\d.]+, for \d+ s\): ok\.$/m,
    );
    expect(up.stdout).toContain('Attio: answers');
    expect(up.stdout).toMatch(/^ {2}companies: succeeded, 5 seen, /m);
    const body = (await cliJson<{ running: boolean; runs: unknown[] }>(service.env, ['status'])).body;
    expect(body).toMatchObject({ running: true, openConflicts: 0 });

    await service.stop();
    const down = await cli(service.env, ['status']);
    expect(down.code).toBe(1);
    expect(down.stdout).toMatch(/^The service does not run at http/m);
    expect(down.stdout).toContain('Database: can store.');
    expect(down.stdout).toMatch(/^ {2}companies: succeeded, 5 seen, /m);
    expect((await cliJson<{ running: boolean }>(service.env, ['status'])).body.running).toBe(false);
  });

  it('says that its keys are not those of the service that runs', async () => {
    await prepare();
    await service.start();
    const outcome = await cli({ ...service.env, SERVICE_API_KEYS: 'not-a-key' }, ['conflicts', 'list']);
    expect(outcome).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('does not know our key'),
    });
  });
});

describe('dead-letters', () => {
  it('lists what was given up, and takes it back to work', async () => {
    await prepare();
    await service.start();
    expect((await service.deliver('not JSON')).body).toMatchObject({ quarantined: 1 });
    expect((await service.deliver('nor this')).body).toMatchObject({ quarantined: 1 });
    const { body } = await cliJson<{ deadLetters: { id: string; kind: string }[] }>(service.env, [
      'dead-letters',
      'list',
    ]);
    expect(body.deadLetters).toHaveLength(2);
    const [first] = body.deadLetters;
    const words = await cli(service.env, ['dead-letters', 'list', '--kind', 'inbox']);
    expect(words.stdout).toMatch(new RegExp(`^${first?.id}  inbox  +unreadable_body  `, 'm'));
    expect((await cli(service.env, ['dead-letters', 'list', '--kind', 'outbox'])).stdout).toBe(
      'There are none.\n',
    );
    const wrongKind = await cli(service.env, ['dead-letters', 'list', '--kind', 'mailbox']);
    expect(wrongKind).toMatchObject({ code: 1, stdout: '' });

    // It still cannot be read.
    const replayed = await cli(service.env, ['dead-letters', 'replay', first?.id ?? '']);
    expect(replayed).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('still cannot be taken'),
    });
    await service.stop();
    const all = await cliJson<unknown>(service.env, ['dead-letters', 'replay', '--all']);
    expect(all).toMatchObject({ code: 1, body: { replayed: 0, refused: 2 } });
    const unknown = await cli(service.env, ['dead-letters', 'replay', '999']);
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('no dead letter') });
    for (const argv of [[], ['1', '--all'], ['one']]) {
      expect((await cli(service.env, ['dead-letters', 'replay', ...argv])).code).toBe(1);
    }
  });
});

describe('conflicts', () => {
  it('are none in a new database, and are asked for by a status that there is', async () => {
    await prepare();
    expect(await cli(service.env, ['conflicts', 'list'])).toMatchObject({
      code: 0,
      stdout: 'There are none.\n',
    });
    expect((await cliJson<unknown>(service.env, ['conflicts', 'list', '--status', 'open'])).body).toEqual({
      conflicts: [],
      nextCursor: null,
    });
    expect((await cli(service.env, ['conflicts', 'list', '--status', 'odd'])).code).toBe(1);
  });
});

describe('the commands', () => {
  it('explain themselves', async () => {
    await prepare();
    const help = await cli({}, ['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const name of [
      'doctor',
      'webhooks rotate',
      'sync <object|lists/list|notes|tasks|all>',
      'dead-letters replay',
      'migrate',
    ]) {
      expect(help.stdout).toContain(name);
    }
    expect((await cli({}, [])).code).toBe(1);
    const one = await cli({}, ['webhooks', 'register', '--help']);
    expect(one.stdout).toContain('--env-file <file>');
    expect((await cli({}, ['webhooks', '--help'])).stdout).not.toContain('doctor');
    const near = await cli({}, ['docter']);
    expect(near).toMatchObject({ code: 1, stdout: '' });
    expect(near.stderr).toContain('Did you mean "doctor"?');
  });

  it('list every problem of the configuration, without a stack', async () => {
    await prepare();
    const outcome = await cli({ ...service.env, PORT: 'x', LOG_LEVEL: 'loud' }, ['sync', 'all']);
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toMatch(/PORT .*\n.*LOG_LEVEL /);
    expect(outcome.stderr).not.toContain('    at ');
  });

  it('are a process with an exit code', async () => {
    await prepare();
    const { code, stdout } = await asProcess(['doctor', '--json']);
    const report = JSON.parse(stdout) as { ok: boolean; checks: { id: string }[] };
    expect(code).toBe(report.ok ? 0 : 1);
    expect(report.checks.map(({ id }) => id)).toContain('attio-token');
  });

  it('are given --env-file themselves: the runtime has an option of that name', async () => {
    await prepare();
    const path = join(tmpdir(), `attio-bridge-${process.pid}.env`);
    await rm(path, { force: true });
    service.env['PUBLIC_URL'] = 'https://another.example.com';
    const { code, stderr } = await asProcess(['webhooks', 'register', '--env-file', path]);
    const text = await readFile(path, 'utf8');
    await rm(path, { force: true });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(text).toMatch(/^ATTIO_WEBHOOK_SECRET=\S{16,}\n$/);
  });

  it('end quietly when nobody reads on', async () => {
    await prepare();
    const { child, ended } = startProcess(['--help']);
    child.stdout.destroy();
    expect(await ended).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

/** As `npm run cli` runs them. */
function asProcess(argv: readonly string[]) {
  return startProcess(argv).ended;
}

function startProcess(argv: readonly string[]) {
  const [program, ...first] = manifest.scripts.cli.split(' ');
  expect(program).toBe('node');
  const cwd = fileURLToPath(new URL('../../', import.meta.url));
  const child = spawn(process.execPath, [...first, ...argv], { env: { ...service.env }, cwd });
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text;
    });
  }
  const ended = new Promise((resolve) => child.once('close', resolve)).then((code) => ({ code, ...printed }));
  return { child, ended };
}
