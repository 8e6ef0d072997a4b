import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { firstOf } from './cast.ts';
import { PATIENCE_MS, type Play } from './telling.ts';

const LIST = 'recruiting';
const ROBIN = 'robin@example.com';

const written = z.object({
  data: z.object({ id: z.string() }).loose(),
  sync: z.object({ status: z.string() }),
});
const refusal = z.object({ detail: z.string() });
const stages = z.object({
  data: z.object({
    stages: z.array(
      z.object({
        title: z.string(),
        count: z.number(),
        valueTotal: z.number(),
        currencyCode: z.string().nullable(),
      }),
    ),
  }),
});
const rows = z.object({ data: z.array(z.object({ id: z.string() }).loose()) });

/** Lists, notes, tasks and comments: by internal systems, and by people in Attio. */
export async function teamWork(play: Play): Promise<void> {
  const entry = await intoTheList(play);
  await moved(play, entry);
  await activity(play, entry.email);
  await deals(play);
  inSql(play);
}

interface Entry {
  readonly id: string;
  readonly attioId: string;
  readonly email: string;
}

async function intoTheList(play: Play): Promise<Entry> {
  const { workspace, stage, screen, checks } = play;
  const [person] = firstOf(
    workspace
      .people()
      .slice(400)
      .filter(({ email }) => email !== ''),
    1,
  );
  screen.say(`A system puts ${person.name} into the list "${LIST}", and misspells the stage:`);
  const wrong = await stage.api.send('POST', `/v1/pipelines/${LIST}/entries`, {
    email: person.email,
    stage: 'Screning',
  });
  screen.fact('reply', `${wrong.status}, ${refusal.parse(wrong.body).detail}`);
  checks.equal('an unknown stage is 422', wrong.status, 422);
  screen.say('It mends that, and sends it ten times at once:');
  const body = { email: person.email, stage: 'screening', value: { amount: 1250.5 } };
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => stage.api.send('POST', `/v1/pipelines/${LIST}/entries`, body)),
  );
  const entries = answers.map(({ body: answer }) => written.parse(answer).data);
  const [first] = firstOf(entries, 1);
  checks.equal('all ten are answered with one entry', new Set(entries.map(({ id }) => id)).size, 1);
  const inAttio = workspace.entriesOf(LIST, person.id);
  checks.equal('there is one entry in Attio', inAttio.length, 1);
  screen.fact('entry', `${first.id}: Screening, 1250.5 USD; one in Attio`);
  return { id: first.id, attioId: inAttio[0]?.id ?? '', email: person.email };
}

async function moved(play: Play, entry: Entry): Promise<void> {
  const { workspace, stage, screen, checks, feed } = play;
  workspace.moveEntry(LIST, entry.attioId, 'Offer');
  screen.say('Robin Example drags the entry to "Offer", in Attio:');
  const change = await feed.find(
    (one) => one.type === 'entry.updated' && one.id === entry.id && one.source === 'attio',
    'the move',
    PATIENCE_MS,
  );
  screen.fact('change', `${change.type} ${change.id}: ${change.changed.join(', ')}`);
  const { body } = await stage.api.call('GET', `/v1/pipelines/${LIST}`);
  const totals = stages.parse(body).data.stages;
  const line = totals.map(({ title, count }) => `${title} ${count}`).join(', ');
  screen.fact('pipeline', line);
  const offer = await stage.api.call('GET', `/v1/pipelines/${LIST}/entries?stage=offer`);
  checks.that(
    'the entry is among those in Offer',
    rows.parse(offer.body).data.some(({ id }) => id === entry.id),
  );
}

async function activity(play: Play, email: string): Promise<void> {
  const { workspace, stage, screen, checks, feed } = play;
  const note = { email, title: 'Call', content: 'Wants **two** engines 🎉' };
  const headers = { 'idempotency-key': 'the-note-of-the-demo' };
  const [once, again] = [
    await stage.api.send('POST', '/v1/notes', note, headers),
    await stage.api.send('POST', '/v1/notes', note, headers),
  ];
  const { id: noteId } = written.parse(once.body).data;
  screen.say('A note, sent twice with one key; a task for Robin, about the same person:');
  checks.equal('the note is one', written.parse(again.body).data.id, noteId);
  const task = await stage.api.send('POST', '/v1/tasks', {
    content: 'Send the offer',
    deadlineAt: '2030-01-31T09:30:00Z',
    linkedRecords: [{ email }],
    assigneeEmails: [ROBIN],
  });
  const made = written.parse(task.body);
  checks.equal('the task is in Attio', made.sync.status, 'synced');
  screen.fact('note', noteId);
  screen.fact('task', made.data.id);
  workspace.completeTask(String(made.data['taskId']));
  screen.say('Robin Example ticks the task off, in Attio:');
  const change = await feed.find(
    (one) => one.type === 'task.updated' && one.id === made.data.id && one.source === 'attio',
    'the task that is done',
    PATIENCE_MS,
  );
  screen.fact('change', `${change.type} ${change.id}: ${change.changed.join(', ')}`);
  const comment = await stage.api.send('POST', '/v1/comments', {
    recordId: workspace.idOf(email),
    content: 'Who calls her?',
    authorEmail: ROBIN,
  });
  checks.equal('a comment is taken', comment.status, 200);
}

async function deals(play: Play): Promise<void> {
  const { stage, screen, checks } = play;
  const deal = { externalId: 'order:4711', name: 'Two engines', stage: 'lead', value: { amount: 99.5 } };
  await stage.api.send('PUT', '/v1/deals', { ...deal, companyDomain: 'engines.example' });
  const again = await stage.api.send('PUT', '/v1/deals', { ...deal, stage: 'In progress' });
  const { data, sync } = written.parse(again.body);
  screen.say("A deal, by the shop's own order number, twice; its company is made on the way:");
  screen.fact('deal', `${data.id}: In Progress`);
  checks.equal('the deal is in Attio', sync.status, 'synced');
  checks.equal('once', play.workspace.dealsNamed('Two engines'), 1);
}

/** As a reporting tool would. */
function inSql({ stage, screen, checks }: Play): void {
  const database = new DatabaseSync(join(stage.directory, 'demo.db'), { readOnly: true });
  try {
    const sql =
      'select c.name as company, count(*) as people from attio_people p join attio_companies c on p.company = c.record_id group by c.record_id order by people desc, company limit 3';
    const found = database.prepare(sql).all();
    screen.say('The same in SQL, for reports: attio_people joined to attio_companies:');
    for (const { company, people } of found) screen.fact('company', `${company}: ${people} people`);
    checks.equal('the views answer', found.length, 3);
  } finally {
    database.close();
  }
}
