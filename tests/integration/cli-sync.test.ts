import { afterEach, describe, expect, it } from 'vitest';
import { cli, cliJson } from '../support/cli.ts';
import { takeViolations } from '../support/exchanges.ts';
import { prepareService, type Run, type ServiceOptions, type TestService } from '../support/service.ts';

let service: TestService;
afterEach(async () => {
  await service[Symbol.asyncDispose]();
  expect(takeViolations()).toEqual([]);
});

async function prepare(sandbox: ServiceOptions['sandbox'] = {}): Promise<void> {
  service = await prepareService({ sandbox: { people: 120, ...sandbox } });
  service.env['SYNC_LISTS'] = 'none';
}

async function mirrored(): Promise<number> {
  const [row] = await service.database.rows(
    `select count(*) as n from record where object = 'people' and deleted_at is null`,
  );
  return Number(row?.['n']);
}

describe('sync', () => {
  it('runs in the command itself where no service runs', async () => {
    await prepare();
    const { code, stdout, stderr } = await cli(service.env, ['sync', 'people']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('The run takes place here, as the service does not run.');
    expect(stdout).toMatch(/^people: succeeded after \d+ s, 120 seen, 120 created$/m);
    // Nobody looks on: no line moves.
    expect(stdout).not.toContain('\r');
    expect(await mirrored()).toBe(120);
  });

  it('runs in the service where one runs, and --json gives the run', async () => {
    await prepare();
    await service.start();
    const { code, body, stdout } = await cliJson<Run>(service.env, ['sync', 'all']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(body);
    expect(body).toMatchObject({ object: 'all', status: 'succeeded', seen: 130 });
    expect(body.runs?.map(({ object }) => object)).toEqual(
      expect.arrayContaining(['people', 'companies', 'deals']),
    );
    const { body: shown } = await service.get<{ data: Run }>(`/v1/sync/runs/${body.runId}`);
    expect(shown.data).toEqual(body);
    const words = await cli(service.env, ['sync', 'companies']);
    expect(words.stdout).toContain('The run takes place in the service.');
    await service.stop();
    service.env['SYNC_LISTS'] = 'recruiting';
    const list = await cli(service.env, ['sync', 'lists/recruiting']);
    expect(list).toMatchObject({ code: 0, stdout: expect.stringMatching(/^lists\/recruiting: succeeded/m) });
  });

  it('shows a bar with the share, the rate and the time left on a terminal', async () => {
    await prepare({ people: 4_000, latencyMs: 300, rateLimits: false });
    const watched = async () => {
      const { code, stdout } = await cli(service.env, ['sync', 'people'], { isTerminal: true });
      expect(code).toBe(0);
      return stdout.split('\r').map((frame) => frame.replaceAll('\u001b[K', ''));
    };
    const frames = await watched();
    expect(frames.at(-1)).toMatch(/^people: succeeded after \d+ s, 4,000 seen, 4,000 created\n$/);
    expect(frames.join('\n')).toMatch(/^people {7}█*░* +\d+% {2}[\d,]+ of about [\d,]+/m);
    // The second time it is known from the start how many there were.
    expect(await watched()).toContainEqual(
      expect.stringMatching(/^people {7}█+░+ +\d+% {2}[\d,]+ of about [\d,]+, [\d,]+\/s, \d+ s left$/),
    );
    const probes = service.sandbox.sandbox
      .requests()
      .requests.filter(({ body }) => body !== null && JSON.parse(body).limit === 1);
    expect(probes.length).toBeGreaterThan(0);
    expect(probes.length).toBeLessThanOrEqual(2 * 12);
  });

  it('is left where it is by Ctrl-C, and goes on from there', async () => {
    await prepare({ people: 3_000, latencyMs: 200, rateLimits: false });
    const stop = new AbortController();
    const cut = await cli(service.env, ['sync', 'people'], {
      signal: stop.signal,
      onPrint: (text) => {
        if (/[\d,]+ (seen|of about)/.test(text)) stop.abort();
      },
    });
    expect(cut.code).toBe(1);
    expect(cut.stdout).toContain('It is left where it is, and goes on at the next start');
    const [run] = await service.database.rows('select run_id, status from sync_run');
    expect(run?.['status']).toBe('running');
    const { code, body } = await cliJson<Run>(service.env, ['sync', 'people']);
    expect(code).toBe(0);
    expect(body).toMatchObject({ runId: run?.['run_id'], status: 'succeeded', seen: 3_000 });
    expect(await mirrored()).toBe(3_000);
  });

  it('ends with 1 when the run fails, and says why; --force lifts the brake', async () => {
    await prepare();
    await cli(service.env, ['sync', 'people']);
    const { sandbox } = service.sandbox;
    const people = await service.database.rows(`select record_id from record where object = 'people'`);
    for (const { record_id: id } of people.slice(0, 60))
      sandbox.deleteRecord({ object: 'people', recordId: String(id) });
    const failed = await cli(service.env, ['sync', 'people']);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toContain('people: failed after');
    expect(failed.stdout).toContain('60 of 120 people are no longer in Attio');
    expect(await mirrored()).toBe(120);
    const forced = await cli(service.env, ['sync', 'people', '--force']);
    expect(forced.code).toBe(0);
    expect(await mirrored()).toBe(60);
  });

  it('starts nothing that could only wait', async () => {
    await prepare();
    service.sandbox.sandbox.setToken('sandbox-token', false);
    const refused = await cli(service.env, ['sync', 'people']);
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('No sync was started'),
    });
    expect(await service.database.rows('select * from sync_run')).toEqual([]);
    service.sandbox.sandbox.setToken('sandbox-token', true);
    const unknown = await cli(service.env, ['sync', 'boats']);
    expect(unknown.stderr).toContain('SYNC_OBJECTS');
    expect(unknown.code).toBe(1);
    for (const argv of [
      ['sync'],
      ['sync', 'people', 'deals'],
      ['sync', '../x'],
      ['sync', 'people', '--fast'],
    ]) {
      const bad = await cli(service.env, argv);
      expect(bad).toMatchObject({ code: 1, stdout: '' });
      expect(bad.stderr).toContain('Usage: npm run cli -- sync <object');
    }
  });
});
