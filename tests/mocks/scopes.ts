import { AttioError } from './core/errors.ts';
import type { Match } from './routes/router.ts';

/** What a token may have at most, as `/self` tells it. */
export const ALL_SCOPES: readonly string[] = [
  'call_recording:read-write',
  'comment:read-write',
  'file:read-write',
  'list_configuration:read-write',
  'list_entry:read-write',
  'meeting:read-write',
  'note:read-write',
  'object_configuration:read-write',
  'record_permission:read-write',
  'task:read-write',
  'user_management:read',
  'webhook:read-write',
];

const SCHEMA = 'object_configuration:read';
const RECORDS = [SCHEMA, 'record_permission:read'];
const ENTRIES = ['list_configuration:read', 'list_entry:read'];
const TASKS = ['task:read', ...RECORDS, 'user_management:read'];

/** After the OpenAPI's `security` of each operation. The first pattern that fits counts; a write of it needs read-write. */
const READS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^\/objects\/\{object\}\/records\/\{record_id\}\/entries$/, [...RECORDS, 'list_entry:read']],
  [/^\/objects\/(\{object\}\/)?records/, RECORDS],
  [/^\/(objects|\{target\})/, [SCHEMA]],
  [/^\/lists\/\{list\}\/entries/, ENTRIES],
  [/^\/lists/, ['list_configuration:read']],
  [/^\/notes/, ['note:read', ...RECORDS]],
  [/^\/tasks/, TASKS],
  [/^\/(threads|comments)/, ['comment:read']],
  [/^\/workspace_members/, ['user_management:read']],
  [/^\/webhooks/, ['webhook:read']],
];

/** The one scope that a write under a path needs as read-write; what else it needs it needs for reading. */
const WRITTEN: readonly (readonly [RegExp, string])[] = [
  [/^\/objects\/\{object\}\/records/, 'record_permission'],
  [/^\/(objects|\{target\})/, 'object_configuration'],
  [/^\/lists\/\{list\}\/entries/, 'list_entry'],
  [/^\/lists/, 'list_configuration'],
  [/^\/notes/, 'note'],
  [/^\/tasks/, 'task'],
  [/^\/comments/, 'comment'],
  [/^\/webhooks/, 'webhook'],
];

/** Needs its own scope alone. */
const BARE_DELETES = /^\/(notes|tasks)\//;

function firstOf<T>(table: readonly (readonly [RegExp, T])[], path: string): T | undefined {
  return table.find(([pattern]) => pattern.test(path))?.[1];
}

function neededFor(method: string, path: string): readonly string[] {
  const reads = firstOf(READS, path) ?? [];
  const isRead = method === 'GET' || path.endsWith('/query') || path.endsWith('/search');
  const written = isRead ? undefined : firstOf(WRITTEN, path);
  if (written === undefined) return reads;
  const own = `${written}:read-write`;
  if (method === 'DELETE' && BARE_DELETES.test(path)) return [own];
  return [own, ...reads.filter((scope) => scope !== `${written}:read`)];
}

/** Read-write includes read. */
function has(scopes: readonly string[], needed: string): boolean {
  return scopes.includes(needed) || scopes.includes(needed.replace(/:read$/, ':read-write'));
}

/** @throws AttioError 403 naming what the token lacks */
export function checkScopes(scopes: readonly string[], { route }: Match): void {
  const lacking = neededFor(route.method, route.path).filter((needed) => !has(scopes, needed));
  if (lacking.length === 0) return;
  throw new AttioError(
    403,
    'unauthorized',
    `The access token lacks the scopes that this endpoint requires: ${lacking.join(', ')}.`,
  );
}
