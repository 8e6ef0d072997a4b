import { z } from 'zod';
import { duration } from '../screen.ts';
import type { Contact, Written } from '../service-api.ts';
import { firstOf } from './cast.ts';
import { PATIENCE_MS, type Play, tell } from './telling.ts';
import { batchEnds, quiet } from './waiting.ts';

const TWINS = 20;

/** Internal systems write: the local database first, then Attio, and what is there already is never lost. */
export async function internalWrites(play: Play): Promise<void> {
  await play.feed.skip();
  const startedAt = performance.now();
  const made = await makeBoth(play);
  const changed = await addToPerson(play);
  await echoes(play, startedAt, made, changed);
  await onceOnly(play);
  await removal(play);
}

/** A contact of a company that nobody knows yet. */
async function makeBoth(play: Play): Promise<Contact> {
  const { workspace, checks, stage, screen } = play;
  const domain = 'brand-new.example.com';
  checks.that('nobody knows the company yet', workspace.companyWith(domain) === null);
  screen.say(`The web shop writes a customer, of a company that Attio does not have: ${domain}.`);
  const written = await stage.api.putContact({
    email: 'Wren.Writer@Brand-New.example.com',
    firstName: 'Wren',
    lastName: 'Writer',
    phone: '+1 555 100 2000',
    jobTitle: 'Buyer',
    company: { domain },
    externalId: 'shop:1001',
  });
  const { contact } = tellReply(play, written);
  const card = workspace.card(contact.recordId ?? '');
  const company = workspace.companyWith(domain);
  screen.fact('Attio', `${card.name}, ${card.emails.join(', ')}, ${card.phones.join(', ')}, of ${domain}`);
  checks.equal('the write is answered when Attio has it', written.status, 200);
  checks.equal('it is synced', contact.sync.status, 'synced');
  checks.equal('Attio shows the new person', card.name, 'Wren Writer');
  checks.equal('with the address in lower case', card.emails.join(), 'wren.writer@brand-new.example.com');
  checks.equal('with the phone number', card.phones.join(), '+15551002000');
  checks.that('the company was made', company !== null);
  checks.equal('the person is linked to it', card.companyId, company?.id ?? 'a company');
  checks.that(
    'the company was made first',
    company !== null && Date.parse(company.createdAt) <= Date.parse(card.createdAt),
  );
  return contact;
}

/** By another of her addresses; with a phone number more, and half a name. */
async function addToPerson(play: Play): Promise<Contact> {
  const { workspace, checks, stage, screen } = play;
  const [person] = firstOf(workspace.people().slice(600), 1);
  const second = `private.${person.email}`;
  await tell(play, () => workspace.addAddress(person, second, '+1 555 200 3000'));
  const before = workspace.card(person.id);
  const writesBefore = stage.writes;
  screen.say('The newsletter knows her by that second address; it writes a first name and one more number.');
  const written = await stage.api.putContact({
    email: second.toUpperCase(),
    firstName: 'Quill',
    phone: '+1 555 300 4000',
  });
  const { contact } = tellReply(play, written);
  const after = workspace.card(person.id);
  screen.fact('Attio', `${after.name}, ${after.emails.join(', ')}, ${after.phones.join(', ')}`);
  const kept = (had: readonly string[], has: readonly string[]) => had.every((value) => has.includes(value));
  const [, ...lastName] = before.name.split(' ');
  checks.equal('any of her addresses finds her', contact.id, person.id);
  checks.that('no address is lost', kept(before.emails, after.emails), after.emails.join());
  checks.that('no phone number is lost', kept(before.phones, after.phones), after.phones.join());
  checks.equal('the new number is added', after.phones.length, before.phones.length + 1);
  checks.equal('half a name keeps the other half', after.name, ['Quill', ...lastName].join(' '));
  checks.equal('Attio is written to once', stage.writes - writesBefore, 1);
  return contact;
}

/** What was written comes back as webhooks, and goes no further. */
async function echoes(play: Play, since: number, made: Contact, changed: Contact): Promise<void> {
  const { stage, checks, screen, feed } = play;
  const writesBefore = stage.writes;
  for (const [type, { id, recordId }] of [
    ['record.created', made],
    ['record.updated', changed],
  ] as const) {
    const ours = await feed.find(
      (change) => change.type === type && change.id === id && change.source === 'local',
      `the ${type} of a write`,
      PATIENCE_MS,
    );
    checks.equal('a write is in the feed, as ours', ours.source, 'local');
    const { status } = await stage.deliveries.find(type, recordId ?? '', since, PATIENCE_MS);
    checks.equal('its echo is accepted', status, 202);
  }
  await quiet(play);
  const more = (await feed.rest()).filter(({ id }) => id === made.id || id === changed.id);
  const writes = stage.writes - writesBefore;
  screen.say('Both writes come back as webhooks: no second change in the feed, nothing written again.');
  checks.that('an echo makes no second change', more.length === 0, JSON.stringify(more));
  checks.equal('an echo is not written back', writes, 0);
}

/** The same request many times at once, as nervous clients do. */
async function onceOnly(play: Play): Promise<void> {
  const { stage, checks, screen, workspace } = play;
  const writesBefore = stage.writes;
  const peopleBefore = workspace.count('people');
  const body = {
    contacts: [{ email: 'once.only@example.net', firstName: 'Once', lastName: 'Only', jobTitle: 'Buyer' }],
  };
  const answers = await Promise.all(
    Array.from({ length: TWINS }, () =>
      stage.api.send('POST', '/v1/contacts/batch', body, { 'idempotency-key': 'demo-1' }),
    ),
  );
  const bodies = new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`));
  const replayed = answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true').length;
  const [first] = answers;
  const { id } = z.object({ data: z.object({ id: z.string() }) }).parse(first?.body).data;
  await batchEnds(play, id);
  screen.say(`One batch is sent ${TWINS} times at once, with one Idempotency-Key.`);
  screen.fact(
    'replies',
    `${bodies.size === 1 ? 'all the same' : `${bodies.size} different ones`}, ${replayed} of them repeated`,
  );
  screen.fact('Attio', `${workspace.count('people') - peopleBefore} new person`);
  checks.equal('all of them get one reply', bodies.size, 1);
  checks.equal('which is 202', first?.status, 202);
  checks.equal('only the first one was carried out', replayed, TWINS - 1);
  checks.equal('one person is made', workspace.count('people') - peopleBefore, 1);
  checks.equal('Attio is written to once for all of them', stage.writes - writesBefore, 1);
}

/** Who asks to be forgotten is, here and in Attio. */
async function removal(play: Play): Promise<void> {
  const { stage, checks, screen, workspace } = play;
  const peopleBefore = workspace.count('people');
  const [contact] = await stage.api.contactsByEmail('once.only@example.net');
  const path = `/v1/contacts/${contact?.id}`;
  const { status } = await stage.api.call('DELETE', `${path}?attio=delete&erase=true`);
  const afterwards = await stage.api.call('GET', path);
  screen.say(
    `She asks to be forgotten. DELETE ${path}?attio=delete&erase=true: ${status}; a GET answers ${afterwards.status}.`,
  );
  checks.equal('a contact is removed', status, 200);
  checks.equal('it is gone here', afterwards.status, 410);
  checks.equal('it is gone in Attio', workspace.count('people'), peopleBefore - 1);
  await quiet(play);
}

export function tellReply({ screen }: Play, written: Written): Written {
  const { status, contact, tookMs } = written;
  const how = contact.sync.status === 'synced' ? `synced as ${contact.recordId}` : contact.sync.status;
  screen.fact('reply', `${status}, ${how}, after ${duration(tookMs)}`);
  return written;
}
