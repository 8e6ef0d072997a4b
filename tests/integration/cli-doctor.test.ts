import { rm } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { SUBSCRIBED_EVENTS } from '../../src/domain/webhook-events.ts';
import { cli, cliJson } from '../support/cli.ts';
import { askPostgres, ENGINE } from '../support/engines.ts';
import { takeViolations } from '../support/exchanges.ts';
import { freePort, prepareService, sign, type TestService, until } from '../support/service.ts';

interface Report {
  readonly ok: boolean;
  readonly checks: readonly { id: string; status: string; message: string; mend: string | null }[];
}

const TOKEN = 'sandbox-token';
const ALL_BUT = (lacking: string) =>
  [
    'object_configuration:read-write',
    'record_permission:read-write',
    'list_configuration:read',
    'list_entry:read-write',
    'note:read-write',
    'task:read-write',
    'comment:read-write',
    'user_management:read',
    'webhook:read-write',
  ].filter((scope) => scope !== lacking);

let service: TestService;
afterEach(async () => {
  await service[Symbol.asyncDispose]();
  expect(takeViolations()).toEqual([]);
});

/** A workspace with a token and nothing else, and the variables for it. */
async function bare(options: Parameters<typeof prepareService>[0] = {}): Promise<void> {
  service = await prepareService({ subscribe: false, ...options });
  service.env['PUBLIC_URL'] = 'https://bridge.example.com';
  if (externalId() !== undefined) changeExternalId({ api_slug: 'another_external_id' });
}

const EXTERNAL_ID = '/objects/deals/attributes/external_id';

/** The attribute by which deals are found again; undefined: there is none. */
function externalId(): { is_unique: boolean; type: string } | undefined {
  const { sandbox } = service.sandbox;
  const all = sandbox.act({ method: 'GET', path: '/objects/deals/attributes' }) as {
    api_slug: string;
    is_unique: boolean;
    type: string;
  }[]; // as Attio's reference has it
  return all.find(({ api_slug: slug }) => slug === 'external_id');
}

function changeExternalId(data: Record<string, unknown>): void {
  service.sandbox.sandbox.act({ method: 'PATCH', path: EXTERNAL_ID, body: { data } });
}

/** All that the commands set up. */
async function setUp(options: Parameters<typeof prepareService>[0] = {}): Promise<void> {
  await bare(options);
  const { body } = await cliJson<{ secret: string }>(service.env, ['webhooks', 'register']);
  service.env['ATTIO_WEBHOOK_SECRET'] = body.secret;
  await cli(service.env, ['doctor', '--fix']);
}

async function doctor(...flags: string[]): Promise<Report & { code: number }> {
  const { code, body } = await cliJson<Report>(service.env, ['doctor', ...flags]);
  return { code, ...body };
}

/** What is not as it should be, one line each. */
function faults({ checks }: Report): string[] {
  return checks
    .filter(({ status }) => status !== 'ok')
    .map(({ id, status, message }) => `${status} ${id}: ${message}`);
}

/** Its one failure. */
function failure(report: Report & { code: number }) {
  expect(report.code).toBe(1);
  expect(report.ok).toBe(false);
  const failed = report.checks.filter(({ status }) => status === 'failed');
  expect(failed.map(({ message }) => message)).toHaveLength(1);
  expect(failed[0]?.mend).toMatch(/\S/);
  return { id: failed[0]?.id, message: failed[0]?.message ?? '', mend: failed[0]?.mend ?? '' };
}

describe('doctor', () => {
  it('finds nothing in a good set-up, looks at everything, and changes nothing', async () => {
    await setUp();
    service.sandbox.sandbox.clearRequests();
    const report = await doctor();
    expect(faults(report)).toEqual([]);
    expect(report.code).toBe(0);
    expect(report.checks.map(({ id }) => id)).toEqual([
      'variables',
      'database',
      'attio-token',
      'attio-scopes',
      'workspace',
      'clock',
      'objects',
      'deals-external-id',
      'webhook',
      'webhook-events',
      'webhook-secret',
    ]);
    const { requests } = service.sandbox.sandbox.requests();
    expect(requests.map(({ method }) => method)).toEqual(requests.map(() => 'GET'));
  });

  it('says it in words, with the mend under each', async () => {
    await setUp();
    service.sandbox.sandbox.setToken(TOKEN, false);
    const { code, stdout, stderr } = await cli(service.env, ['doctor']);
    expect(code).toBe(1);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^✗ Attio refuses the token: it has been revoked.*\n {4}Make a token in Attio/m);
    expect(stdout).toMatch(/^✓ the database is up to date/m);
    expect(stdout.trimEnd()).toMatch(/1 to mend \(✗\)\.$/);
    expect(stdout).not.toContain(TOKEN);
  });

  it('makes no database by looking, and makes it with --fix', async () => {
    await bare();
    const before = await doctor();
    expect(faults(before).join()).toContain('warning database: ');
    const { body } = await cliJson<{ running: boolean; database: string }>(service.env, ['status']);
    expect(body).toMatchObject({ running: false });
    await expect(service.database.rows('select * from workspace')).rejects.toThrow();
    expect(faults(await doctor('--fix')).join()).not.toContain('database:');
    expect(await service.database.rows('select * from workspace')).toEqual([]);
  });

  it('names a revoked token', async () => {
    await setUp();
    service.sandbox.sandbox.setToken(TOKEN, false);
    const { message, mend } = failure(await doctor());
    expect(message).toContain('revoked');
    expect(mend).toContain('ATTIO_API_KEY');
  });

  it.each([
    ['object_configuration:read-write', 'object_configuration:read', 'nothing works'],
    [
      'record_permission:read-write',
      'record_permission:read-write',
      'records can neither be read nor written',
    ],
    ['task:read-write', 'task:read-write', 'tasks cannot'],
  ])('names a scope that the token lacks (%s)', async (without, named, consequence) => {
    await setUp();
    service.sandbox.sandbox.setToken(TOKEN, true, ALL_BUT(without));
    const { message, mend } = failure(await doctor());
    expect(message).toContain(`lacks the scope ${named}: ${consequence}`);
    expect(mend).toContain(named);
  });

  it('warns only where the scope of the webhooks commands is lacking, and read-write includes read', async () => {
    await setUp();
    service.sandbox.sandbox.setToken(TOKEN, true, ALL_BUT('webhook:read-write'));
    const report = await doctor();
    expect(report.code).toBe(0);
    expect(faults(report)).toEqual([
      expect.stringContaining('warning attio-scopes: the token lacks the scope webhook'),
    ]);
    const refused = await cli(service.env, ['webhooks', 'list']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('webhook:read');
  });

  it('names an Attio that cannot be reached, and why', async () => {
    await setUp();
    service.env['ATTIO_BASE_URL'] = `http://127.0.0.1:${await freePort()}/v2`;
    const { message, mend } = failure(await doctor());
    expect(message).toBe('Attio cannot be reached: nothing listens there (ECONNREFUSED)');
    expect(mend).toContain('ATTIO_BASE_URL');
    service.env['ATTIO_BASE_URL'] = service.sandbox.url;
    expect(failure(await doctor()).message).toContain('is not the API of Attio');
  });

  it('lists every bad variable, and goes on with what can be checked', async () => {
    await setUp();
    Object.assign(service.env, { PORT: 'many', SYNC_OBJECTS: 'people,no such', ATTIO_WEBHOOK_SECRET: '' });
    const report = await doctor();
    expect(report.code).toBe(1);
    const bad = report.checks.filter(({ id }) => id === 'variables');
    expect(bad.map(({ message }) => message.split(' ')[0])).toEqual([
      'PORT',
      'SYNC_OBJECTS',
      'ATTIO_WEBHOOK_SECRET',
    ]);
    expect(bad.every(({ mend }) => mend !== null)).toBe(true);
    expect(report.checks).toContainEqual(expect.objectContaining({ id: 'attio-token', status: 'ok' }));
    expect(report.checks).toContainEqual(expect.objectContaining({ id: 'database', status: 'ok' }));
    service.env['ATTIO_API_KEY'] = '';
    const without = await doctor();
    expect(without.checks).toContainEqual(expect.objectContaining({ id: 'database', status: 'ok' }));
    expect(without.checks.map(({ id }) => id)).not.toContain('attio-token');
  });

  it('names the workspace that the database does not mirror', async () => {
    await setUp();
    const other = '00000000-0000-4000-8000-00000000000f';
    await run(
      `insert into workspace (id, workspace_id, learnt_at) values (1, '${other}', '2026-01-01T00:00:00.000Z')`,
    );
    const { id, message } = failure(await doctor());
    expect(id).toBe('workspace');
    expect(message).toContain(other);
    expect(message).toContain(service.sandbox.sandbox.world.workspace.id);
  });

  it('warns of a clock that is off, and fails one that is far off', async () => {
    let aheadMs = 20_000;
    await setUp({ sandbox: { now: () => Date.now() + aheadMs } });
    expect(faults(await doctor())).toEqual([
      expect.stringMatching(/^warning clock: the clock is (19|20)\.\d s behind/),
    ]);
    aheadMs = 3_600_000;
    expect(failure(await doctor()).message).toMatch(/^the clock is 3[56]\d\d\.\d s behind Attio's/);
  });

  it('names objects and lists that the workspace does not have', async () => {
    await setUp();
    Object.assign(service.env, { SYNC_OBJECTS: 'people,deals,boats', SYNC_LISTS: 'recruiting,regatta' });
    const report = await doctor();
    expect(report.code).toBe(1);
    expect(faults(report)).toEqual([
      expect.stringContaining('failed objects: the workspace has no object boats; it has '),
      expect.stringContaining('failed lists: the workspace has no list regatta; it has '),
    ]);
  });

  it('names the attribute that deals lack, and --fix makes it', async () => {
    await setUp();
    expect(externalId()).toMatchObject({ is_unique: true, type: 'text' });
    changeExternalId({ api_slug: 'renamed' });
    const { id, mend } = failure(await doctor());
    expect(id).toBe('deals-external-id');
    expect(mend).toContain('doctor --fix');
    expect(faults(await doctor('--fix'))).toEqual([]);
    expect(faults(await doctor())).toEqual([]);
    changeExternalId({ is_unique: false });
    expect(failure(await doctor('--fix')).message).toContain('is not unique');
  });
});

describe("doctor's look at the webhook", () => {
  it('names a webhook that is not there', async () => {
    await setUp();
    const { world } = service.sandbox.sandbox;
    expect(world.workspace.id).toMatch(/-/);
    const { body } = await cliJson<{ webhooks: { id: string }[] }>(service.env, ['webhooks', 'list']);
    await cli(service.env, ['webhooks', 'delete', body.webhooks[0]?.id ?? '']);
    expect(failure(await doctor()).mend).toContain('webhooks register');
    service.env['PUBLIC_URL'] = '';
    expect(faults(await doctor())[0]).toContain('warning webhook: PUBLIC_URL is not set');
  });

  it('names an event that it is not subscribed to, and --fix adds it', async () => {
    await setUp();
    const { body } = await cliJson<{ webhooks: { id: string }[] }>(service.env, ['webhooks', 'list']);
    const path = `/webhooks/${body.webhooks[0]?.id}`;
    const subscriptions = SUBSCRIBED_EVENTS.filter(
      (type) => !['record.merged', 'task.deleted'].includes(type),
    ).map((event_type) => ({ event_type, filter: null }));
    service.sandbox.sandbox.act({ method: 'PATCH', path, body: { data: { subscriptions } } });
    const { message, mend } = failure(await doctor());
    expect(message).toContain('not subscribed to record.merged and task.deleted');
    expect(mend).toContain('--fix');
    expect(faults(await doctor('--fix'))).toEqual([]);
    expect(faults(await doctor())).toEqual([]);
  });

  it('names a secret that is not the one that was told at registration', async () => {
    await setUp();
    service.env['ATTIO_WEBHOOK_SECRET'] = 'a-slip-of-the-pen';
    const { id, message, mend } = failure(await doctor());
    expect(id).toBe('webhook-secret');
    expect(message).toContain('does not hold the secret that Attio told');
    expect(mend).toContain('webhooks rotate');
  });

  it('names a secret that is wrong by the deliveries that were refused, until one is accepted', async () => {
    await bare();
    await cli(service.env, ['doctor', '--fix']);
    // Made by hand: nobody has noted its secret.
    const subscriptions = SUBSCRIBED_EVENTS.map((event_type) => ({ event_type, filter: null }));
    service.sandbox.sandbox.act({
      method: 'POST',
      path: '/webhooks',
      body: { data: { target_url: 'https://bridge.example.com/webhooks', subscriptions } },
    });
    expect(faults(await doctor())).toEqual([
      expect.stringContaining('warning webhook-secret: it is not known yet'),
    ]);
    await service.start();
    const event = service.event('task.created', 'people', '00000000-0000-4000-8000-000000000002');
    expect((await service.deliver('{}', { headers: { 'attio-signature': '' } })).status).toBe(401);
    expect((await service.deliver(event, { secret: 'another one' })).status).toBe(401);
    await until(async () => (await service.database.rows('select * from webhook_signature')).length > 0);
    const { message, mend } = failure(await doctor());
    expect(message).toContain('deliveries come signed with another secret');
    expect(mend).toContain('webhooks rotate');
    expect((await service.deliver(event)).status).toBe(202);
    await service.stop();
    expect(faults(await doctor())).toEqual([]);
    expect(sign('', service.secret)).toHaveLength(64);
  });
});

describe("doctor's look at the database", () => {
  it.runIf(ENGINE === 'postgres')(
    'names one that is read-only, of a server that is away, and a wrong name',
    async () => {
      await setUp();
      const { pathname } = new URL(service.database.url);
      await askPostgres(
        service.database.url,
        `alter database ${pathname.slice(1)} set default_transaction_read_only = on`,
      );
      const readOnly = failure(await doctor());
      expect(readOnly.message).toContain('it is read-only');
      expect(readOnly.mend).toContain('default_transaction_read_only');
      service.env['DATABASE_URL'] = `postgres://postgres@127.0.0.1:${await freePort()}/postgres`;
      expect(failure(await doctor()).message).toContain('its server cannot be reached');
      service.env['DATABASE_URL'] = service.database.url.replace(pathname, '/no_such_database');
      expect(failure(await doctor()).message).toContain('the server has no such database');
    },
  );

  it.runIf(ENGINE === 'sqlite')(
    'names a full disk, a folder in its place, and a file that is no database',
    async () => {
      await setUp();
      service.env['DATABASE_URL'] = 'sqlite:/dev/full';
      const full = failure(await doctor());
      // Whoever may not make files in /dev is told of that first.
      await rm('/dev/full-journal', { force: true });
      expect(full.message).toMatch(/its disk is full|this user may not/);
      expect(full.mend).toMatch(/Make room|Give the user/);
      service.env['DATABASE_URL'] = 'sqlite:/';
      expect(failure(await doctor()).message).toMatch(/may not open|is no database/);
      service.env['DATABASE_URL'] = `sqlite:${import.meta.filename}`;
      expect(failure(await doctor()).message).toContain('what DATABASE_URL names is no database');
      service.env['DATABASE_URL'] = `sqlite:${import.meta.filename}/below/a.db`;
      expect(failure(await doctor()).message).toContain('what DATABASE_URL names is no database');
    },
  );
});

async function run(statement: string): Promise<void> {
  await service.database.rows(statement);
}
