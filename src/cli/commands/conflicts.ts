import { loadConfig } from '../../config.ts';
import { ask, openApi } from '../api.ts';
import { type Command, usageError } from '../command.ts';
import { CommandError, table } from '../io.ts';
import { conflictList } from './answers.ts';

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
    const api = await openApi(loadConfig(call.io.env), call.io);
    try {
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
          `${one.decided} stands`,
          one.at,
        ]);
        call.io.stdout.write(table(rows));
        if (found.nextCursor !== null) call.say('There are more: GET /v1/conflicts shows all.');
      }
      return 0;
    } finally {
      await api.close();
    }
  },
};

export const resolveConflict: Command = {
  usage: 'conflicts resolve <id>',
  summary: 'Not available in this version: the policy last-write-wins leaves none open.',
  async run() {
    throw new CommandError(
      'Conflicts cannot be resolved by hand in this version.',
      'The policy last-write-wins decides each at once; write the value that you want with PUT.',
    );
  },
};
