/** What compose.yaml promises; CI starts it. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import manifest from '../../package.json' with { type: 'json' };
import { ENVIRONMENT_VARIABLES } from '../../src/config.ts';

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly container_name?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly volumes?: readonly string[];
  readonly stop_grace_period?: string;
}

const text = await read('compose.yaml');
const { services, volumes } = parse(text, { strict: true, uniqueKeys: true }) as {
  services: Readonly<Record<string, Service>>;
  volumes: Readonly<Record<string, unknown>>;
};
const { bridge, ...others } = services;

function read(path: string): Promise<string> {
  return readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
}

test('the service waits for what it needs to be healthy', () => {
  expect(Object.keys(others).toSorted()).toEqual(['postgres', 'redis']);
  for (const [name, { healthcheck }] of Object.entries(others)) {
    expect(healthcheck?.test[0]).toBe('CMD');
    expect(bridge?.depends_on?.[name]).toEqual({ condition: 'service_healthy' });
  }
});

test('images have a version, and ours is that of the package', () => {
  for (const { image } of Object.values(services)) expect(image).toMatch(/^[a-z-]+:\d[\d.]*$/);
  expect(bridge?.image).toBe(`attio-bridge:${manifest.version}`);
});

test('it can be scaled, and has the time that it needs to stop', () => {
  expect(bridge?.container_name).toBeUndefined();
  expect(bridge?.ports).toHaveLength(1);
  expect(bridge?.ports?.[0]).toMatch(/^127\.0\.0\.1:\$\{BRIDGE_PORTS:-3000-3009\}:3000$/);
  expect(Number.parseInt(bridge?.stop_grace_period ?? '', 10)).toBeGreaterThanOrEqual(15);
});

test('every variable is one that the service knows, and names of databases lead where they should', () => {
  const known: readonly string[] = ENVIRONMENT_VARIABLES;
  const set = bridge?.environment ?? {};
  expect(Object.keys(set).filter((name) => !known.includes(name))).toEqual([]);
  const hosts = ['DATABASE_URL', 'REDIS_URL'].map((name) => {
    const url = set[name]?.replaceAll(/\$\{[^}]*\}/g, 'x') ?? '';
    return new URL(url).hostname;
  });
  expect(hosts).toEqual(['postgres', 'redis']);
});

test('no secret is in it, and none is left out unnoticed', () => {
  const required = [...text.matchAll(/\$\{([A-Z_]+):\?/g)].map(([, name]) => name);
  const secrets = ['ATTIO_API_KEY', 'ATTIO_WEBHOOK_SECRET', 'POSTGRES_PASSWORD', 'SERVICE_API_KEYS'];
  expect([...new Set(required)].toSorted()).toEqual(secrets);
  for (const { environment = {} } of Object.values(services))
    for (const [name, value] of Object.entries(environment))
      if (/KEY|SECRET|PASSWORD/.test(name)) expect(value).toMatch(new RegExp(`^\\$\\{${name}:[?-]`));
});

test('what PostgreSQL holds outlives its container', () => {
  const [name] = others['postgres']?.volumes?.map((volume) => volume.split(':')[0]) ?? [];
  expect(Object.keys(volumes)).toContain(name);
});
