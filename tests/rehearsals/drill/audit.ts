import { settledOutOfOrder } from '../../bench/support/events.ts';
import { type Run, until } from '../../support/service.ts';
import { CONTACTS, type Load } from './load.ts';
import { AUTHORIZED, PEOPLE, type Stage } from './stage.ts';

const DRAIN_MS = 180_000;
const MOST_LIMITED = 0.005;

/** Things that should not be, by what they are. */
export interface Findings {
  readonly lost: string[];
  readonly twice: string[];
  readonly outOfOrder: string[];
  readonly differences: string[];
  readonly others: string[];
}

export interface Audit extends Findings {
  readonly requests: number;
  /** Of these, those that Attio answered with 429. */
  readonly limited: number;
}

/** Waits until nothing is pending, and compares what was accepted with Attio and with the mirror. */
export async function audit(stage: Stage, load: Load): Promise<Audit> {
  const findings: Findings = {
    lost: [],
    twice: [],
    outOfOrder: [],
    differences: [],
    others: [...load.faults],
  };
  await drain(stage, findings);
  // The audit is no part of what is counted.
  const { total, statuses } = stage.sandbox.requests();
  const limited = statuses['429'] ?? 0;
  if (limited > MOST_LIMITED * total) {
    findings.others.push(`${limited} of ${total} requests met Attio's limits`);
  }
  await auditDeliveries(stage, load, findings);
  await auditFeed(stage, findings);
  auditPeople(stage, load, findings);
  auditNotes(stage, load, findings);
  await auditMirror(stage, findings);
  return { ...findings, requests: total, limited };
}

async function drain({ database }: Stage, { lost }: Findings): Promise<void> {
  const pending = async () => {
    const [row] = await database.rows(
      "select (select count(*) from inbox where status = 'pending') + (select count(*) from outbox where status = 'pending') as n",
    );
    return Number(row?.['n']);
  };
  await until(async () => (await pending()) === 0, DRAIN_MS, 500).catch(async () => {
    lost.push(`${await pending()} rows are pending after ${DRAIN_MS / 1_000} s`);
  });
  const dead = await database.rows(
    'select kind, reason, count(*) as n from dead_letter group by kind, reason',
  );
  for (const { kind, reason, n } of dead) lost.push(`${n} dead letters: ${kind} ${reason}`);
}

async function auditDeliveries({ database }: Stage, load: Load, found: Findings): Promise<void> {
  const rows = await database.rows(
    'select attribute_id, status, count(*) as n from inbox where attribute_id is not null group by attribute_id, status',
  );
  const statusOf = new Map(rows.map((row) => [String(row['attribute_id']), row['status']]));
  for (const id of load.deliveries) {
    if (statusOf.get(id) !== 'done') found.lost.push(`a delivery is ${statusOf.get(id) ?? 'not there'}`);
  }
  const twice = rows.filter((row) => Number(row['n']) > 1).length;
  if (twice > 0) found.twice.push(`${twice} deliveries are stored twice`);
  const late = await settledOutOfOrder(database);
  if (late > 0) found.outOfOrder.push(`${late} events were settled before earlier ones of their record`);
}

/** Edits of one record are told of in their order. */
async function auditFeed({ database }: Stage, { outOfOrder }: Findings): Promise<void> {
  const rows = await database.rows(
    "select id, data_json from change where object = 'people' and type = 'record.updated' order by seq",
  );
  const last = new Map<string, number>();
  for (const row of rows) {
    const id = String(row['id']);
    const found = /"(?:Edit|Title) (\d+)"/.exec(String(row['data_json']));
    if (found === null) continue;
    const count = Number(found[1]);
    if (count < (last.get(id) ?? 0)) outOfOrder.push(`the feed tells of ${count} after ${last.get(id)}`);
    last.set(id, count);
  }
}

interface Value {
  readonly value: string;
}

interface Person {
  readonly id: { readonly record_id: string };
  readonly values: {
    readonly email_addresses: readonly { readonly email_address: string }[];
    readonly job_title: readonly Value[];
  };
}

function peopleIn({ attio }: Stage): Person[] {
  const people: Person[] = [];
  for (;;) {
    const query = { limit: 500, offset: people.length };
    const found = attio<Person[]>('POST', '/objects/people/records/query', query);
    people.push(...found);
    if (found.length < 500) return people;
  }
}

/** Titles of one person are in Attio in the order in which they were accepted, each once, and none is older than the last one. */
function auditPeople(stage: Stage, load: Load, found: Findings): void {
  const people = peopleIn(stage);
  const wanted = PEOPLE + CONTACTS;
  if (people.length > wanted) found.twice.push(`Attio has ${people.length} people, not ${wanted}`);
  const idOf = new Map(
    people.flatMap(({ id, values }) =>
      values.email_addresses.map((address) => [address.email_address, id.record_id] as const),
    ),
  );
  for (const [email, title] of load.titles) {
    const path = `/objects/people/records/${idOf.get(email)}/attributes/job_title/values?show_historic=true`;
    const titles = idOf.has(email) ? stage.attio<Value[]>('GET', path).map(({ value }) => value) : [];
    if (countOf(titles.at(-1)) < countOf(title))
      found.lost.push(`${email} is ${titles.at(-1)}, and was last accepted as ${title}`);
    auditTitles(email, titles, found);
  }
}

function countOf(title = ''): number {
  return title === '' ? -1 : Number(title.replace('Title ', ''));
}

function auditTitles(email: string, titles: readonly string[], { twice, outOfOrder }: Findings): void {
  const counts = titles.map(countOf);
  for (const [index, later] of counts.slice(1).entries()) {
    const before = counts[index] ?? 0;
    if (later === before) twice.push(`${email} became ${later} twice`);
    if (later < before) outOfOrder.push(`${email} became ${later} after ${before}`);
  }
}

function auditNotes({ attio }: Stage, load: Load, found: Findings): void {
  const titles: string[] = [];
  for (let offset = 0; ; offset += 50) {
    const notes = attio<{ title: string }[]>('GET', `/notes?limit=50&offset=${offset}`);
    titles.push(...notes.map(({ title }) => title).filter((title) => title.startsWith('Drill ')));
    if (notes.length < 50) break;
  }
  const different = new Set(titles).size;
  if (different < load.notes) found.lost.push(`${different} of ${load.notes} notes are in Attio`);
  if (different < titles.length) found.twice.push(`${titles.length - different} notes are in Attio twice`);
}

/** A full sync finds nothing to mend, and what callers are shown is what Attio has. */
async function auditMirror(stage: Stage, { differences }: Findings): Promise<void> {
  const { database, instances } = stage;
  const titleOf = new Map(
    peopleIn(stage).map(({ id, values }) => [id.record_id, values.job_title[0]?.value ?? '']),
  );
  const entities = await database.rows(
    "select record_id, facts_json from entity where kind = 'people' and record_id is not null and deleted_at is null",
  );
  if (entities.length !== titleOf.size)
    differences.push(`${entities.length} contacts are here, and ${titleOf.size} people in Attio`);
  for (const row of entities) {
    const { jobTitle } = JSON.parse(String(row['facts_json'])) as { jobTitle?: string | null }; // as the store wrote it
    const there = titleOf.get(String(row['record_id']));
    if ((jobTitle ?? '') !== there) differences.push(`a contact shows ${jobTitle}, Attio has ${there}`);
  }
  const [instance] = instances;
  await instance?.ready();
  const answer = await fetch(`${instance?.url}/v1/sync/people?wait=true`, {
    method: 'POST',
    headers: AUTHORIZED,
  });
  const { data } = (await answer.json()) as { data: Run };
  const mended = data.created + data.updated + data.deleted;
  if (data.status !== 'succeeded' || mended > 0)
    differences.push(`a full sync has ${data.status}, and mended ${mended} records`);
}
