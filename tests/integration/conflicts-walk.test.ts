import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { cli, cliJson } from '../support/cli.ts';
import { apart, EMAIL, edit, type OneConflict, startWith } from '../support/conflicts.ts';
import { takeViolations } from '../support/exchanges.ts';
import { startService, type TestService } from '../support/service.ts';
import { attio, put, recovered, SMALL } from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

/** The walk of the README, as it is printed there. */
function walk(): string {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const block = /A walk through one,.*?```sh\n(.*?)```/s.exec(readme)?.[1];
  if (block === undefined) throw new Error('the README has no walk through a conflict');
  return block;
}

/** Runs it in a shell. @returns what each request was answered, in order */
async function run(script: string): Promise<unknown[]> {
  // A line end after each answer, so that they can be told apart.
  const child = spawn('bash', ['-euo', 'pipefail', '-c', `curl() { command curl "$@"; echo; }\n${script}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.split('\n').flatMap((line): unknown[] => (line.startsWith('{') ? [JSON.parse(line)] : []));
}

test('the walk through a manual conflict in the README is what happens', async () => {
  await using service = await startService({
    sandbox: SMALL,
    subscribe: false,
    env: { NODE_ENV: 'development', SERVICE_API_KEYS: '', SYNC_CONFLICT_POLICY: 'manual' },
  });
  const sandbox = `${service.sandbox.url}/_sandbox`;
  const script = walk().replace('http://127.0.0.1:4010/_sandbox', sandbox);
  expect(script).toContain(sandbox);
  const answers = await run(`U=${service.url}\n${script}`);
  const [agreed, , pending, , , open, shown, resolved] = answers;
  expect(answers).toHaveLength(8);
  expect(agreed).toMatchObject({ sync: { status: 'synced' } });
  expect(pending).toMatchObject({ data: { jobTitle: 'Buyer' }, sync: { status: 'pending' } });
  expect(open).toMatchObject({
    data: [
      {
        id: '1',
        object: 'people',
        field: 'job_title',
        base: 'Analyst',
        local: 'Buyer',
        attio: 'Head of Buying',
        decided: null,
        status: 'open',
        reason: 'manual',
      },
    ],
    nextCursor: null,
  });
  expect(shown).toMatchObject({
    data: [{ lastName: 'King', jobTitle: 'Buyer', sync: { status: 'pending', conflicts: 1 } }],
  });
  expect(resolved).toMatchObject({
    data: { id: '1', merged: 'Head Buyer', decided: 'merged', status: 'resolved', reason: 'resolved' },
    sync: { status: 'synced' },
  });
  const { recordId } = (resolved as { data: { recordId: string } }).data;
  expect(attio(service, recordId)).toMatchObject({ job_title: ['Head Buyer'], name: [['', 'King']] });
});

/** Two fields of Ada in conflict, and Attio back. */
async function twoOpen(service: TestService): Promise<string> {
  const recordId = await apart(service);
  await put(service, { email: EMAIL, jobTitle: 'Ours', attributes: { internal_comment: 'Ours' } });
  edit(service, recordId, { job_title: 'Theirs', internal_comment: 'Theirs' });
  await recovered(service);
  return recordId;
}

test('operators see open conflicts, and settle them', async () => {
  await using service = await startWith({ policy: 'manual' });
  const recordId = await twoOpen(service);
  const run = (...argv: string[]) => cli(service.env, ['conflicts', ...argv]);
  const table = await run('list', '--status', 'open');
  expect(table.code).toBe(0);
  expect(table.stdout).toMatch(/open +people \S+ +job_title +waits for a decision/);
  // The values are of persons: in the JSON alone.
  expect(table.stdout).not.toMatch(/Ours|Theirs/);
  const { body } = await cliJson<{ conflicts: OneConflict[] }>(service.env, ['conflicts', 'list']);
  const idOf = (field: string) => body.conflicts.find((one) => one.field === field)?.id ?? '';
  const [title, comment] = [idOf('job_title'), idOf('internal_comment')];
  expect(body.conflicts[0]).toMatchObject({ local: 'Ours', attio: 'Theirs', status: 'open' });

  expect(await run('resolve', title, '--value', '"Both"')).toEqual({
    code: 0,
    stdout: `Conflict ${title} is settled: a third value stands.\n`,
    stderr: '',
  });
  const settled = await cliJson<{ conflict: OneConflict; sync: object }>(service.env, [
    'conflicts',
    'resolve',
    comment,
    '--attio',
  ]);
  expect(settled.body).toMatchObject({ conflict: { decided: 'attio' }, sync: { status: 'synced' } });
  expect(attio(service, recordId)).toMatchObject({ job_title: ['Both'], internal_comment: ['Theirs'] });
  expect((await run('list', '--status', 'open')).stdout).toBe('There are none.\n');

  for (const [argv, words] of [
    [['resolve', title, '--local'], 'this conflict was settled at'],
    [['resolve', '99', '--local'], 'there is no conflict with this id'],
    [['resolve', 'x', '--local'], 'x is no id of a conflict'],
    [['resolve', title], 'Give one of --local, --attio and --value'],
    [['resolve', title, '--local', '--attio'], 'Give one of --local, --attio and --value'],
    [['resolve', title, '--value', 'Both'], '--value is no JSON'],
  ] as const) {
    const outcome = await run(...argv);
    expect([outcome.code, outcome.stdout]).toEqual([1, '']);
    expect(outcome.stderr.toLowerCase()).toContain(words.toLowerCase());
  }
});

test('operators settle them also while the service does not run', async () => {
  await using service = await startWith({ policy: 'manual' });
  const recordId = await twoOpen(service);
  const [one] = (await cliJson<{ conflicts: OneConflict[] }>(service.env, ['conflicts', 'list'])).body
    .conflicts;
  await service.stop();
  const outcome = await cli(service.env, ['conflicts', 'resolve', one?.id ?? '', '--local']);
  expect([outcome.code, outcome.stdout]).toEqual([
    0,
    `Conflict ${one?.id} is settled: local stands, and is sent once the service runs.\n`,
  ]);
  await service.start();
  await recovered(service);
  expect(attio(service, recordId)[one?.field ?? '']).toEqual(['Ours']);
});
