import { afterEach, expect, test } from 'vitest';
import { Instances } from '../support/instances.ts';
import { ServiceProcess } from '../support/process.ts';
import { type TestService, until } from '../support/service.ts';

const running: ServiceProcess[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.kill()));
});

/** The instances as processes of their own. */
async function run(instances: Instances): Promise<[ServiceProcess, ServiceProcess]> {
  await instances.redis.start();
  const first = await start(instances.first);
  const second = await start(instances.second);
  await instances.redisIs('ok');
  return [first, second];
}

async function start(service: TestService): Promise<ServiceProcess> {
  const child = new ServiceProcess(service.env);
  running.push(child);
  service.url = `http://127.0.0.1:${service.env['PORT']}`;
  await child.ready(service.url);
  return child;
}

test('a process that was held up while a webhook came serves nothing older when it goes on', async () => {
  await using instances = await Instances.prepare();
  const [, second] = await run(instances);
  const [id = ''] = await instances.people(1);
  await instances.read(instances.second, id);
  expect((await instances.read(instances.second, id)).cache).toBe('HIT');
  second.signal('SIGSTOP');
  const waiting = Array.from({ length: 20 }, () => instances.read(instances.second, id));
  await instances.edit(id, 'New');
  // Not heard of for more than a second.
  await until(async () => ((await instances.redis.ask('KEYS', '*instance:*')) as string[]).length === 1);
  second.signal('SIGCONT');
  const titles = (await Promise.all(waiting)).map((read) => read.title);
  expect(new Set(titles)).toEqual(new Set(['New']));
});

test('a process stops as it should while Redis says nothing', async () => {
  await using instances = await Instances.prepare();
  const [first, second] = await run(instances);
  instances.redis.freeze();
  first.signal('SIGTERM');
  expect(await first.exited).toEqual({ code: 0, signal: null });
  await instances.redis.stop('KILL');
  second.signal('SIGTERM');
  expect(await second.exited).toEqual({ code: 0, signal: null });
});

test('an outage is told once, and nowhere is the address', async () => {
  await using instances = await Instances.prepare();
  instances.second.env['LOG_LEVEL'] = 'info';
  instances.second.env['REDIS_URL'] = `${instances.redis.url.replace('redis://', 'redis://:hunter2@')}/1`;
  const service = await start(instances.second);
  await until(async () => service.output.includes('Redis is away'));
  await instances.redis.start();
  await until(async () => service.output.includes('Redis is there'));
  await instances.redis.stop('TERM');
  await until(async () => service.output.split('Redis is away').length === 3);
  service.signal('SIGTERM');
  await service.exited;
  expect(service.output.split('Redis is away')).toHaveLength(3);
  expect(service.output).not.toContain('hunter2');
});
