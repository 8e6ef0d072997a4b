import { loadConfig } from '../../config.ts';
import { type Api, ask, openApi } from '../api.ts';
import type { Call, Command } from '../command.ts';
import { CommandError, count, table } from '../io.ts';
import { type ChangeWebhook, changeWebhookAnswer, changeWebhookList } from './answers.ts';

export const listChangeWebhooks: Command = {
  usage: 'change-webhooks list',
  summary: 'The addresses that changes are pushed to, and how they fare.',
  async run(call) {
    return withApi(call, async (api) => {
      const { data } = await ask(api, changeWebhookList, 'GET', '/v1/change-webhooks');
      if (call.json) call.answer({ changeWebhooks: data });
      else if (data.length === 0) call.say('There are none: CHANGE_WEBHOOK_URLS is not set.');
      else call.io.stdout.write(table(data.map(row)));
      return 0;
    });
  },
};

export const enableChangeWebhook: Command = {
  usage: 'change-webhooks enable <id>',
  summary: 'Pushes changes to an address again, from where it was.',
  async run(call) {
    const [id = ''] = call.args;
    if (!/^[\w-]{1,64}$/.test(id)) throw new CommandError(`${id} is no id of a change webhook.`);
    return withApi(call, async (api) => {
      const { data } = await ask(api, changeWebhookAnswer, 'POST', `/v1/change-webhooks/${id}/enable`);
      if (call.json) call.answer({ changeWebhook: data });
      else {
        const when = api.face === 'service' ? '' : ', once the service runs';
        call.say(`Changes are pushed to ${data.host} again${when}; ${count(data.pending)} wait at most.`);
      }
      return 0;
    });
  },
};

function row(one: ChangeWebhook): string[] {
  const { id, number, host, status, pending, dead, missed } = one;
  return [
    id,
    number === null ? 'not configured' : `number ${number}`,
    host,
    status,
    `${count(pending)} wait`,
    `${count(dead)} given up`,
    missed > 0 ? `${count(missed)} missed` : '',
    one.lastSuccessAt === null ? 'no success yet' : `last success ${one.lastSuccessAt}`,
    one.disabledReason ?? (one.failingSince === null ? '' : `at last it ${one.lastError}`),
  ];
}

async function withApi(call: Call, work: (api: Api) => Promise<0 | 1>): Promise<0 | 1> {
  const api = await openApi(loadConfig(call.io.env), call.io);
  try {
    return await work(api);
  } finally {
    await api.close();
  }
}
