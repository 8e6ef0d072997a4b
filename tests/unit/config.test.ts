import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';
import { describe, expect, it } from 'vitest';
import { type AppConfig, ConfigError, loadConfig } from '../../src/config.ts';

const KEY = { ATTIO_API_KEY: 'token-of-attio' };
const DEPLOYED = { ...KEY, ATTIO_WEBHOOK_SECRET: 'hook-secret', SERVICE_API_KEYS: 'service-key' };

type Variables = Record<string, string | undefined>;

function failure(env: Variables, readFile?: (path: string) => string): ConfigError {
  try {
    loadConfig(env, readFile === undefined ? {} : { readFile });
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

function namesOf(error: ConfigError): string[] {
  return error.problems.map((problem) => problem.name);
}

/** The file of an environment with one member changed. */
function edited(
  change: (settings: Record<string, Record<string, unknown>>) => void,
): (path: string) => string {
  return (path) => {
    const settings = JSON.parse(readFileSync(path, 'utf8'));
    change(settings);
    return JSON.stringify(settings);
  };
}

describe('the environment', () => {
  it('needs nothing but a token in development', () => {
    const config = loadConfig(KEY);
    expect(config).toMatchObject({
      environment: 'development',
      logLevel: 'info',
      http: { host: '127.0.0.1', port: 3000, publicUrl: null, apiKeys: [], trustLoopback: true },
      webhooks: { secrets: [] },
      attio: { apiKey: 'token-of-attio', baseUrl: 'https://api.attio.com/v2' },
      database: { url: 'sqlite:./data/attio.db' },
      redis: null,
      changeWebhooks: { urls: [], secrets: [] },
    });
    expect(config.sync.objects).toEqual(['people', 'companies', 'deals']);
  });

  it('takes an empty or blank value for an unset one', () => {
    expect(loadConfig({ ...KEY, PORT: '', REDIS_URL: '  ', SYNC_LISTS: '', HOST: ' ' })).toEqual(
      loadConfig(KEY),
    );
  });

  it('listens to the world in production, and keeps operations behind a key', () => {
    const config = loadConfig({ ...DEPLOYED, NODE_ENV: 'production' });
    expect(config.http).toMatchObject({ host: '0.0.0.0', trustLoopback: false, protectOperations: true });
    expect(loadConfig({ ...DEPLOYED, NODE_ENV: 'staging' }).http.host).toBe('127.0.0.1');
  });

  it('splits and trims lists, and drops objects that are named twice', () => {
    const config = loadConfig({
      ...KEY,
      SERVICE_API_KEYS: ' one , two',
      ATTIO_WEBHOOK_SECRET: 'old,new',
      SYNC_OBJECTS: 'people, my_object ,people',
    });
    expect(config.http.apiKeys).toEqual(['one', 'two']);
    expect(config.webhooks.secrets).toEqual(['old', 'new']);
    expect(config.sync.objects).toEqual(['people', 'my_object']);
  });

  it('names every bad variable in one error, and how to mend it', () => {
    const error = failure({
      NODE_ENV: 'prod',
      HOST: 'not a host',
      PORT: '65536',
      ATTIO_BASE_URL: 'ftp://attio',
      ATTIO_WEBHOOK_SECRET: 'a,,b',
      DATABASE_URL: 'mysql://x',
      SERVICE_API_KEYS: ',',
      SYNC_OBJECTS: 'People',
      PUBLIC_URL: 'http://bridge.example.com',
      LOG_LEVEL: 'loud',
    });
    expect(namesOf(error)).toEqual([
      'NODE_ENV',
      'HOST',
      'PORT',
      'ATTIO_API_KEY',
      'ATTIO_BASE_URL',
      'ATTIO_WEBHOOK_SECRET',
      'DATABASE_URL',
      'SERVICE_API_KEYS',
      'SYNC_OBJECTS',
      'PUBLIC_URL',
      'LOG_LEVEL',
    ]);
    for (const { name, problem, mend } of error.problems) {
      expect(error.message).toContain(`${name} ${problem}. ${mend}`);
      expect(mend).toMatch(/^(Set|Leave) .+\.$/);
    }
  });

  it('knows four policies for conflicts', () => {
    const policies = ['last-write-wins', 'attio-wins', 'local-wins', 'manual'];
    for (const SYNC_CONFLICT_POLICY of policies) {
      expect(loadConfig({ ...KEY, SYNC_CONFLICT_POLICY }).conflicts.policy).toBe(SYNC_CONFLICT_POLICY);
    }
    const { problems } = failure({ ...KEY, SYNC_CONFLICT_POLICY: 'newest' });
    expect(problems).toMatchObject([
      { name: 'SYNC_CONFLICT_POLICY', mend: expect.stringContaining(policies.join(', ')) },
    ]);
  });

  it('says yes to the values of those features that mean "without"', () => {
    expect(loadConfig({ ...KEY, SYNC_CONFLICT_POLICY: 'last-write-wins' })).toEqual(loadConfig(KEY));
  });

  it('takes the address of a Redis, with a password and a database or without', () => {
    expect(loadConfig(KEY).redis).toBeNull();
    for (const url of [
      'redis://cache',
      'redis://cache:6380/15',
      'rediss://user:p%40ss@cache.example.com',
      'redis://:secret@[::1]:6379/',
    ]) {
      expect(loadConfig({ ...KEY, REDIS_URL: url }).redis).toEqual({ url });
    }
  });

  it.each([
    'cache:6379',
    'http://cache',
    'redis://',
    'redis:///0',
    'redis://:hunter2@cache/x',
    'redis://:100%@cache',
    'redis://cache?db=1',
    'redis://cache:99999',
  ])('refuses %s as a Redis, and shows no password', (url) => {
    const { problems, message } = failure({ ...KEY, REDIS_URL: url });
    expect(problems.map(({ name }) => name)).toEqual(['REDIS_URL']);
    expect(message).not.toContain('hunter2');
  });

  it('mirrors all lists, those that are named, or none', () => {
    const lists = (value: string) => loadConfig({ ...KEY, SYNC_LISTS: value }).sync.lists;
    expect(lists('')).toBeNull();
    expect(lists('recruiting, sales,recruiting')).toEqual(['recruiting', 'sales']);
    expect(lists('none')).toEqual([]);
    expect(namesOf(failure({ ...KEY, SYNC_LISTS: 'A list' }))).toEqual(['SYNC_LISTS']);
  });

  it('never shows a value, whichever variable is bad', () => {
    const secret = 'hunter2 hunter2';
    const names = Object.keys(parse(exampleWithEveryLineOn()));
    const error = failure(Object.fromEntries(names.map((name) => [name, `${secret},,`])));
    expect(error.problems.length).toBeGreaterThan(10);
    expect(JSON.stringify([error.message, error.problems, error.stack])).not.toContain('hunter2');
  });

  it.each([
    [{ NODE_ENV: 'staging' }, ['ATTIO_WEBHOOK_SECRET', 'SERVICE_API_KEYS']],
    [{ NODE_ENV: 'production' }, ['ATTIO_WEBHOOK_SECRET', 'SERVICE_API_KEYS']],
    [{ HOST: '0.0.0.0' }, ['SERVICE_API_KEYS']],
    [{ HOST: 'bridge.internal' }, ['SERVICE_API_KEYS']],
    [{ HOST: '127.evil.example.com' }, ['SERVICE_API_KEYS']],
    [{ HOST: '::' }, ['SERVICE_API_KEYS']],
  ])('asks for secrets where others can reach it: %j', (env, names) => {
    expect(namesOf(failure({ ...KEY, ...env }))).toEqual(names);
  });

  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('takes %s for this machine alone', (HOST) => {
    expect(loadConfig({ ...KEY, HOST }).http.host).toBe(HOST);
  });

  it.each([
    ['PORT', '0', true],
    ['PORT', '65535', true],
    ['PORT', '-1', false],
    ['PORT', '3000.5', false],
    ['PORT', '0x10', false],
    ['DATABASE_URL', 'sqlite::memory:', true],
    ['DATABASE_URL', 'sqlite:/var/lib/attio.db', true],
    ['DATABASE_URL', 'sqlite:', false],
    ['DATABASE_URL', 'sqlite://data.db', false],
    ['DATABASE_URL', 'sqlite::memory', false],
    ['DATABASE_URL', 'postgres://user:password@db.internal:5432/attio?sslmode=verify-full', true],
    ['DATABASE_URL', 'postgresql://db/attio', true],
    ['DATABASE_URL', 'postgres:///attio?host=/var/run/postgresql', true],
    ['DATABASE_URL', 'postgres://db', false],
    ['DATABASE_URL', 'postgres://db/', false],
    ['DATABASE_URL', 'postgres:attio', false],
    ['DATABASE_URL', 'postgres://user:pass/word@db/attio', false],
    ['DATABASE_URL', 'postgres://user:12/34@db/attio', false],
    ['DATABASE_URL', 'postgres://user:12#34@db/attio', false],
    ['DATABASE_URL', 'mysql://db/attio', false],
    ['SYNC_OBJECTS', 'a-b_c9', true],
    ['SYNC_OBJECTS', 'people,', false],
    ['SYNC_OBJECTS', 'people,all', false],
    ['SYNC_OBJECTS', 'lists', false],
    ['SYNC_OBJECTS', 'runs', false],
    ['PUBLIC_URL', 'https://bridge.example.com/attio', true],
    ['PUBLIC_URL', 'https://user:pass@bridge.example.com', false],
    ['PUBLIC_URL', 'https://bridge.example.com/?a=b', false],
    ['ATTIO_BASE_URL', 'http://127.0.0.1:4010/v2', true],
    ['LOG_LEVEL', 'silent', true],
    ['LOG_LEVEL', 'INFO', false],
    ['NODE_ENV', 'test', true],
  ])('%s=%s: %s', (name, value, good) => {
    const env = { ...KEY, [name]: value };
    if (good) expect(() => loadConfig(env)).not.toThrow();
    else expect(namesOf(failure(env))).toEqual([name]);
  });
});

describe('the file of an environment', () => {
  it.each([
    ['development', { schemaTtlSeconds: 60, recordTtlSeconds: 10 }, 25, 5],
    ['test', { schemaTtlSeconds: 60, recordTtlSeconds: 10 }, 25, 5],
    ['staging', { schemaTtlSeconds: 300, recordTtlSeconds: 60 }, 40, 8],
    ['production', { schemaTtlSeconds: 1800, recordTtlSeconds: 300 }, 95, 22],
  ])('of %s is read', (NODE_ENV, cache, readsPerSecond, writesPerSecond) => {
    const config: AppConfig = loadConfig({ ...DEPLOYED, NODE_ENV });
    expect(config.cache).toEqual(cache);
    expect(config.attio).toMatchObject({ readsPerSecond, writesPerSecond });
  });

  it('is named, with the place, when a member is unknown, missing or wrong', () => {
    const error = failure(
      KEY,
      edited((settings) => {
        settings['extra'] = {};
        settings['cache'] = { schemaTtlSeconds: 'soon' };
        settings['sync'] = { ...settings['sync'], pageSize: 501, pagesize: 1 };
        settings['attio'] = { ...settings['attio'], readsPerSecond: 101 };
      }),
    );
    expect(namesOf(error).toSorted()).toEqual([
      'config/attio.development.json',
      'config/attio.development.json at attio.readsPerSecond',
      'config/attio.development.json at cache.recordTtlSeconds',
      'config/attio.development.json at cache.schemaTtlSeconds',
      'config/attio.development.json at sync',
      'config/attio.development.json at sync.pageSize',
    ]);
    expect(error.message).toContain('"pagesize"');
  });

  it('must let neighbouring pages overlap by less than a page', () => {
    const error = failure(
      KEY,
      edited((settings) => Object.assign(settings['sync'] ?? {}, { overlap: 500 })),
    );
    expect(namesOf(error)).toEqual(['config/attio.development.json at sync.overlap']);
  });

  it('says what is wrong with the example of an automation', () => {
    const error = failure(
      KEY,
      edited((settings) => {
        settings['automations'] = {
          ...settings['automations'],
          taskOnStage: { enabled: 'yes', list: 'Recruiting!', stage: ' ', content: 'x', dueInDays: -1 },
        };
      }),
    );
    const at = 'config/attio.development.json at automations.taskOnStage';
    expect(namesOf(error)).toEqual(['enabled', 'list', 'stage', 'dueInDays'].map((name) => `${at}.${name}`));
  });

  it('holds rules of conflicts, and says what is wrong with them', () => {
    const withRules = (conflicts: object) => edited((settings) => Object.assign(settings, { conflicts }));
    const at = 'config/attio.development.json at conflicts';
    const wrong = withRules({
      toleranceMs: -1,
      objects: { people: { policy: 'mine', fields: { job_title: 'theirs' }, field: {} }, 'Lists!': {} },
    });
    const error = failure(KEY, wrong);
    expect(namesOf(error).toSorted()).toEqual([
      `${at}.objects.Lists!`,
      `${at}.objects.people`,
      `${at}.objects.people.fields.job_title`,
      `${at}.objects.people.policy`,
      `${at}.toleranceMs`,
    ]);
    expect(error.message).toContain('is none of last-write-wins, attio-wins, local-wins, manual');
    const rules = { people: { policy: 'manual' }, deals: {}, tasks: {}, 'lists/hiring': {} };
    const strays = withRules({ toleranceMs: 0, objects: rules });
    const { problems } = failure({ ...KEY, SYNC_OBJECTS: 'people', SYNC_LISTS: 'recruiting' }, strays);
    expect(problems.map(({ name, mend }) => [name, /SYNC_\w+/.exec(mend)?.[0]])).toEqual([
      [`${at}.objects.deals`, 'SYNC_OBJECTS'],
      [`${at}.objects.lists/hiring`, 'SYNC_LISTS'],
    ]);
    expect(
      loadConfig({ ...KEY, SYNC_CONFLICT_POLICY: 'attio-wins' }, { readFile: strays }).conflicts,
    ).toEqual({
      policy: 'attio-wins',
      toleranceMs: 0,
      objects: rules,
    });
  });

  it('may be missing or broken: that is reported beside bad variables', () => {
    const missing = () => {
      throw new Error('ENOENT');
    };
    expect(namesOf(failure({ PORT: 'x' }, missing))).toEqual([
      'PORT',
      'ATTIO_API_KEY',
      'config/attio.development.json',
    ]);
    expect(namesOf(failure(KEY, () => '{'))).toEqual(['config/attio.development.json']);
  });
});

describe('.env.example', () => {
  it('shows the defaults: with every line on and a token, nothing changes', () => {
    const shown = { ...parse(exampleWithEveryLineOn()), ...KEY };
    expect(loadConfig(shown)).toEqual(loadConfig(KEY));
  });
});

function exampleWithEveryLineOn(): string {
  return readFileSync('.env.example', 'utf8').replaceAll(/^#(?=[A-Z_]+=)/gm, '');
}
