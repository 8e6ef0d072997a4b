import { Server } from 'node:http';
import { expect, test, vi } from 'vitest';
import { idsIn } from '../support/items.ts';
import { ServiceProcess } from '../support/process.ts';
import { freePort, prepareService, until } from '../support/service.ts';

test('SIGTERM ends it with 0, also while a run and a long poll are under way, and however often it is sent', async () => {
  await using service = await prepareService({ sandbox: { people: 2_000, latencyMs: 300 } });
  service.url = `http://127.0.0.1:${service.env['PORT']}`;
  const child = new ServiceProcess(service.env);
  await child.ready(service.url);
  await service.call('POST', '/v1/sync/all');
  const poll = service.get('/v1/changes?after=latest&wait=30').catch(() => null);
  const startedAt = Date.now();
  child.signal('SIGTERM');
  child.signal('SIGINT');
  child.signal('SIGTERM');
  expect(await child.exited).toEqual({ code: 0, signal: null });
  expect(Date.now() - startedAt).toBeLessThan(10_000);
  await poll;
});

test('also while Attio hangs', async () => {
  await using service = await prepareService({ sandbox: { people: 10 } });
  service.sandbox.sandbox.addFault({ kind: 'hang' });
  service.url = `http://127.0.0.1:${service.env['PORT']}`;
  const child = new ServiceProcess(service.env);
  await child.ready(service.url);
  const read = service.get('/v1/objects').catch(() => null);
  child.signal('SIGTERM');
  expect(await child.exited).toEqual({ code: 0, signal: null });
  await read;
});

test('a connection that is kept alive after its last answer does not hold it up', async () => {
  await using service = await prepareService({ sandbox: { people: 10, latencyMs: 300 } });
  await service.start();
  const cut = vi.spyOn(Server.prototype, 'closeAllConnections');
  const [id = ''] = idsIn(service, { object: 'people' });
  const read = service.get(`/v1/records/people/${id}`);
  await until(async () =>
    service.sandbox.sandbox.requests().requests.some(({ path }) => path.endsWith(`/records/${id}`)),
  );
  await service.stop();
  expect((await read).status).toBe(200);
  expect(cut).not.toHaveBeenCalled();
  cut.mockRestore();
});

test('a bad environment stops the start with one message that names every bad variable and no secret', async () => {
  const child = new ServiceProcess({
    NODE_ENV: 'production',
    PORT: 'abc',
    REDIS_URL: 'redis://:hunter2@127.0.0.1/cache',
    ATTIO_BASE_URL: 'ftp://hunter2',
  });
  expect((await child.exited).code).toBe(1);
  for (const name of [
    'PORT',
    'REDIS_URL',
    'ATTIO_BASE_URL',
    'ATTIO_API_KEY',
    'ATTIO_WEBHOOK_SECRET',
    'SERVICE_API_KEYS',
  ]) {
    expect(child.output).toContain(name);
  }
  expect(child.output).not.toContain('hunter2');
  expect(child.output).not.toContain('    at ');
});

test('a port that is taken stops the start with a message', async () => {
  await using service = await prepareService();
  await service.start();
  const child = new ServiceProcess({ ...service.env, DATABASE_URL: 'sqlite::memory:' });
  expect((await child.exited).code).toBe(1);
  expect(child.output).toMatch(/EADDRINUSE|in use/);
});

test('port 0 picks a free one and logs it', async () => {
  const child = new ServiceProcess({
    ATTIO_API_KEY: 'k',
    ATTIO_BASE_URL: `http://127.0.0.1:${await freePort()}/v2`,
    PORT: '0',
    DATABASE_URL: 'sqlite::memory:',
  });
  const deadline = Date.now() + 30_000;
  while (!/127\.0\.0\.1:[1-9]\d+/.test(child.output) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const port = /127\.0\.0\.1:([1-9]\d+)/.exec(child.output)?.[1];
  await child.ready(`http://127.0.0.1:${port}`);
  child.signal('SIGTERM');
  expect((await child.exited).code).toBe(0);
});
