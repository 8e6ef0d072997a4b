import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { type AppConfig, ConfigError, loadConfig } from '../../src/config.ts';

const BASE = {
  ATTIO_API_KEY: 'token-of-attio',
  ATTIO_WEBHOOK_SECRET: 'hook-secret',
  SERVICE_API_KEYS: 'service-key',
};
const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const OTHER = `whsec_${Buffer.alloc(24, 2).toString('base64')}`;

type Variables = Record<string, string | undefined>;

/** @param settings what the file of the environment says differently */
function load(env: Variables, settings: Record<string, unknown> = {}): AppConfig {
  const readFile = (path: string) => {
    const content = JSON.parse(readFileSync(path, 'utf8'));
    return JSON.stringify({ ...content, changeWebhooks: { ...content.changeWebhooks, ...settings } });
  };
  return loadConfig({ ...BASE, NODE_ENV: 'production', ...env }, { readFile });
}

function problems(env: Variables, settings: Record<string, unknown> = {}): string[] {
  try {
    load(env, settings);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ name, problem }) => `${name} ${problem}`);
    throw error;
  }
  return [];
}

const withUrls = (urls: string) => ({ CHANGE_WEBHOOK_URLS: urls, CHANGE_WEBHOOK_SECRET: SECRET });

describe('CHANGE_WEBHOOK_URLS', () => {
  it('takes several addresses, each once, as they are called', () => {
    const urls = 'https://a.example.com/in?token=1, https://b.example.com,https://B.example.com/ ';
    expect(load(withUrls(urls)).changeWebhooks.urls).toEqual([
      'https://a.example.com/in?token=1',
      'https://b.example.com/',
    ]);
  });

  it.each([
    ['https://a.example.com,,https://b.example.com', 'has an empty part between commas'],
    ['ftp://a.example.com', 'has a part that is no http or https address (number 1)'],
    ['https://a.example.com,nonsense', 'has a part that is no http or https address (number 2)'],
    ['https://user:pass-word@a.example.com', 'has an address with a user name or password in it (number 1)'],
    ['https://a.example.com/#part', 'has an address with a # in it (number 1)'],
    ['https://a.example.com,http://b.example.com', 'has an address that is not https (number 2)'],
    ['https://127.0.0.1/', 'has an address that is of a loopback network (number 1)'],
    ['https://0x7f.1/', 'has an address that is of a loopback network (number 1)'],
    ['https://2130706433/', 'has an address that is of a loopback network (number 1)'],
    ['https://[::ffff:10.0.0.1]/', 'has an address that is of a private network (number 1)'],
    ['https://169.254.169.254/latest', 'has an address that is of a metadata network (number 1)'],
    ['https://localhost:8443/', 'has an address that leads to this machine (number 1)'],
    [
      Array.from({ length: 21 }, (_, index) => `https://h${index}.example.com`).join(),
      'has more than 20 addresses',
    ],
  ])('refuses %s', (urls, problem) => {
    expect(problems(withUrls(urls))).toEqual([`CHANGE_WEBHOOK_URLS ${problem}`]);
  });

  test('may name what the configuration allows', () => {
    const allowed = { allowHttp: true, allowedHosts: ['erp.internal', '10.1.0.0/16', 'localhost', '::1'] };
    const urls = 'http://erp.internal/in,http://10.1.2.3:8080/,https://localhost:1/,https://[::1]:2/';
    expect(problems(withUrls(urls), allowed)).toEqual([]);
    expect(problems(withUrls('http://10.2.0.1/'), allowed)).toEqual([
      'CHANGE_WEBHOOK_URLS has an address that is of a private network (number 1)',
    ]);
  });

  test('may name this machine in development, and nothing else that is private', () => {
    const development = { NODE_ENV: 'development', ...withUrls('http://127.0.0.1:3000/,http://localhost/') };
    expect(problems(development)).toEqual([]);
    expect(problems({ NODE_ENV: 'development', ...withUrls('http://192.168.1.1/') })).toHaveLength(1);
  });
});

describe('CHANGE_WEBHOOK_SECRET', () => {
  it('is required where there is an address, and idle where there is none', () => {
    expect(problems({ CHANGE_WEBHOOK_URLS: 'https://a.example.com' })).toEqual([
      'CHANGE_WEBHOOK_SECRET is required where CHANGE_WEBHOOK_URLS is set',
    ]);
    expect(load({ CHANGE_WEBHOOK_SECRET: SECRET }).changeWebhooks.urls).toEqual([]);
  });

  it('may be several, separated by commas or spaces', () => {
    for (const between of [',', ' ', ', ']) {
      const env = { CHANGE_WEBHOOK_SECRET: `${SECRET}${between}${OTHER}` };
      expect(load(env).changeWebhooks.secrets).toEqual([SECRET, OTHER]);
    }
  });

  it.each(['secret', 'whsec_', 'whsec_abc', `whsec_${'A'.repeat(20)}`, `${SECRET},whsec_?`])(
    'refuses %s, and says nothing of it',
    (secret) => {
      const found = problems({ CHANGE_WEBHOOK_URLS: 'https://a.example.com', CHANGE_WEBHOOK_SECRET: secret });
      expect(found).toEqual([
        'CHANGE_WEBHOOK_SECRET has a part that is not whsec_ with 24 to 64 bytes in base64 behind it',
      ]);
    },
  );
});

test('bad settings are named by their place', () => {
  expect(problems({}, { retrySeconds: [], allowedHosts: ['no host'] })).toEqual([
    expect.stringMatching(/^config\/attio\.production\.json at changeWebhooks\.retrySeconds is wrong/),
    expect.stringMatching(/^config\/attio\.production\.json at changeWebhooks\.allowedHosts\.0 is wrong/),
  ]);
});

test('an address with a password in it is said by its number alone', () => {
  const [problem] = problems(withUrls('https://user:pass-word@a.example.com/secret-path'));
  expect(problem).not.toMatch(/pass-word|secret-path|example/);
});
