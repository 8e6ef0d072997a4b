import { loadConfig } from '../../config.ts';
import { type Api, ask, openApi } from '../api.ts';
import { type Call, type Command, usageError } from '../command.ts';
import { CommandError, table } from '../io.ts';
import { conflictAnswer, conflictList, conflictResolved } from './answers.ts';

const PAGE = 1000;

export const listConflicts: Command = {
  usage: 'conflicts list [--status open|resolved]',
  summary: 'Fields that were changed here and in Attio at once, the oldest first.',
  details: 'The values are in the JSON alone: they are of persons.',
  options: { status: { type: 'string', value: 'open|resolved', help: 'only these' } },
  async run(call) {
    const status = call.text('status');
    if (status !== undefined && status !== 'open' && status !== 'resolved') {
      throw usageError(listConflicts, `--status is open or resolved, not ${status}.`);
    }
    return withApi(call, async (api) => {
      const query = status === undefined ? '' : `&status=${status}`;
      const found = await ask(api, conflictList, 'GET', `/v1/conflicts?limit=${PAGE}${query}`);
      if (call.json) call.answer({ conflicts: found.data, nextCursor: found.nextCursor });
      else if (found.data.length === 0) call.say('There are none.');
      else {
        const rows = found.data.map((one) => [
          one.id,
          one.status,
          `${one.object} ${one.entityId}`,
          one.field,
          standing(one),
          one.at,
        ]);
        call.io.stdout.write(table(rows));
        if (found.nextCursor !== null) call.say('There are more: GET /v1/conflicts shows all.');
      }
      return 0;
    });
  },
};

export const resolveConflict: Command = {
  usage: 'conflicts resolve <id> [--local] [--attio] [--value <json>]',
  summary: "Settles an open one: our value, Attio's, or a third one.",
  details:
    'Our value, or the third one, is written to Attio. The value is JSON, in the form that conflicts show: \'"Buyer"\', null, \'["a@example.com"]\'.',
  options: {
    local: { type: 'boolean', help: 'what was asked for here is written to Attio' },
    attio: { type: 'boolean', help: "Attio's value stands, and is taken here" },
    value: { type: 'string', value: '<json>', help: 'this is written in place of both' },
  },
  async run(call) {
    const [id = ''] = call.args;
    const value = call.text('value');
    const given = [call.flag('local'), call.flag('attio'), value !== undefined].filter(Boolean);
    if (given.length !== 1) throw usageError(resolveConflict, 'Give one of --local, --attio and --value.');
    if (!/^\d{1,15}$/.test(id)) throw new CommandError(`${id} is no id of a conflict.`);
    return withApi(call, async (api) => {
      const body =
        value === undefined
          ? { resolution: call.flag('local') ? 'local' : 'attio' }
          : { resolution: 'merged', values: await valueFor(api, id, value) };
      const { data, sync } = await ask(api, conflictResolved, 'POST', `/v1/conflicts/${id}/resolve`, body);
      if (call.json) call.answer({ conflict: data, sync });
      else call.say(`Conflict ${id} is settled: ${standing(data)}${whereTo(sync.status, api)}.`);
      return 0;
    });
  },
};

/** The value under the name of the field that it is for. */
async function valueFor(api: Api, id: string, json: string): Promise<Record<string, unknown>> {
  const value = parsed(json);
  const { data } = await ask(api, conflictAnswer, 'GET', `/v1/conflicts/${id}`);
  return { [data.field]: value };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new CommandError('--value is no JSON.', 'A text is quoted twice: --value \'"Buyer"\'');
  }
}

function standing({ decided, reason }: { decided: string | null; reason: string }): string {
  if (decided === null) return reason === 'agreed' ? 'both sides agree' : 'waits for a decision';
  return decided === 'merged' ? 'a third value stands' : `${decided} stands`;
}

function whereTo(status: string, api: Api): string {
  if (status !== 'pending') return '';
  return api.face === 'service' ? ', and is on its way to Attio' : ', and is sent once the service runs';
}

async function withApi(call: Call, work: (api: Api) => Promise<0 | 1>): Promise<0 | 1> {
  const api = await openApi(loadConfig(call.io.env), call.io);
  try {
    return await work(api);
  } finally {
    await api.close();
  }
}
