import { setTimeout as sleep } from 'node:timers/promises';
import { duration } from '../screen.ts';
import type { Health } from '../service-api.ts';
import { firstOf } from './cast.ts';
import { PATIENCE_MS, type Play } from './telling.ts';

const POLL_MS = 200;
/** Long enough to be noticed, short enough to wait for. */
const OUTAGE_MS = 4_000;

/** Attio is away for some seconds: nothing is lost, nobody is turned away. */
export async function outage(play: Play): Promise<void> {
  const { workspace, checks, stage, screen, feed } = play;
  const [person] = firstOf(workspace.people().slice(400), 1);
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

  await sleep(Math.max(0, startedAt + OUTAGE_MS - performance.now()));
  stage.sandbox.sandbox.clearFaults();
  const endedAt = performance.now();
  screen.say(`Attio is back after ${duration(endedAt - startedAt)}.`);
  await feed.find(happening.change, 'the edit made during the outage', PATIENCE_MS);
  screen.say(`The edit is in the mirror ${duration(performance.now() - endedAt)} later.`);
  const contact = await stage.api.contact(person.id);
  checks.equal('the edit made during the outage arrives', contact?.jobTitle, 'Survivor of Outages');
  const healthy = await healthThat(play, (health) => health.status === 'ok');
  screen.say(`/health: ${healthy.status}, nothing waiting, ${healthy.checks.inbox.dead} dead letters.`);
  checks.equal('health is ok again', healthy.status, 'ok');
  checks.equal('nothing waits', healthy.checks.inbox.pending, 0);
  checks.equal('nothing was given up', healthy.checks.inbox.dead, 0);
}

/** @returns the last health seen, whether it fits or not */
async function healthThat({ stage }: Play, fits: (health: Health) => boolean): Promise<Health> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const health = await stage.api.health();
    if (fits(health) || performance.now() > deadline) return health;
    await sleep(POLL_MS);
  }
}
