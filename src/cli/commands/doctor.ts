import { buildOperations } from '../../app/operations.ts';
import type { Check } from '../../services/doctor.ts';
import type { Call, Command } from '../command.ts';
import { readLenientConfig } from '../lenient-config.ts';

const MARKS = { ok: '✓', warning: '!', failed: '✗' } as const;

export const doctor: Command = {
  usage: 'doctor [--fix]',
  summary: 'Checks all that the service stands on, and says how to mend each.',
  details:
    'Changes nothing without --fix. Exit code 1 when something has failed (✗); warnings (!) are none.\n' +
    '--fix makes or migrates the database, makes the attribute that finds deals again, and subscribes the webhook\n' +
    'to events that it lacks.',
  options: { fix: { type: 'boolean', help: 'mend what can be mended from here' } },
  async run(call) {
    const checks: Check[] = [];
    for await (const check of examine(call)) {
      checks.push(check);
      if (!call.json) show(call, check);
    }
    const failures = checks.filter(({ status }) => status === 'failed').length;
    const warnings = checks.filter(({ status }) => status === 'warning').length;
    if (call.json) call.answer({ ok: failures === 0, checks });
    else call.say(`\n${summary(failures, warnings)}`);
    return failures === 0 ? 0 : 1;
  },
};

async function* examine(call: Call): AsyncGenerator<Check> {
  const { config, problems, bad } = readLenientConfig(call.io.env);
  for (const { name, problem, mend } of problems) {
    yield { id: 'variables', status: 'failed', message: `${name} ${problem}`, mend };
  }
  if (config === null) return;
  if (problems.length === 0) {
    const message = `every variable is as it should be (NODE_ENV is ${config.environment})`;
    yield { id: 'variables', status: 'ok', message, mend: null };
  }
  const operations = buildOperations(config, call.io.overrides);
  try {
    yield* operations.doctor(bad).run({ fix: call.flag('fix') });
  } finally {
    await operations.close();
  }
}

function show(call: Call, { status, message, mend }: Check): void {
  call.say(`${MARKS[status]} ${message}`);
  if (mend !== null) call.say(`    ${mend}`);
}

function summary(failures: number, warnings: number): string {
  if (failures === 0 && warnings === 0) return 'All is well.';
  const parts = [
    ...(failures > 0 ? [`${failures} to mend (✗)`] : []),
    ...(warnings > 0 ? [`${warnings} to know of (!)`] : []),
  ];
  return `${parts.join(', ')}.`;
}
