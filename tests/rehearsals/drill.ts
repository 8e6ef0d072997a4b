/**
 * Three instances on one PostgreSQL under load, killed, paused and cut off again and again:
 * `npm run drill -- --seconds 60 --deliveries 50 --upserts 5`. Afterwards everything that was accepted must have had its
 * effect in Attio and in the mirror, once and in order.
 */
import { parseArgs } from 'node:util';
import type { SandboxServer } from '../mocks/http-server.ts';
import { freshDatabase } from '../support/engines.ts';
import { PrivateRedis } from '../support/private-redis.ts';
import { ServiceProcess, WITH_SHORT_LEASE } from '../support/process.ts';
import { API_KEY, freePort, prepareService, sign, until } from '../support/service.ts';
import { LEASE_MS } from '../support/several.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    deliveries: { type: 'string', default: '50' },
    upserts: { type: 'string', default: '5' },
    instances: { type: 'string', default: '3' },
  },
});
const seconds = Number(values.seconds);
const CONTACTS = 40;
const PERIOD_MS = 5_000;
const GIVE_UP_MS = 120_000;

process.env['TEST_ENGINE'] = 'postgres';
const faults: string[] = [];
const counts = {
  deliveries: 0,
  upserts: 0,
  notes: 0,
  refused: 0,
  kills: 0,
  pauses: 0,
  cuts: 0,
  redisStops: 0,
};

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

interface Instance {
  readonly port: number;
  child: ServiceProcess;
}

await using database = await freshDatabase('postgres');
await using service = await prepareService({
  subscribe: false,
  sandbox: { people: 200, companies: 5, deals: 5 },
});
await using redis = await PrivateRedis.prepare();
await redis.start();
const { sandbox } = service.sandbox as SandboxServer;
const base = { ...service.env, NODE_ENV: 'development', DATABASE_URL: database.url, REDIS_URL: redis.url };

function begin(port: number): ServiceProcess {
  return new ServiceProcess({ ...base, PORT: String(port) }, WITH_SHORT_LEASE);
}

const instances: Instance[] = [];
for (let index = 0; index < Number(values.instances); index += 1) {
  const port = await freePort();
  instances.push({ port, child: begin(port) });
}
process.on('exit', () => {
  for (const { child } of instances) child.signal('SIGKILL');
});
await Promise.all(instances.map(({ port, child }) => child.ready(`http://127.0.0.1:${port}`)));

let turn = 0;
/** Round robin, as a load balancer; what is not accepted is sent again to the next one, as Attio and callers do. */
async function send(
  path: string,
  method: string,
  body: string,
  headers: Record<string, string>,
): Promise<void> {
  for (const deadline = Date.now() + GIVE_UP_MS; Date.now() < deadline; ) {
    turn += 1;
    const { port = 0 } = instances[turn % instances.length] ?? {};
    const url = `http://127.0.0.1:${port}${path}`;
    const request = { method, body, headers: { 'content-type': 'application/json', ...headers } };
    const status = await fetch(url, { ...request, signal: AbortSignal.timeout(8_000) }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    if (status >= 200 && status < 300) return;
    counts.refused += 1;
    if (status !== 0 && status < 500 && status !== 409 && status !== 429)
      throw new Error(`${path}: ${status}`);
    await sleep(200);
  }
  faults.push(`${method} ${path} was accepted by nobody within ${GIVE_UP_MS / 1000} s`);
}

const auth = { authorization: `Bearer ${API_KEY}` };
await send('/v1/sync/people?wait=true', 'POST', '', auth).catch(() => {});

const found = await attio<{ data: Found[] }>('POST', '/objects/people/records/query', { limit: 150 });
const recordIds = found.data.map(({ id }) => id.record_id);
const endsAt = Date.now() + seconds * 1_000;
const work: Promise<void>[] = [];

async function deliverEvents(): Promise<void> {
  for (let count = 0; Date.now() < endsAt; count += 1) {
    const recordId = recordIds[count % recordIds.length] ?? '';
    sandbox.edit({ object: 'people', recordId, values: { job_title: `Edit ${count}` } });
    const body = JSON.stringify(service.event('record.updated', 'people', recordId));
    const headers = { 'attio-signature': sign(body, service.secret), 'idempotency-key': `delivery-${count}` };
    work.push(send('/webhooks', 'POST', body, headers));
    counts.deliveries += 1;
    await sleep(1_000 / Number(values.deliveries));
  }
}

const last = new Map<string, string>();
/** Writes of one contact one after the other, each when the one before it was accepted. */
async function upsert(contact: number): Promise<void> {
  const email = `drill.${contact}@example.com`;
  for (let count = 0; Date.now() < endsAt; count += 1) {
    const jobTitle = `Title ${count}`;
    await send('/v1/contacts', 'PUT', JSON.stringify({ email, jobTitle }), auth);
    last.set(email, jobTitle);
    counts.upserts += 1;
    await sleep((CONTACTS * 1_000) / Number(values.upserts));
  }
}

async function addNotes(): Promise<void> {
  for (let count = 0; Date.now() < endsAt; count += 1) {
    const body = { recordId: recordIds[0], title: `Drill ${count}`, content: 'Once' };
    await send('/v1/notes', 'POST', JSON.stringify(body), { ...auth, 'idempotency-key': `note-${count}` });
    counts.notes += 1;
    await sleep(500);
  }
}

async function pause({ child }: Instance): Promise<void> {
  counts.pauses += 1;
  child.signal('SIGSTOP');
  await sleep(2 * LEASE_MS);
  child.signal('SIGCONT');
}

async function kill(instance: Instance): Promise<void> {
  counts.kills += 1;
  await instance.child.kill();
  await sleep(1_000);
  instance.child = begin(instance.port);
}

async function cut(): Promise<void> {
  counts.cuts += 1;
  await database.rows(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
}

async function disturb(): Promise<void> {
  for (let count = 0; Date.now() < endsAt - PERIOD_MS; count += 1) {
    await sleep(PERIOD_MS);
    const instance = instances[Math.floor(Math.random() * instances.length)];
    if (instance === undefined) return;
    if (count % 4 === 1) await pause(instance);
    else if (count % 4 === 2) await cut();
    else await kill(instance);
    if (count === 3) {
      counts.redisStops += 1;
      redis.freeze();
      void sleep(20_000).then(() => redis.thaw());
    }
  }
}

await Promise.all([
  deliverEvents(),
  ...Array.from({ length: CONTACTS }, (_, contact) => upsert(contact)),
  addNotes(),
  disturb(),
]);
await Promise.all(work);
redis.thaw();

const pending = async () =>
  Number(
    (
      await database.rows(
        "select (select count(*) from inbox where status = 'pending') + (select count(*) from outbox where status = 'pending') as n",
      )
    )[0]?.['n'],
  );
await until(async () => (await pending()) === 0, GIVE_UP_MS).catch(async () => {
  faults.push(`${await pending()} rows are pending after ${GIVE_UP_MS / 1000} s`);
});

async function attio<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${service.sandbox.url}/v2${path}`, {
    method,
    headers: { authorization: 'Bearer the-auditor', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as T;
}

interface Found {
  readonly id: { readonly record_id: string };
  readonly values: { readonly job_title: readonly { readonly value: string }[] };
}

// The audit is no part of what is counted.
const { requests } = sandbox.requests();
const sent = requests.length;
const limited = requests.filter(({ status }) => status === 429).length;
if (limited > 0.005 * sent) faults.push(`${limited} of ${sent} requests met Attio's limits`);

const titleOf = new Map<string, string>();
for (let offset = 0; ; offset += 500) {
  const { data } = await attio<{ data: Found[] }>('POST', '/objects/people/records/query', {
    limit: 500,
    offset,
  });
  for (const { id, values: found } of data) titleOf.set(id.record_id, found.job_title[0]?.value ?? '');
  if (data.length < 500) break;
}
const mirrored = await database.rows(
  "select record_id, facts_json from entity where kind = 'people' and record_id is not null and deleted_at is null",
);
for (const row of mirrored) {
  const facts = JSON.parse(String(row['facts_json'])) as { jobTitle?: string | null };
  const there = titleOf.get(String(row['record_id']));
  if ((facts.jobTitle ?? '') !== there) faults.push(`a contact shows ${facts.jobTitle}, Attio has ${there}`);
}
const keys = await database.rows(
  "select key, record_id from entity_key join entity on entity.id = entity_id and entity.kind = entity_key.kind where key like 'drill.%'",
);
const recordOf = new Map(keys.map((row) => [String(row['key']), String(row['record_id'])]));
for (const [email, title] of last) {
  const there = titleOf.get(recordOf.get(email) ?? '');
  if (there !== title) faults.push(`${email} is ${there} in Attio, and was last accepted as ${title}`);
}
const doubles = mirrored.length - new Set(mirrored.map((row) => row['record_id'])).size;
if (doubles > 0 || titleOf.size !== 200 + CONTACTS)
  faults.push(`Attio has ${titleOf.size} people, not ${200 + CONTACTS}`);
const notes: string[] = [];
for (let offset = 0; ; offset += 50) {
  const { data } = await attio<{ data: { title: string }[] }>('GET', `/notes?limit=50&offset=${offset}`);
  notes.push(...data.map(({ title }) => title).filter((title) => title.startsWith('Drill ')));
  if (data.length < 50) break;
}
if (new Set(notes).size !== counts.notes)
  faults.push(`${new Set(notes).size} of ${counts.notes} notes are in Attio`);
if (notes.length !== new Set(notes).size)
  faults.push(`${notes.length - new Set(notes).size} notes are in Attio twice`);
const dead = await database.rows('select kind, reason, count(*) as n from dead_letter group by kind, reason');
for (const { kind, reason, n } of dead) faults.push(`${n} dead letters: ${kind} ${reason}`);

process.stdout.write(`${JSON.stringify({ ...counts, requests: sent, limited })}\n`);
for (const fault of faults.slice(0, 20)) process.stdout.write(`FAULT ${fault}\n`);
process.stdout.write(
  faults.length === 0 ? 'Nothing was lost, nothing was done twice.\n' : `${faults.length} faults.\n`,
);
for (const { child } of instances) child.signal('SIGCONT');
await Promise.all(instances.map(({ child }) => child.kill()));
process.exitCode = faults.length === 0 ? 0 : 1;
