import type { DatabaseState, StorageTrouble } from '../../domain/storage.ts';
import { type Check, failed, ok, warning } from './check.ts';

/** What is wrong, and what mends it. */
const TROUBLES: Readonly<Record<StorageTrouble, readonly [problem: string, mend: string]>> = {
  busy: [
    'another program holds it',
    'End what holds it (a backup, a query by hand, a second service on the same file) and try again.',
  ],
  full: ['its disk is full', 'Make room on the disk, or move the database to another one.'],
  'no-permission': [
    'this user may not open or change it',
    'Give the user that the service runs as the right to write it, and the folder that it is in.',
  ],
  'not-a-database': [
    'what DATABASE_URL names is no database',
    'Name the file of a database in DATABASE_URL, or one that does not exist yet.',
  ],
  'not-there': [
    'the server has no such database',
    'Create the database, or correct its name in DATABASE_URL.',
  ],
  'read-only': [
    'it is read-only',
    'Make the disk or the file writable; of PostgreSQL, name the primary in DATABASE_URL and not a standby, and see that default_transaction_read_only is off.',
  ],
  refused: ['the server does not let us in', 'Correct the user and the password in DATABASE_URL.'],
  unfit: ['it is not fit for this', 'Mend what the server says, or create another database.'],
  unreachable: [
    'its server cannot be reached',
    'Start the server, or correct the host and the port in DATABASE_URL; check the firewall.',
  ],
  other: ['it cannot be used', 'Read what it says, and mend what it names.'],
};

export function judgeDatabase(state: DatabaseState): Check {
  const { exists, pending, isOurs, trouble } = state;
  if (trouble !== null) {
    const [problem, mend] = TROUBLES[trouble.cause];
    return failed('database', `the database cannot store: ${problem} (${trouble.reason})`, mend);
  }
  if (pending.length === 0) return ok('database', 'the database is up to date, and can store');
  const mend = 'Nothing need be done: the start of the service does it, and so does: npm run cli -- migrate.';
  if (!exists) return warning('database', 'there is no database yet; it can be made', mend);
  if (!isOurs) return warning('database', 'the database can store, and is empty yet', mend);
  return warning('database', `the database can store, and is to be migrated: ${pending.join(', ')}`, mend);
}
