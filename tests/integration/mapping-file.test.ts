/** The mapping as operators have it: in `config/attio.*.json` of a copy of the package, run as a process. */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { addMapped } from '../support/mapping.ts';
import { ServiceProcess } from '../support/process.ts';
import { prepareService, type TestService, until } from '../support/service.ts';
import { attio, put, SMALL } from '../support/writes.ts';

const ROOT = new URL('../../', import.meta.url).pathname;

let home: string;
let service: TestService;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'mapped-'));
  for (const name of ['src', 'config', 'package.json']) {
    await cp(join(ROOT, name), join(home, name), { recursive: true });
  }
  await symlink(join(ROOT, 'node_modules'), join(home, 'node_modules'));
  service = await prepareService({ sandbox: SMALL });
  addMapped(service);
});

afterEach(async () => {
  await service[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
  expect(takeViolations()).toEqual([]);
});

async function configure(mapping: unknown): Promise<void> {
  const path = join(home, 'config/attio.production.json');
  const settings = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...settings, mapping }));
}

function run(script: string, ...argv: string[]): ServiceProcess {
  return new ServiceProcess({ ...service.env, PATH: process.env['PATH'] ?? '' }, [
    join(home, script),
    ...argv,
  ]);
}

test('a bad one stops the start: one message names everything, by its place in the file', async () => {
  await configure({
    people: {
      phone: { direction: 'sideways' },
      jobTitle: { attribute: 'Job Title', colour: 'red' },
      tier: { attribute: 'customer_tier', transform: { map: { gold: 'Gold', silver: 'gold' } } },
      company: null,
      email: { attribute: 'mail' },
    },
    companies: { name: { transform: 'shout' } },
    deals: { stage: { direction: 'in' } },
    persons: {},
  });
  const started = run('src/index.ts');
  expect((await started.exited).code).toBe(1);
  const at = 'config/attio.production.json at mapping';
  for (const line of [
    `${at} is wrong: has persons, which is not known: there are people, companies, deals.`,
    `${at}.people.phone.direction is wrong: must be one of in, out, both, none.`,
    `${at}.people.jobTitle.attribute is wrong: is no attribute slug.`,
    `${at}.people.jobTitle is wrong: has colour, which is not known: there are attribute, direction, owner, transform.`,
    `${at}.people.company is wrong: must be an object with attribute, direction, owner, transform, or some of them; {"direction":"none"} leaves the field out.`,
    `${at}.people.tier.transform.map.silver is wrong: is what gold is, too: values go both ways, so each must be another.`,
    `${at}.people.email is wrong: is what people are found by, and is always email_addresses: leave it out.`,
    `${at}.companies.name.transform is wrong: must be "trim"`,
    `${at}.deals.stage.direction is wrong: must be both`,
  ]) {
    expect(started.output).toContain(line);
  }
  expect(started.output.match(/at mapping/g)).toHaveLength(9);
  expect(started.output).toContain('under "Mapping"');
  expect(started.output).not.toContain('    at ');
});

test('doctor names what the workspace lacks, and how to mend it', async () => {
  await configure({
    people: {
      jobTitle: { attribute: 'rolle' },
      tier: {
        attribute: 'customer_tier',
        transform: { map: { gold: 'Gold customer', tin: 'Silber customer' } },
      },
      strength: { attribute: 'strongest_connection_strength' },
    },
    companies: { externalId: { attribute: 'erp_id' } },
  });
  const looked = run('src/cli.ts', 'doctor', '--json');
  await looked.exited;
  const { checks } = JSON.parse(looked.output) as {
    checks: { id: string; status: string; message: string; mend: string }[];
  };
  const found = checks.filter(({ id }) => id === 'mapping');
  expect(found.map(({ status, message }) => `${status} ${message}`)).toEqual([
    'failed mapping.people.jobTitle: people have no attribute "rolle"; did you mean "role"?',
    'failed mapping.people.strength: the attribute "strongest_connection_strength" cannot be written: Attio sets it itself',
    'failed mapping.people.tier: "tin" stands for "Silber customer", which is no option of "customer_tier"; did you mean "Silver customer"?',
    'warning mapping.people.tier: the table has no word for "Silver customer", "Lead" of "customer_tier": shown as they are',
  ]);
  expect(found[0]?.mend).toBe(
    'Make the attribute in Attio (Workspace settings > Objects), or correct mapping.people.jobTitle in config/attio.*.json.',
  );
});

test('status tells of it while the service runs', async () => {
  await configure({ people: { jobTitle: { attribute: 'rolle' } } });
  const started = run('src/index.ts');
  service.url = `http://127.0.0.1:${service.env['PORT']}`;
  await started.ready(service.url);
  await until(async () => {
    const { body } = await service.get<{ checks: { mapping?: unknown } }>('/health');
    return body.checks.mapping !== undefined;
  });
  const looked = run('src/cli.ts', 'status');
  await looked.exited;
  expect(looked.output).toContain('degraded.');
  expect(looked.output).toContain(
    'Mapping: people.jobTitle: people have no attribute "rolle"; did you mean "role"?',
  );
  started.signal('SIGTERM');
  expect((await started.exited).code).toBe(0);
});

/** The mapping that the README shows. */
async function example(): Promise<unknown> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const [, section = ''] = readme.split('\n### Mapping\n');
  const [, block = ''] = section.split('```json\n');
  const [json] = block.split('\n```');
  return (JSON.parse(`{${json}}`) as { mapping: unknown }).mapping;
}

test('the one in the README is what the service does', async () => {
  await configure(await example());
  const looked = run('src/cli.ts', 'doctor', '--json');
  await looked.exited;
  expect(looked.output).toContain('the table has no word for \\"Lead\\"');
  expect(looked.output).not.toContain('have no attribute');
  const started = run('src/index.ts');
  service.url = `http://127.0.0.1:${service.env['PORT']}`;
  await started.ready(service.url);
  await service.confirmed();
  const { status, body } = await put(service, {
    email: 'ada@mapped.example',
    jobTitle: 'Analyst',
    externalId: 'erp:1',
    fields: { tier: 'gold' },
  });
  expect(status).toBe(200);
  expect(body.data).toMatchObject({ jobTitle: 'Analyst', externalId: 'erp:1', fields: { tier: 'gold' } });
  expect(attio(service, body.data.recordId)).toMatchObject({
    role: ['Analyst'],
    customer_tier: ['Gold customer'],
    erp_id: ['erp:1'],
  });
  const health = await service.get<{ status: string }>('/health');
  expect(health.body.status).toBe('ok');
  started.signal('SIGTERM');
  expect((await started.exited).code).toBe(0);
});
