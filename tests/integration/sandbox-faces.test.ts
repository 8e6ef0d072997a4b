import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setupServer } from 'msw/node';
import { afterEach, describe, expect, test } from 'vitest';
import { startSandboxServer } from '../mocks/http-server.ts';
import { inProcessFetch } from '../mocks/in-process-fetch.ts';
import { sandboxHandlers } from '../mocks/msw.ts';
import { createSandbox } from '../mocks/sandbox.ts';

const OPTIONS = { people: 5, companies: 2, deals: 2, seed: 7, now: () => Date.UTC(2026, 5, 1) };
const HEADERS = { authorization: 'Bearer t', 'content-type': 'application/json' };

/** A fixed conversation; what comes out must not depend on the face. */
async function talk(ask: typeof fetch, base: string): Promise<unknown[]> {
  const heard: unknown[] = [];
  const send = async (method: string, path: string, body?: unknown) => {
    const sent = body === undefined ? null : JSON.stringify(body);
    const answer = await ask(`${base}${path}`, { method, body: sent, headers: HEADERS });
    const json = JSON.parse(await answer.text());
    const names = [
      'content-type',
      'date',
      'x-accurate-at',
      'x-attio-execution-id',
      'x-attio-record-query-score',
      'retry-after',
    ];
    heard.push([answer.status, names.map((name) => answer.headers.get(name)), json]);
    return json.data;
  };
  await send('GET', '/self');
  const [person] = await send('POST', '/objects/people/records/query', { limit: 2 });
  await send('PATCH', `/objects/people/records/${person.id.record_id}`, {
    data: { values: { job_title: ['x'] } },
  });
  await send('PUT', '/objects/people/records?matching_attribute=email_addresses', {
    data: { values: { email_addresses: ['n@example.org'] } },
  });
  await send('POST', '/objects/people/records', { data: { values: { nonsense: [1] } } });
  await send('DELETE', `/objects/people/records/${person.id.record_id}`);
  await send('GET', `/objects/people/records/${person.id.record_id}`);
  return heard;
}

describe('the same seed', () => {
  test('gives the same answers over HTTP, through MSW and in process, and again after a reset', async () => {
    const server = await startSandboxServer(OPTIONS);
    const overHttp = await talk(fetch, `${server.url}/v2`);
    server.sandbox.reset();
    expect(await talk(fetch, `${server.url}/v2`)).toEqual(overHttp);
    await server.close();

    const inProcess = createSandbox(OPTIONS);
    expect(await talk(inProcessFetch(inProcess), 'https://api.attio.com/v2')).toEqual(overHttp);

    const msw = setupServer(...sandboxHandlers(createSandbox(OPTIONS)));
    msw.listen({ onUnhandledFrame: 'error' });
    try {
      expect(await talk(fetch, 'https://api.attio.com/v2')).toEqual(overHttp);
    } finally {
      msw.close();
    }
    expect(overHttp.map((one) => (one as [number])[0])).toEqual([200, 200, 200, 200, 400, 200, 404]);
  });

  test('another seed gives another workspace', async () => {
    const one = await talk(inProcessFetch(createSandbox(OPTIONS)), 'https://api.attio.com/v2');
    const other = await talk(
      inProcessFetch(createSandbox({ ...OPTIONS, seed: 8 })),
      'https://api.attio.com/v2',
    );
    expect(one[1]).not.toEqual(other[1]);
  });
});

describe('MSW and in-process faults', () => {
  test('a cut connection is a network error, a hanging one ends with the signal', async () => {
    const sandbox = createSandbox(OPTIONS);
    const msw = setupServer(...sandboxHandlers(sandbox, { baseUrl: 'http://attio.example/api/v2' }));
    msw.listen();
    try {
      for (const ask of [fetch, inProcessFetch(sandbox)]) {
        const base = ask === fetch ? 'http://attio.example/api/v2' : 'http://attio.example/v2';
        const get = (init: RequestInit = {}) => ask(`${base}/objects`, { headers: HEADERS, ...init });
        expect((await get()).status).toBe(200);
        sandbox.addFault({ kind: 'disconnect', count: 1 });
        await expect(get()).rejects.toThrow(TypeError);
        sandbox.addFault({ kind: 'hang', count: 1 });
        await expect(get({ signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
          name: 'TimeoutError',
        });
      }
    } finally {
      msw.close();
    }
  });
});

describe('the command', () => {
  let child: ChildProcess | undefined;

  afterEach(() => {
    child?.kill('SIGKILL');
  });

  const run = (...flags: string[]) => {
    const made = spawn(process.execPath, [
      new URL('../mocks/sandbox-cli.ts', import.meta.url).pathname,
      ...flags,
    ]);
    child = made;
    const output = { stdout: '', stderr: '' };
    made.stdout.on('data', (chunk) => {
      output.stdout += chunk;
    });
    made.stderr.on('data', (chunk) => {
      output.stderr += chunk;
    });
    return { made, output };
  };

  test('listens, says where, serves, and stops on SIGTERM', async () => {
    const { made, output } = run(
      '--port',
      '0',
      '--people',
      '3',
      '--companies',
      '1',
      '--deals',
      '0',
      '--rate-limits',
      'off',
    );
    await once(made.stdout, 'data');
    const url =
      /^Attio sandbox listening on (http:\/\/127\.0\.0\.1:\d+\/v2)$/m.exec(output.stdout)?.[1] ?? '';
    const answer = await fetch(`${url}/objects/people/records/query`, {
      method: 'POST',
      headers: HEADERS,
      body: '{}',
    });
    expect(await answer.json()).toMatchObject({ data: [{}, {}, {}] });
    made.kill('SIGTERM');
    expect(await once(made, 'exit')).toEqual([0, null]);
  });

  test('bad flags are named in one message, exit 1', async () => {
    const { made, output } = run('--people', 'many', '--rate-limits', 'maybe', '--deliver-to', 'nowhere');
    expect((await once(made, 'close'))[0]).toBe(1);
    for (const named of ['--people', '--rate-limits', '--deliver-to']) expect(output.stderr).toContain(named);
    expect(output.stderr.trim().split('\n')).toHaveLength(1);
    const unknown = run('--nonsense', '--seed', '-1', 'stray', '--port');
    expect((await once(unknown.made, 'close'))[0]).toBe(1);
    for (const named of ['--nonsense', '--seed', 'stray', '--port'])
      expect(unknown.output.stderr).toContain(named);
  });

  test('--help lists the flags', async () => {
    const { made, output } = run('--help');
    expect((await once(made, 'close'))[0]).toBe(0);
    expect(output.stdout).toContain('--deliver-to');
  });
});
