import { setTimeout as sleep } from 'node:timers/promises';
import { count, duration } from '../screen.ts';
import type { Contact, Run } from '../service-api.ts';
import type { Person } from '../workspace.ts';
import type { Play } from './telling.ts';

export const OBJECTS = ['people', 'companies', 'deals'] as const;

const POLL_MS = 100;

/** Everything that Attio has, for the first time. */
export async function firstFullSync(play: Play): Promise<void> {
  const { screen, stage } = play;
  const requestsBefore = stage.requests;
  screen.say('POST /v1/sync/all');
  const { run, tookMs } = await runFullSync(play);
  screen.say(
    `${count(run.created)} records and entries in ${duration(tookMs)}, with ${count(stage.requests - requestsBefore)} requests to Attio and no webhook needed.`,
  );
  checkRun(play, run);
  await checkMirror(play);
}

/** The net under the webhooks: it finds what none of them told, and leaves alone what is right. */
export async function moreFullSyncs(play: Play): Promise<void> {
  const { screen, checks, workspace, feed, stage } = play;
  await feed.skip();
  const { run, tookMs } = await runFullSync(play);
  const [changes, silent] = [await feed.skip(), workspace.silentlyChanged];
  screen.say(
    `${count(run.unchanged)} of ${count(run.seen)} records and entries unchanged, in ${duration(tookMs)}.`,
  );
  if (run.updated > 0)
    screen.say(`${run.updated} updated: they pointed at the merged people, and no webhook told of that.`);
  checks.equal('the second full sync succeeds', run.error ?? run.status, 'succeeded');
  checks.that(
    'it updates none but those that no webhook told of',
    run.updated <= silent,
    `${run.updated}, not up to ${silent}`,
  );
  checks.equal('it creates and deletes none', run.created + run.deleted, 0);
  checks.equal('each of its updates is one change', changes, run.updated);
  await checkMirror(play);

  const again = await stage.api.fullSync();
  screen.say(`Once more: ${count(again.unchanged)} of ${count(again.seen)} unchanged.`);
  const total = OBJECTS.reduce((sum, object) => sum + workspace.count(object), 0);
  checks.equal('the third full sync finds every record unchanged', unchangedRecords(again), total);
  checks.equal('it makes no change', await feed.skip(), 0);
}

/** Without what hangs on records. */
function unchangedRecords({ runs }: Run): number {
  const ofRecords = runs.filter((run) => OBJECTS.some((object) => object === run.object));
  return ofRecords.reduce((sum, run) => sum + run.unchanged, 0);
}

async function runFullSync(play: Play): Promise<{ run: Run; tookMs: number }> {
  const { api } = play.stage;
  const startedAt = performance.now();
  const runId = await api.startFullSync();
  for (const object of OBJECTS) await watchObject(play, runId, object);
  for (;;) {
    const run = await api.run(runId);
    if (run.status !== 'running') return { run, tookMs: performance.now() - startedAt };
    await sleep(POLL_MS);
  }
}

async function watchObject(play: Play, runId: string, object: string): Promise<void> {
  const bar = play.screen.progress(object, play.workspace.count(object));
  for (;;) {
    const whole = await play.stage.api.run(runId);
    const part = whole.runs.find((one) => one.object === object);
    const seen = part?.seen ?? 0;
    const ended = whole.status !== 'running' || (part !== undefined && part.status !== 'running');
    if (ended) return bar.end(seen);
    bar.update(seen);
    await sleep(POLL_MS);
  }
}

function checkRun({ checks, workspace }: Play, run: Run): void {
  checks.equal('the full sync succeeds', run.error ?? run.status, 'succeeded');
  for (const object of OBJECTS) {
    const part = run.runs.find((one) => one.object === object);
    checks.equal(`every one of the ${object} is created once`, part?.created, workspace.count(object));
  }
}

/** What internal systems see is what Attio has, record by record. */
async function checkMirror({ checks, stage, workspace }: Play): Promise<void> {
  const [contacts, companies] = [await stage.api.allContacts(), await stage.api.allCompanies()];
  const people = workspace.people();
  checks.equal('/v1/contacts has as many as Attio has people', contacts.length, people.length);
  const byId = new Map(contacts.map((contact) => [contact.recordId, contact]));
  const different = people.filter((person) => !isSame(person, byId.get(person.id)));
  checks.equal('each has the name, e-mail address and job title that Attio shows', different.length, 0);
  const names = new Map(companies.map((company) => [company.recordId, company.name]));
  const wrong = workspace.companies().filter(({ id, name }) => (names.get(id) ?? '') !== name);
  checks.equal('/v1/companies has as many as Attio', companies.length, workspace.count('companies'));
  checks.equal('each has the name that Attio shows', wrong.length, 0);
}

function isSame(person: Person, contact: Contact | undefined): boolean {
  if (contact === undefined) return false;
  const { email, jobTitle, firstName, lastName } = contact;
  const name = [firstName, lastName].filter((half) => half !== null).join(' ');
  return email === person.email && (jobTitle ?? '') === person.jobTitle && name === person.name;
}
