import type { Json } from '../../domain/json.ts';
import { refusedMember } from '../errors.ts';
import type { MembersService } from '../members.ts';

/** A calendar day, or an instant with its offset. */
const DEADLINE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;

/**
 * A value that a person gives for a member of a task: `isCompleted`, `deadlineAt`, or `assignees` by their addresses.
 * @returns it as writes bear it
 * @throws ServiceError `refused`; `unavailable` while members are not known
 */
export async function checkTaskMember(
  field: string,
  value: Json,
  members: Pick<MembersService, 'idOf'>,
): Promise<Json> {
  const path = `/values/${field}`;
  if (field === 'deadlineAt') return deadlineIn(value, path);
  if (field === 'assignees') return assigneesIn(value, path, members);
  if (typeof value !== 'boolean') throw refusedMember(path, 'must be true or false');
  return value;
}

function deadlineIn(value: Json, path: string): Json {
  if (value === null) return null;
  const at = typeof value === 'string' && DEADLINE.test(value) ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  throw refusedMember(path, 'must be a day, an instant in ISO 8601 with its offset, or null');
}

async function assigneesIn(value: Json, path: string, members: Pick<MembersService, 'idOf'>): Promise<Json> {
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) {
    throw refusedMember(path, 'must be a list of e-mail addresses of members');
  }
  const assignees: Json[] = [];
  for (const [index, email] of value.entries()) {
    const id = await members.idOf(email.toLowerCase(), `${path}/${index}`);
    assignees.push({ type: 'workspace-member', id });
  }
  return assignees;
}
