import { setTimeout as sleep } from 'node:timers/promises';
import { duration } from '../screen.ts';
import type { Conflict, Contact } from '../service-api.ts';
import type { Happening, Person } from '../workspace.ts';
import { firstOf } from './cast.ts';
import { PATIENCE_MS, type Play } from './telling.ts';
import { contactThat, healthThat, quiet } from './waiting.ts';
import { tellReply } from './writes.ts';

/** Long enough to be noticed, short enough to wait for. */
const OUTAGE_MS = 4_000;

/** A caller is not kept waiting for what is known to be down. */
const AT_ONCE_MS = 1_000;
/** What we write and what a person does, in this order beyond the doubts between two clocks. */
const APART_MS = 300;

/** Attio is away for some seconds: nothing is lost, nobody is turned away. */
export async function outage(play: Play): Promise<void> {
  const { workspace, checks, stage, screen, feed } = play;
  const [person, other] = firstOf(workspace.people().slice(400), 2);
  stage.sandbox.sandbox.addFault({ kind: 'status', status: 503 });
  screen.say('From now on every request to Attio answers 503.');
  const startedAt = performance.now();
  const happening = workspace.setJobTitle(person, 'Survivor of Outages');
  const { event, recordId } = happening;
  const { status } = await stage.deliveries.find(event, recordId, startedAt, PATIENCE_MS);
  screen.say(`${happening.said} Its webhook is stored and answered ${status}.`);
  checks.equal('the webhook is accepted while Attio is down', status, 202);
  const degraded = await healthThat(play, (health) => health.checks.attio.circuit !== 'closed');
  screen.say(
    `/health: ${degraded.status}, circuit ${degraded.checks.attio.circuit}, ${degraded.checks.inbox.pending} event waiting; Attio is left alone but for a try now and then.`,
  );
  checks.equal('health is degraded', degraded.status, 'degraded');
  checks.equal('the event waits', degraded.checks.inbox.pending, 1);
  const local = await stage.api.contact(person.id);
  screen.say(`GET /v1/contacts/${person.id} is answered all the same, from the local database.`);
  checks.that('contacts are read from the local database', local !== null && local.jobTitle !== null);
  const heldBack = await writeMeanwhile(play, other);

  await sleep(Math.max(0, startedAt + OUTAGE_MS - performance.now()));
  stage.sandbox.sandbox.clearFaults();
  const endedAt = performance.now();
  screen.say(`Attio is back after ${duration(endedAt - startedAt)}.`);
  await feed.find(happening.change, 'the edit made during the outage', PATIENCE_MS);
  screen.say(`The edit is in the mirror ${duration(performance.now() - endedAt)} later.`);
  const contact = await stage.api.contact(person.id);
  checks.equal('the edit made during the outage arrives', contact?.jobTitle, 'Survivor of Outages');
  await delivered(play, other, heldBack);
  await quiet(play);
  const healthy = await healthThat(play, (health) => health.status === 'ok');
  const { inbox, outbox } = healthy.checks;
  const [waiting, dead] = [inbox.pending + outbox.pending, inbox.dead + outbox.dead];
  screen.say(`/health: ${healthy.status}, ${waiting} waiting, ${dead} dead letters.`);
  checks.equal('health is ok again', healthy.status, 'ok');
  checks.equal('nothing waits', waiting, 0);
  checks.equal('nothing was given up', dead, 0);
}

/** What a system wrote during the outage, and what a person did to the same field after that. */
interface HeldBack {
  readonly written: Contact;
  readonly edit: Happening;
}

async function writeMeanwhile(play: Play, person: Person): Promise<HeldBack> {
  const { workspace, checks, stage, screen } = play;
  screen.say(`A system writes a job title and a phone number of ${person.name}:`);
  const { status, contact, tookMs } = tellReply(
    play,
    await stage.api.putContact({
      email: person.email,
      jobTitle: 'As the system has it',
      phone: '+1 555 400 5000',
    }),
  );
  checks.equal('a write is taken while Attio is down', status, 202);
  checks.that('at once', tookMs < AT_ONCE_MS, duration(tookMs));
  const local = await stage.api.contact(person.id);
  checks.equal('it is in the local database', local?.jobTitle, 'As the system has it');
  checks.equal('as pending', local?.sync.status, 'pending');
  const { outbox } = (await stage.api.health()).checks;
  checks.equal('health counts what waits for Attio', outbox.pending, 1);
  await sleep(APART_MS);
  const edit = workspace.setJobTitle(person, 'As a person has it');
  screen.say(`${edit.said} That is later than the write, which has not left yet.`);
  return { written: contact, edit };
}

/** The later one wins, field by field; both values are put on record. */
async function delivered(play: Play, person: Person, { written, edit }: HeldBack): Promise<void> {
  const { workspace, checks, stage, screen, feed } = play;
  await feed.find(edit.change, edit.said, PATIENCE_MS);
  const contact = await contactThat(play, written.id, ({ sync }) => sync.status !== 'pending');
  const card = workspace.card(person.id);
  screen.say(
    'The write that was held back is delivered, but for the field that the person has changed since:',
  );
  screen.fact('Attio', `${card.name}, "${card.jobTitle}", ${card.phones.join(', ')}`);
  checks.equal('the write is synced', contact?.sync.status, 'synced');
  checks.equal("the person's edit stands in Attio", card.jobTitle, 'As a person has it');
  checks.equal('and in the local database', contact?.jobTitle, 'As a person has it');
  checks.that('the other field is written', card.phones.includes('+15554005000'), card.phones.join());
  const conflicts = (await stage.api.conflicts()).filter(({ entityId }) => entityId === written.id);
  for (const conflict of conflicts) screen.fact('conflict', describe(conflict));
  const [conflict] = conflicts;
  checks.equal('GET /v1/conflicts has one', conflicts.length, 1);
  checks.equal('about the field', conflict?.field, 'job_title');
  checks.equal("with the system's value", String(conflict?.local), 'As the system has it');
  checks.equal("and the person's", String(conflict?.attio), 'As a person has it');
  checks.equal('which stands', conflict?.decided, 'attio');
}

function describe({ field, local, attio, decided }: Conflict): string {
  return `${field}: "${local}" from here, "${attio}" in Attio; ${decided === 'attio' ? "Attio's" : 'ours'} stands`;
}
