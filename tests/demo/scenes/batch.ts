import { z } from 'zod';
import { count, duration } from '../screen.ts';
import type { Play } from './telling.ts';
import { batchEnds, quiet } from './waiting.ts';

const NEW = 30;
const KNOWN = 30;

const receipt = z.object({ data: z.object({ id: z.string(), accepted: z.number() }) });

/** Many at once: taken in a moment, brought to Attio at the pace that it allows. */
export async function batch(play: Play): Promise<void> {
  const { workspace, stage, checks, screen, feed } = play;
  const known = workspace.people().slice(800, 800 + KNOWN);
  const contacts = [
    ...Array.from({ length: NEW }, (_, index) => ({
      email: `attendee.${index + 1}@example.net`,
      firstName: 'Attendee',
      lastName: `No. ${index + 1}`,
      jobTitle: 'Visitor',
    })),
    ...known.map(({ email, jobTitle }) => ({ email, jobTitle })),
  ];
  const before = { writes: stage.writes, people: workspace.count('people') };
  const startedAt = performance.now();
  const answer = await stage.api.send('POST', '/v1/contacts/batch', { contacts });
  const { id, accepted } = receipt.parse(answer.body).data;
  screen.say(
    `POST /v1/contacts/batch with ${contacts.length} visitors of a fair: ${answer.status} after ${duration(performance.now() - startedAt)}.`,
  );
  checks.equal('the batch is taken', answer.status, 202);
  checks.equal('each of its contacts is accepted', accepted, contacts.length);
  const bar = screen.progress('in Attio', contacts.length);
  const end = await batchEnds(play, id, (done) => bar.update(done));
  bar.end(end.synced);
  const [writes, people] = [stage.writes - before.writes, workspace.count('people') - before.people];
  screen.say(
    `${count(end.synced)} synced after ${duration(performance.now() - startedAt)}, with ${writes} writes at the 5 a second of development: what Attio has already is not written.`,
  );
  checks.equal('all of them are synced', end.synced, contacts.length);
  checks.equal('none has failed', end.failed, 0);
  checks.equal('Attio has the new ones, and each once', people, NEW);
  checks.equal('what it had already is not written again', writes, NEW);
  await quiet(play);
  await feed.skip();
}
