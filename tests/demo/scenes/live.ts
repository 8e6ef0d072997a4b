import { setTimeout as sleep } from 'node:timers/promises';
import { duration } from '../screen.ts';
import { firstOf } from './cast.ts';
import { PATIENCE_MS, type Play, tell } from './telling.ts';

/** Time to read; and edits that follow each other sooner share one read. */
const PAUSE_MS = 1_100;
const BURST = 40;
/** Reads that a burst may cost: one at once, then at most one in a second while its webhooks come. */
const BURST_READS = 8;

/** People work in Attio: each click is a webhook, a read and a change. */
export async function livePeople(play: Play): Promise<void> {
  await edit(play);
  await sleep(PAUSE_MS);
  const added = await add(play);
  await sleep(PAUSE_MS);
  await editOthers(play);
  await remove(play, added);
  await sleep(PAUSE_MS);
  await merge(play);
}

async function edit(play: Play): Promise<void> {
  const { workspace, checks, stage } = play;
  const [person] = firstOf(workspace.people(), 1);
  await tell(play, () => workspace.setJobTitle(person, 'Head of Demos'));
  const contact = await stage.api.contact(person.id);
  checks.equal('the contact has the new job title', contact?.jobTitle, 'Head of Demos');
  checks.equal('its version is counted up', contact?.version, 2);
}

async function add(play: Play): Promise<string> {
  const { workspace, checks, stage } = play;
  const { happening } = await tell(play, () =>
    workspace.addPerson('Nia', 'Newcomer', 'nia.newcomer@example.org'),
  );
  const [contact] = await stage.api.contactsByEmail('Nia.Newcomer@Example.org');
  checks.equal('she is found by her e-mail address, in any case', contact?.id, happening.recordId);
  return happening.recordId;
}

async function editOthers(play: Play): Promise<void> {
  const { workspace, checks, stage } = play;
  const withoutTier = workspace.companies().filter(({ tier }) => tier === '');
  const [company] = firstOf(withoutTier, 1);
  await tell(play, () => workspace.setTier(company, 'Gold'));
  const mirrored = await stage.api.company(company.id);
  checks.equal('the company is of the tier Gold', mirrored?.attributes.tier?.title, 'Gold');
  const open = workspace.deals().filter((one) => one.stage === 'In Progress');
  const [deal] = firstOf(open, 1);
  const { change } = await tell(play, () => workspace.setStage(deal, 'Won 🎉'));
  checks.equal('the deal is in the change feed', change.object, 'deals');
}

async function remove(play: Play, recordId: string): Promise<void> {
  const { workspace, checks, stage } = play;
  await tell(play, () => workspace.deletePerson({ id: recordId, name: 'Nia Newcomer' }));
  const { status } = await stage.api.call('GET', `/v1/contacts/${recordId}`);
  checks.equal('the deleted contact answers 410 Gone', status, 410);
}

async function merge(play: Play): Promise<void> {
  const { workspace, checks, stage, feed, screen } = play;
  const [, kept, duplicate] = firstOf(workspace.people(), 3);
  const { happening, change } = await tell(play, () => workspace.mergePeople(kept, duplicate));
  const both = (other: typeof change) => other.type === 'record.merged' && other.mergedId === kept.id;
  await feed.find(both, 'the other half of the merge', PATIENCE_MS);
  screen.say('Attio made a new record of the two. Whoever asks for an old id gets the new person.');
  for (const old of [kept, duplicate]) {
    const contact = await stage.api.contact(old.id);
    checks.equal('a merged id answers the survivor', contact?.id, happening.recordId);
    checks.that('the survivor names what it was merged from', contact?.mergedFrom?.includes(old.id) ?? false);
    checks.that('it has the addresses of both', contact?.emails.includes(old.email) ?? false);
  }
}

/** Many edits in a moment: every one is mirrored, with a handful of reads. */
export async function burst(play: Play): Promise<void> {
  const { workspace, checks, stage, screen, feed } = play;
  const people = workspace.people().slice(100, 100 + BURST);
  const before = { requests: stage.requests, accepted: stage.deliveries.accepted };
  const startedAt = performance.now();
  const happenings = people.map((person) => workspace.setJobTitle(person, 'Head of Everything'));
  for (const happening of happenings) await feed.find(happening.change, happening.said, PATIENCE_MS);
  const tookMs = performance.now() - startedAt;
  await stage.sandbox.sandbox.settled();
  const reads = stage.requests - before.requests;
  const webhooks = stage.deliveries.accepted - before.accepted;
  screen.say(
    `${people.length} people get a new job title: ${webhooks} webhooks, at Attio's pace of 25 a second.`,
  );
  screen.say(`All mirrored after ${duration(tookMs)}, with ${reads} requests to Attio.`);
  checks.equal('each of the edits is delivered', webhooks, people.length);
  checks.that(`${reads} requests are enough for them all`, reads <= BURST_READS, `${reads} requests`);
  const contacts = await Promise.all(people.map(({ id }) => stage.api.contact(id)));
  const right = contacts.filter((contact) => contact?.jobTitle === 'Head of Everything').length;
  checks.equal('each of the contacts has its new job title', right, people.length);
}
