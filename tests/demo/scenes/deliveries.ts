import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Attempt } from '../deliveries.ts';
import { firstOf } from './cast.ts';
import { follow, type Play } from './telling.ts';

/** Time in which a second effect would show. */
const EFFECT_MS = 1_500;

/** What is forged is refused; what is delivered twice has one effect. */
export async function forgedAndRepeated(play: Play): Promise<void> {
  const { workspace, screen } = play;
  const [person] = firstOf(workspace.people().slice(300), 1);
  const { attempt, happening } = await follow(play, () => workspace.setJobTitle(person, 'Chief Witness'));
  screen.say(`${happening.said} The demo keeps the delivery that came of it.`);
  await forge(play, attempt);
  await repeat(play, attempt);
}

async function forge({ stage, checks, screen }: Play, { message }: Attempt): Promise<void> {
  const changed = message.body.replace('record.updated', 'record.deleted');
  const altered = await stage.api.call('POST', '/webhooks', { ...message, method: 'POST', body: changed });
  screen.say(`Somebody turns it into a deletion, and sends it with the old signature: ${altered.status}.`);
  checks.equal('an altered delivery is refused', altered.status, 401);
  const { 'attio-signature': _, 'x-attio-signature': __, ...headers } = message.headers;
  const unsigned = await stage.api.call('POST', '/webhooks', { body: message.body, headers });
  screen.say(`Without a signature: ${unsigned.status}.`);
  checks.equal('an unsigned delivery is refused', unsigned.status, 401);
}

async function repeat({ stage, checks, screen, feed }: Play, { message }: Attempt): Promise<void> {
  await feed.skip();
  const requestsBefore = stage.requests;
  const { status, body } = await stage.api.call('POST', '/webhooks', message);
  const { accepted, duplicates } = z.object({ accepted: z.int(), duplicates: z.int() }).parse(body);
  await sleep(EFFECT_MS);
  const [requests, changes] = [stage.requests - requestsBefore, await feed.skip()];
  screen.say(
    `Attio delivers the true one once more: ${status}, accepted ${accepted}, duplicates ${duplicates}; no read, no second change.`,
  );
  checks.equal('the repeated delivery is answered', status, 202);
  checks.equal('it counts as a duplicate', duplicates, 1);
  checks.equal('nothing of it is accepted', accepted, 0);
  checks.equal('it makes no second change', changes, 0);
  checks.equal('it costs no request to Attio', requests, 0);
}
