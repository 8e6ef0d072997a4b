import { loadConfig } from '../../config.ts';
import { type Api, ask, openApi } from '../api.ts';
import { type Call, type Command, usageError } from '../command.ts';
import { CommandError, count, table } from '../io.ts';
import { letterAnswer, letterList, replayed } from './answers.ts';

const PAGE = 1000;
const KIND = { type: 'string', value: 'inbox|outbox|…', help: 'only those of this kind' } as const;

export const listLetters: Command = {
  usage: 'dead-letters list [--kind <kind>]',
  summary: 'Work that was given up, the oldest first.',
  options: { kind: KIND },
  async run(call) {
    return withApi(call, async (api) => {
      const found = await ask(api, letterList, 'GET', `/v1/dead-letters?limit=${PAGE}${kindOf(call, '&')}`);
      if (call.json) call.answer({ deadLetters: found.data, nextCursor: found.nextCursor });
      else if (found.data.length === 0) call.say('There are none.');
      else {
        const rows = found.data.map((one) => [
          one.id,
          one.kind,
          one.eventType ?? '',
          one.reason,
          one.createdAt,
          one.detail,
        ]);
        call.io.stdout.write(table(rows));
        if (found.nextCursor !== null) call.say('There are more: GET /v1/dead-letters shows all.');
      }
      return 0;
    });
  },
};

export const replayLetters: Command = {
  usage: 'dead-letters replay [<id>] [--all] [--kind <kind>]',
  summary: 'Takes one back to work, or all of them.',
  options: { all: { type: 'boolean', help: 'every one there is' }, kind: KIND },
  async run(call) {
    const [id] = call.args;
    const isOne = id !== undefined;
    if (isOne === call.flag('all')) throw usageError(replayLetters, 'Give an id, or --all.');
    if (isOne && !/^\d{1,15}$/.test(id)) throw new CommandError(`${id} is no id of a dead letter.`);
    return withApi(call, async (api) => (isOne ? replayOne(call, api, id) : replayAll(call, api)));
  },
};

async function replayOne(call: Call, api: Api, id: string): Promise<0 | 1> {
  const { data } = await ask(api, letterAnswer, 'POST', `/v1/dead-letters/${id}/replay`);
  if (call.json) call.answer({ replayed: 1, refused: 0, deadLetter: data });
  else call.say(`Dead letter ${id} is at work again${when(api)}.`);
  return 0;
}

async function replayAll(call: Call, api: Api): Promise<0 | 1> {
  const { data } = await ask(api, replayed, 'POST', `/v1/dead-letters/replay${kindOf(call, '?')}`);
  if (call.json) call.answer(data);
  else {
    call.say(`${count(data.replayed)} at work again${data.replayed > 0 ? when(api) : ''}.`);
    if (data.refused > 0) call.say(`${count(data.refused)} cannot be taken back, and stay.`);
  }
  return data.refused === 0 ? 0 : 1;
}

/** Only the service works on what waits. */
function when(api: Api): string {
  return api.face === 'service' ? '' : ', once the service runs';
}

function kindOf(call: Call, mark: '?' | '&'): string {
  const kind = call.text('kind');
  return kind === undefined ? '' : `${mark}kind=${encodeURIComponent(kind)}`;
}

async function withApi(call: Call, work: (api: Api) => Promise<0 | 1>): Promise<0 | 1> {
  const api = await openApi(loadConfig(call.io.env), call.io);
  try {
    return await work(api);
  } finally {
    await api.close();
  }
}
