import { buildOperations, type Operations, webhookTarget } from '../../app/operations.ts';
import type { AppConfig } from '../../config.ts';
import { SUBSCRIBED_EVENTS } from '../../domain/webhook-events.ts';
import { isSameTarget, type NewRegistration, type SecretNotes } from '../../services/webhook-registration.ts';
import type { Call, Command } from '../command.ts';
import { readVariable, writeVariable } from '../env-file.ts';
import { CommandError, table } from '../io.ts';
import { configWithout } from '../lenient-config.ts';

const SECRET = 'ATTIO_WEBHOOK_SECRET';

const OPTIONS = {
  url: {
    type: 'string',
    value: '<https address>',
    help: 'where Attio delivers, in place of PUBLIC_URL/webhooks',
  },
  'env-file': {
    type: 'string',
    value: '<file>',
    help: `the file that gets the secret as ${SECRET}; else it is printed, once`,
  },
} as const;

type Webhook = NewRegistration['webhook'];

export const list: Command = {
  usage: 'webhooks list',
  summary: 'The webhooks of the workspace, and which of them deliver to this service.',
  async run(call) {
    return withOperations(call, async ({ operations, config }) => {
      const target = webhookTarget(config.http.publicUrl);
      const rows = (await operations.registration(null).list()).map((webhook) => ({
        ...shown(webhook),
        ours: target !== null && isSameTarget(webhook.target_url, target),
      }));
      if (call.json) call.answer({ webhooks: rows });
      else if (rows.length === 0)
        call.say('The workspace has no webhook. Make one: npm run cli -- webhooks register');
      else {
        const cells = rows.map((row) => [
          row.id,
          row.status,
          `${row.events.length} events`,
          row.ours ? 'to this service' : '',
          row.target,
        ]);
        call.io.stdout.write(table(cells));
      }
      return 0;
    });
  },
};

export const register: Command = {
  usage: 'webhooks register [--url <https address>] [--env-file <file>]',
  summary: 'Subscribes this service at Attio to exactly the events that it handles.',
  details:
    'Attio tells the secret this once. When the webhook is there already, it gets the events that it lacks, and no\n' +
    'second one is made.',
  options: OPTIONS,
  async run(call) {
    return withOperations(call, async ({ operations, config }) => {
      const target = targetOf(call, config);
      const registered = await operations.registration(await notesOf(operations, call)).register(target);
      if (registered.outcome === 'there-already') return sayThereAlready(call, registered);
      const kept = await keepSecret(call, registered, async () => '');
      if (call.json) {
        call.answer({ outcome: 'created', webhook: shown(registered.webhook), ...kept.json });
        return 0;
      }
      call.say(
        `Webhook ${registered.webhook.id.webhook_id} delivers ${SUBSCRIBED_EVENTS.length} kinds of events to ${target}.`,
      );
      call.say(kept.words);
      call.say('Start the service now, or start it again: it reads the secret at its start.');
      return 0;
    });
  },
};

export const rotate: Command = {
  usage: 'webhooks rotate [--url <https address>] [--env-file <file>]',
  summary: 'Gets a new secret from Attio, without losing a delivery.',
  details:
    'Makes a second webhook beside the first; both deliver until you delete the first, and what comes twice has no\n' +
    'second effect. Start the service again before you delete it: until then it does not know the new secret.',
  options: OPTIONS,
  async run(call) {
    return withOperations(call, async ({ operations, config }) => {
      const target = targetOf(call, config);
      const rotated = await operations.registration(await notesOf(operations, call)).rotate(target);
      const old = config.webhooks.secrets.join(',');
      const kept = await keepSecret(call, rotated, async (path) => (await readVariable(path, SECRET)) ?? old);
      const previous = rotated.previous.map(shown);
      if (call.json) {
        call.answer({ outcome: 'created', webhook: shown(rotated.webhook), previous, ...kept.json });
        return 0;
      }
      call.say(
        `Webhook ${rotated.webhook.id.webhook_id} delivers to ${rotated.webhook.target_url}, beside the one that was there.`,
      );
      call.say(kept.words);
      if (call.text('env-file') === undefined) {
        call.say(`Put it before what ${SECRET} holds now, with a comma between them.`);
      }
      call.say('Now start the service again, and then:');
      for (const { id } of previous) call.say(`  npm run cli -- webhooks delete ${id}`);
      call.say(`After that the old secret may go from ${SECRET}.`);
      return 0;
    });
  },
};

export const remove: Command = {
  usage: 'webhooks delete <id>',
  summary: 'Deletes a webhook of the workspace.',
  async run(call) {
    return withOperations(call, async ({ operations }) => {
      const [id = ''] = call.args;
      if (!/^[0-9a-f-]{36}$/i.test(id))
        throw new CommandError(`${id} is no id of a webhook.`, 'See: npm run cli -- webhooks list');
      const { isOurs, pending } = await operations.inspectDatabase();
      const notes = isOurs && pending.length === 0 ? operations.trust() : null;
      await operations.registration(notes).delete(id);
      if (call.json) call.answer({ deleted: id });
      else call.say(`Webhook ${id} is deleted.`);
      return 0;
    });
  },
};

async function withOperations(
  call: Call,
  work: (parts: { operations: Operations; config: AppConfig }) => Promise<0 | 1>,
): Promise<0 | 1> {
  // The secret is what these are about, and keys of our own callers have no part in it.
  const config = configWithout(call.io.env, SECRET, 'SERVICE_API_KEYS');
  const operations = buildOperations(config, call.io.overrides);
  try {
    return await work({ operations, config });
  } finally {
    await operations.close();
  }
}

function targetOf(call: Call, config: AppConfig): string {
  const given = call.text('url');
  if (given === undefined) {
    const target = webhookTarget(config.http.publicUrl);
    if (target !== null) return target;
    throw new CommandError(
      'It is not known where Attio is to deliver.',
      'Set PUBLIC_URL to the https address of this service, or give --url.',
    );
  }
  const url = URL.parse(given);
  if (url?.protocol !== 'https:')
    throw new CommandError(`--url ${given} is no https address, and Attio takes no other.`);
  if (url.pathname === '/') url.pathname = '/webhooks';
  return url.href;
}

/** Where the hash of the secret is kept; without a database it is not. */
async function notesOf(operations: Operations, call: Call): Promise<SecretNotes | null> {
  try {
    await operations.migrate();
    return operations.trust();
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    call.io.stderr.write(`Doctor will not know this secret: ${words}\n`);
    return null;
  }
}

interface Kept {
  /** For the operator: where the secret is now. */
  readonly words: string;
  readonly json: Readonly<Record<string, unknown>>;
}

/** @param before secrets that are taken as well: the new one is put before them, as both webhooks deliver for a while */
async function keepSecret(
  call: Call,
  made: NewRegistration,
  before: (path: string) => Promise<string>,
): Promise<Kept> {
  const path = call.text('env-file');
  if (path === undefined) return printed(made);
  try {
    const old = await before(path);
    await writeVariable(path, SECRET, old === '' ? made.secret : `${made.secret},${old}`);
    return { words: `Its secret is in ${path}, as ${SECRET}.`, json: { envFile: path, noted: made.noted } };
  } catch (error) {
    // It must not be lost: Attio never tells it again.
    call.io.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return printed(made);
  }
}

function printed({ secret, noted }: NewRegistration): Kept {
  return { words: `Its secret, shown this once:\n\n  ${SECRET}=${secret}\n`, json: { secret, noted } };
}

function sayThereAlready(call: Call, { webhook, added }: { webhook: Webhook; added: readonly string[] }): 0 {
  if (call.json) {
    call.answer({ outcome: 'there-already', webhook: shown(webhook), added });
    return 0;
  }
  call.say(`Webhook ${webhook.id.webhook_id} delivers to ${webhook.target_url} already.`);
  if (added.length > 0) call.say(`It lacked these events, and has them now: ${added.join(', ')}.`);
  call.say('Its secret was told when it was made; if it is lost: npm run cli -- webhooks rotate');
  return 0;
}

function shown(webhook: Webhook) {
  return {
    id: webhook.id.webhook_id,
    target: webhook.target_url,
    status: webhook.status,
    events: webhook.subscriptions.map((one) => one.event_type),
    createdAt: webhook.created_at,
  };
}
