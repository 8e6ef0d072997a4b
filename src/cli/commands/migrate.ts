import { buildOperations } from '../../app/operations.ts';
import { judgeDatabase } from '../../services/doctor/database.ts';
import type { Command } from '../command.ts';
import { CommandError } from '../io.ts';
import { configWithout } from '../lenient-config.ts';

export const migrateCommand: Command = {
  usage: 'migrate',
  summary: 'Makes the database, or brings it up to date, as the start of the service does.',
  async run(call) {
    const config = configWithout(
      call.io.env,
      'ATTIO_API_KEY',
      'ATTIO_WEBHOOK_SECRET',
      'SERVICE_API_KEYS',
      'PUBLIC_URL',
    );
    const operations = buildOperations(config, call.io.overrides);
    try {
      const { message, mend, status } = judgeDatabase(await operations.inspectDatabase());
      if (status === 'failed') throw new CommandError(`${message}.`, mend);
      const done = await operations.migrate();
      if (call.json) call.answer({ done });
      else if (done.length === 0) call.say('The database is up to date; nothing was to be done.');
      else call.say(['The database is up to date. Done:', ...done.map((name) => `  ${name}`)].join('\n'));
      return 0;
    } finally {
      await operations.close();
    }
  },
};
