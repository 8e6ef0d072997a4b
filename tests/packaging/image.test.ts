/** What the image promises, where there is no engine to build it; CI builds and starts it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { ServiceProcess } from '../support/process.ts';
import { freePort } from '../support/service.ts';
import { NODE_OPTIONS, SCRIPT } from '../support/start-command.ts';
import { sourcesOf, stagesOf } from './dockerfile.ts';

const root = new URL('../../', import.meta.url).pathname;
const text = await readFile(join(root, 'Dockerfile'), 'utf8');
const stages = stagesOf(text);
const image = stages.at(-1) ?? [];

function ofImage(name: string): string[] {
  return image.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
}

test('the linter finds nothing, and would', () => {
  expect(validate(text)).toEqual([]);
  expect(validate(text.replace('USER node', 'USR node'))).not.toEqual([]);
});

test('it is made of images with a version, runs without root, and hears signals itself', () => {
  const bases = stages.map(([from]) => from?.rest.split(' ')[0]);
  expect(new Set(bases)).toEqual(new Set(['node:26-slim']));
  expect(manifest.engines.node).toBe('>=26');
  expect(ofImage('USER')).toEqual(['node']);
  expect(ofImage('CMD').map((command) => JSON.parse(command))).toEqual([['node', ...NODE_OPTIONS, SCRIPT]]);
  expect(ofImage('ENTRYPOINT')).toEqual([]);
  expect(ofImage('STOPSIGNAL')).toEqual(['SIGTERM']);
});

test('what it keeps lies in its volume', () => {
  const [volume = 'none'] = ofImage('VOLUME');
  expect(ofImage('ENV').join(' ')).toContain(`DATABASE_URL=sqlite:${volume}/`);
  const instructions = image.map(({ name, rest }) => `${name} ${rest}`);
  const made = instructions.findIndex((line) => line.includes(`--owner=node`) && line.endsWith(volume));
  expect(made).toBeGreaterThan(0);
  expect(made).toBeLessThan(instructions.indexOf('USER node'));
});

test('all that it copies is let into the build, and nothing else', async () => {
  const ignored = (await readFile(join(root, '.dockerignore'), 'utf8')).split('\n');
  const letIn = ignored.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  expect(ignored.find((line) => line !== '' && !line.startsWith('#'))).toBe('*');
  expect(new Set(stages.flatMap(sourcesOf))).toEqual(new Set(letIn));
});

test('with those files and production dependencies alone it starts, is healthy, and ends on SIGTERM', async () => {
  const app = await mkdtemp(join(tmpdir(), 'attio-bridge-image-'));
  await using _ = { [Symbol.asyncDispose]: () => rm(app, { recursive: true, force: true }) };
  const files = stages.flatMap(sourcesOf);
  for (const path of [...files, ...(await productionPackages())])
    await cp(join(root, path), join(app, path), { recursive: true });
  const port = String(await freePort());
  const env = {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: port,
    DATABASE_URL: `sqlite:${join(app, 'attio.db')}`,
    ATTIO_API_KEY: 'a-token',
    ATTIO_WEBHOOK_SECRET: 'a-secret',
    SERVICE_API_KEYS: 'a-key',
    // Nobody is there.
    ATTIO_BASE_URL: 'http://127.0.0.1:9/v2',
  };
  const service = new ServiceProcess(env, [...NODE_OPTIONS, join(app, SCRIPT)]);
  try {
    await service.ready(`http://127.0.0.1:${port}`);
    expect(await healthCheck(port)).toBe(0);
    service.signal('SIGTERM');
    expect(await service.exited).toEqual({ code: 0, signal: null });
    expect(await healthCheck(port)).toBe(1);
  } finally {
    await service.kill();
  }
});

/** What `npm ci --omit=dev --omit=optional` would install. */
async function productionPackages(): Promise<string[]> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>;
  };
  const kept = Object.entries(lock.packages).filter(
    ([path, { dev, optional, devOptional }]) => path !== '' && !dev && !optional && !devOptional,
  );
  // Those inside of others come with them.
  return kept.map(([path]) => path).filter((path) => path.lastIndexOf('node_modules/') === 0);
}

/** @returns the exit code of the image's health check */
async function healthCheck(port: string): Promise<number> {
  const [check = ''] = ofImage('HEALTHCHECK');
  const [program, ...args] = JSON.parse(check.slice(check.indexOf('['))) as string[];
  expect(program).toBe('node');
  const child = spawn(process.execPath, args, { env: { PORT: port } });
  const [code] = (await once(child, 'exit')) as [number];
  return code;
}
