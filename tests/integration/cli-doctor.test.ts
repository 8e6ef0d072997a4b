import { rm } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { on } from '../../src/services/automations/automation.ts';
import { cli, cliJson } from '../support/cli.ts';
import { askPostgres, ENGINE } from '../support/engines.ts';
import { takeViolations } from '../support/exchanges.ts';
import { failure, faults, Operated, type Report } from '../support/operated.ts';
import { PrivateRedis } from '../support/private-redis.ts';
import { redisProgram } from '../support/redis-program.ts';
import { freePort } from '../support/service.ts';

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

let set: Operated;
afterEach(async () => {
  await set[Symbol.asyncDispose]();
  expect(takeViolations()).toEqual([]);
});

describe('doctor', () => {
  it('finds nothing in a good set-up, looks at everything, and changes nothing', async () => {
    set = await Operated.ready();
    set.sandbox.clearRequests();
    const report = await set.doctor();
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
    const { requests } = set.sandbox.requests();
    expect(requests.map(({ method }) => method)).toEqual(requests.map(() => 'GET'));
  });

  it('says it in words, with the mend under each', async () => {
    set = await Operated.ready();
    set.sandbox.setToken(TOKEN, false);
    const { code, stdout, stderr } = await cli(set.env, ['doctor']);
    expect(code).toBe(1);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^✗ Attio refuses the token: it has been revoked.*\n {4}Make a token in Attio/m);
    expect(stdout).toMatch(/^✓ the database is up to date/m);
    expect(stdout.trimEnd()).toMatch(/1 to mend \(✗\)\.$/);
    expect(stdout).not.toContain(TOKEN);
  });

  it('makes no database by looking, and makes it with --fix', async () => {
    set = await Operated.bare();
    const before = await set.doctor();
    expect(faults(before).join()).toContain('warning database: ');
    const { body } = await cliJson<{ running: boolean; database: string }>(set.env, ['status']);
    expect(body).toMatchObject({ running: false });
    await expect(set.service.database.rows('select * from workspace')).rejects.toThrow();
    expect(faults(await set.doctor('--fix')).join()).not.toContain('database:');
    expect(await set.service.database.rows('select * from workspace')).toEqual([]);
  });

  it('names a revoked token', async () => {
    set = await Operated.ready();
    set.sandbox.setToken(TOKEN, false);
    const { message, mend } = failure(await set.doctor());
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
    ['task:read-write', 'task:read-write', 'tasks can neither be read nor written'],
  ])('names a scope that the token lacks (%s)', async (without, named, consequence) => {
    set = await Operated.ready();
    set.sandbox.setToken(TOKEN, true, ALL_BUT(without));
    const { message, mend } = failure(await set.doctor());
    expect(message).toContain(`lacks the scope ${named}: ${consequence}`);
    expect(mend).toContain(named);
  });

  it('warns only where the scope of the webhooks commands is lacking, and read-write includes read', async () => {
    set = await Operated.ready();
    set.sandbox.setToken(TOKEN, true, ALL_BUT('webhook:read-write'));
    const report = await set.doctor();
    expect(report.code).toBe(0);
    expect(faults(report)).toEqual([
      expect.stringContaining('warning attio-scopes: the token lacks the scope webhook'),
    ]);
    const refused = await cli(set.env, ['webhooks', 'list']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('webhook:read');
  });

  it('names an Attio that cannot be reached, and why', async () => {
    set = await Operated.ready();
    set.env['ATTIO_BASE_URL'] = `http://127.0.0.1:${await freePort()}/v2`;
    const { message, mend } = failure(await set.doctor());
    expect(message).toBe('Attio cannot be reached: nothing listens there (ECONNREFUSED)');
    expect(mend).toContain('ATTIO_BASE_URL');
    set.env['ATTIO_BASE_URL'] = set.service.sandbox.url;
    expect(failure(await set.doctor()).message).toContain('is not the API of Attio');
  });

  it('lists every bad variable, and goes on with what can be checked', async () => {
    set = await Operated.ready();
    Object.assign(set.env, { PORT: 'many', SYNC_OBJECTS: 'people,no such', ATTIO_WEBHOOK_SECRET: '' });
    const report = await set.doctor();
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
    set.env['ATTIO_API_KEY'] = '';
    const without = await set.doctor();
    expect(without.checks).toContainEqual(expect.objectContaining({ id: 'database', status: 'ok' }));
    expect(without.checks.map(({ id }) => id)).not.toContain('attio-token');
  });

  it('names the workspace that the database does not mirror', async () => {
    set = await Operated.ready();
    const other = '00000000-0000-4000-8000-00000000000f';
    await set.service.database.rows(
      `insert into workspace (id, workspace_id, learnt_at) values (1, '${other}', '2026-01-01T00:00:00.000Z')`,
    );
    const { id, message } = failure(await set.doctor());
    expect(id).toBe('workspace');
    expect(message).toContain(other);
    expect(message).toContain(set.sandbox.world.workspace.id);
  });

  it('warns of a clock that is off, and fails one that is far off', async () => {
    let aheadMs = 20_000;
    set = await Operated.ready({ sandbox: { now: () => Date.now() + aheadMs } });
    expect(faults(await set.doctor())).toEqual([
      expect.stringMatching(/^warning clock: the clock is (19|20)\.\d s behind/),
    ]);
    aheadMs = 3_600_000;
    expect(failure(await set.doctor()).message).toMatch(/^the clock is 3[56]\d\d\.\d s behind Attio's/);
  });

  it('looks at Redis when it is configured', async () => {
    set = await Operated.ready();
    set.env['REDIS_URL'] = `redis://127.0.0.1:${await freePort()}`;
    const { id, message, mend } = failure(await set.doctor());
    expect(id).toBe('redis');
    expect(message).toBe('Redis does not answer: ECONNREFUSED');
    expect(mend).toContain('REDIS_URL');
  });

  it.runIf(redisProgram() !== null)('finds Redis well', async () => {
    set = await Operated.ready();
    await using redis = await PrivateRedis.start();
    set.env['REDIS_URL'] = redis.url;
    const report = await set.doctor();
    expect(faults(report)).toEqual([]);
    expect(report.checks).toContainEqual(expect.objectContaining({ id: 'redis', status: 'ok' }));
  });

  it('names objects and lists that the workspace does not have', async () => {
    set = await Operated.ready();
    Object.assign(set.env, { SYNC_OBJECTS: 'people,deals,boats', SYNC_LISTS: 'recruiting,regatta' });
    const report = await set.doctor();
    expect(report.code).toBe(1);
    expect(faults(report)).toEqual([
      expect.stringContaining('failed objects: the workspace has no object boats; it has '),
      expect.stringContaining('failed lists: the workspace has no list regatta; it has '),
    ]);
  });

  it('names stages that automations wait for in vain, and what may have been meant', async () => {
    set = await Operated.ready();
    const waiting = async (list: string, stage: string) => {
      const automation = on('list-entry.updated', {
        name: 'greet',
        stages: [{ list, stage }],
        run: async () => {},
      });
      const { body } = await cliJson<Report>(set.env, ['doctor'], {
        overrides: { automations: [automation] },
      });
      return body.checks.find(({ id }) => id === 'automations');
    };
    const vain = 'the automation greet waits in vain: ';
    expect(await waiting('recruting', 'Interview')).toMatchObject({
      status: 'failed',
      message: expect.stringContaining(
        `${vain}the workspace has no list "recruting". Did you mean "recruiting"?`,
      ),
      mend: expect.stringContaining('src/automations.ts'),
    });
    expect((await waiting('recruiting', 'Intervew'))?.message).toContain(
      `${vain}"Intervew" is no stage of this workspace. Did you mean "Interview"? There are: "Applied"`,
    );
    expect((await waiting('recruiting', 'INTERVIEW'))?.status).toBe('ok');
    set.sandbox.act({
      method: 'PATCH',
      path: '/lists/recruiting/attributes/stage/statuses/Interview',
      body: { data: { is_archived: true } },
    });
    expect((await waiting('recruiting', 'Interview'))?.message).toContain('archived in Attio');
    set.env['SYNC_LISTS'] = 'none';
    expect((await waiting('recruiting', 'Applied'))?.message).toContain('is not mirrored here');
  });

  it('names the attribute that deals lack, and --fix makes it', async () => {
    set = await Operated.ready();
    expect(set.externalId()).toMatchObject({ is_unique: true, type: 'text' });
    set.changeExternalId({ api_slug: 'renamed' });
    const { id, mend } = failure(await set.doctor());
    expect(id).toBe('deals-external-id');
    expect(mend).toContain('doctor --fix');
    expect(faults(await set.doctor('--fix'))).toEqual([]);
    expect(faults(await set.doctor())).toEqual([]);
    set.changeExternalId({ is_unique: false });
    expect(failure(await set.doctor('--fix')).message).toContain('is not unique');
  });
});

describe("doctor's look at the database", () => {
  it.runIf(ENGINE === 'postgres')(
    'names one that is read-only, of a server that is away, and a wrong name',
    async () => {
      set = await Operated.ready();
      const { pathname } = new URL(set.service.database.url);
      await askPostgres(
        set.service.database.url,
        `alter database ${pathname.slice(1)} set default_transaction_read_only = on`,
      );
      const readOnly = failure(await set.doctor());
      expect(readOnly.message).toContain('it is read-only');
      expect(readOnly.mend).toContain('default_transaction_read_only');
      set.env['DATABASE_URL'] = `postgres://postgres@127.0.0.1:${await freePort()}/postgres`;
      expect(failure(await set.doctor()).message).toContain('its server cannot be reached');
      set.env['DATABASE_URL'] = set.service.database.url.replace(pathname, '/no_such_database');
      expect(failure(await set.doctor()).message).toContain('the server has no such database');
    },
  );

  it.runIf(ENGINE === 'sqlite')(
    'names a full disk, a folder in its place, and a file that is no database',
    async () => {
      set = await Operated.ready();
      set.env['DATABASE_URL'] = 'sqlite:/dev/full';
      const full = failure(await set.doctor());
      // Whoever may not make files in /dev is told of that first.
      await rm('/dev/full-journal', { force: true });
      expect(full.message).toMatch(/its disk is full|this user may not/);
      expect(full.mend).toMatch(/Make room|Give the user/);
      set.env['DATABASE_URL'] = 'sqlite:/';
      expect(failure(await set.doctor()).message).toMatch(/may not open|is no database/);
      set.env['DATABASE_URL'] = `sqlite:${import.meta.filename}`;
      expect(failure(await set.doctor()).message).toContain('what DATABASE_URL names is no database');
      set.env['DATABASE_URL'] = `sqlite:${import.meta.filename}/below/a.db`;
      expect(failure(await set.doctor()).message).toContain('what DATABASE_URL names is no database');
    },
  );
});
