import { ConfigError } from '../config.ts';
import { nearest } from '../domain/nearest.ts';
import { StorageUnavailableError } from '../domain/storage.ts';
import { attioTroubleOf } from '../services/attio-trouble.ts';
import { ServiceError } from '../services/errors.ts';
import { type Command, helpOf, nameOf, readCall } from './command.ts';
import { enableChangeWebhook, listChangeWebhooks } from './commands/change-webhooks.ts';
import { listConflicts, resolveConflict } from './commands/conflicts.ts';
import { listLetters, replayLetters } from './commands/dead-letters.ts';
import { doctor } from './commands/doctor.ts';
import { migrateCommand } from './commands/migrate.ts';
import { status } from './commands/status.ts';
import { sync } from './commands/sync.ts';
import { list, register, remove, rotate } from './commands/webhooks.ts';
import { CommandError, type Io, table } from './io.ts';

const COMMANDS: readonly Command[] = [
  doctor,
  list,
  register,
  rotate,
  remove,
  sync,
  status,
  listConflicts,
  resolveConflict,
  listLetters,
  replayLetters,
  listChangeWebhooks,
  enableChangeWebhook,
  migrateCommand,
];

/**
 * Operators' commands.
 * @param argv without the program: `['sync', 'all', '--json']`
 * @returns the exit code. Never rejects for what an operator can mend
 */
export async function main(argv: readonly string[], io: Io): Promise<0 | 1> {
  const command = find(argv);
  if (command === null) return overview(argv, io);
  try {
    const call = readCall(command, argv.slice(nameOf(command).split(' ').length), io);
    if (call !== null) return await command.run(call);
    io.stdout.write(helpOf(command));
    return 0;
  } catch (error) {
    const said = inWords(error);
    if (said === null) throw error;
    io.stderr.write(said);
    return 1;
  }
}

function find(argv: readonly string[]): Command | null {
  const words = (command: Command) => nameOf(command).split(' ');
  return COMMANDS.find((command) => words(command).every((word, at) => argv[at] === word)) ?? null;
}

function overview(argv: readonly string[], io: Io): 0 | 1 {
  const [first = '--help', second = ''] = argv;
  if (first === '--help' || first === 'help') {
    io.stdout.write(helpOfAll(COMMANDS));
    return argv.length === 0 ? 1 : 0;
  }
  const group = COMMANDS.filter((command) => nameOf(command).startsWith(`${first} `));
  if (second === '--help' && group.length > 0) {
    io.stdout.write(helpOfAll(group));
    return 0;
  }
  const given = group.length > 0 ? `${first} ${second}`.trim() : first;
  const meant = nearest(given, COMMANDS.map(nameOf));
  io.stderr.write(`There is no command "${given}".${meant === null ? '' : ` Did you mean "${meant}"?`}\n\n`);
  io.stderr.write(helpOfAll(group.length > 0 ? group : COMMANDS));
  return 1;
}

function helpOfAll(commands: readonly Command[]): string {
  // Options are in the help of each.
  const rows = commands.map(({ usage, summary }) => [`  ${usage.replace(/ \[--[^\]]*\]/g, '')}`, summary]);
  return `npm run cli -- <command> [--json] [--help]\n\n${table(rows)}`;
}

/** What an operator can do something about, in words; null for a fault of ours. */
function inWords(error: unknown): string | null {
  const trouble = attioTroubleOf(error);
  if (trouble !== null) return lines(`${capital(trouble.problem)}.`, trouble.mend);
  if (error instanceof CommandError) return lines(error.message, error.mend);
  if (error instanceof ServiceError) return lines(`${capital(error.message).replace(/\.$/, '')}.`, null);
  if (error instanceof StorageUnavailableError) {
    return lines('The database cannot serve just now.', 'Run: npm run cli -- doctor');
  }
  // A configuration that is wrong lists all of it; what the system says of a path or a port needs no stack.
  const isSaid = error instanceof ConfigError || (error instanceof Error && 'code' in error);
  return isSaid ? lines(error.message, null) : null;
}

function lines(problem: string, mend: string | null): string {
  return mend === null ? `${problem}\n` : `${problem}\n${mend}\n`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
