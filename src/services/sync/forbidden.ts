import { ServiceError } from '../errors.ts';
import { isActivityRun, listOfRun } from './target.ts';

const RECORDS = ['object_configuration:read', 'record_permission:read'];
const ENTRIES = ['list_configuration:read', 'list_entry:read'];
const ACTIVITY = {
  notes: ['note:read', ...RECORDS],
  tasks: ['task:read', ...RECORDS, 'user_management:read'],
} as const;

/** @param name of the run, see `target.ts` */
export function forbiddenRun(name: string): ServiceError {
  const scopes = scopesFor(name);
  return new ServiceError(
    'refused',
    `the token may not read this: it needs the scopes ${scopes.join(', ')}. Give it those in Attio (npm run cli -- doctor names what it lacks), then run this again.`,
  );
}

function scopesFor(name: string): readonly string[] {
  if (isActivityRun(name)) return ACTIVITY[name];
  // What an entry is about is read with the objects' names.
  return listOfRun(name) === null ? RECORDS : [...ENTRIES, 'object_configuration:read'];
}
