import { valueNotFound } from '../core/errors.ts';
import type { Attribute } from '../core/types.ts';
import { badValue, type Codec, EQUALITY, EXACT, isObject, type Lookup, member } from './codec.ts';

/** A string means this attribute, when the reference allows one standard object only. */
const STRING_MATCHES: Readonly<Record<string, string>> = {
  companies: 'domains',
  people: 'email_addresses',
  users: 'user_id',
  workspaces: 'workspace_id',
};

export interface Target {
  readonly objectId: string;
  readonly recordId: string;
}

function targetOfString(input: string, attribute: Attribute, lookup: Lookup): Target {
  const [objectId, ...more] = attribute.allowedObjectIds ?? [];
  const slug = objectId === undefined || more.length > 0 ? undefined : lookup.objectSlugOf(objectId);
  const matching = slug === undefined ? undefined : STRING_MATCHES[slug];
  if (objectId === undefined || matching === undefined)
    throw badValue(attribute, 'Expected a record reference object.');
  return matched(objectId, matching, input, lookup);
}

function matched(objectId: string, matching: string, input: unknown, lookup: Lookup): Target {
  const recordId = lookup.recordWith(objectId, matching, input);
  if (recordId === undefined) {
    throw valueNotFound(`Could not find a record matching ${matching} ${JSON.stringify(input)}.`);
  }
  return { objectId, recordId };
}

/** By id, or by a value of a unique attribute of the target. */
export function targetOfObject(input: Record<string, unknown>, attribute: Attribute, lookup: Lookup): Target {
  const { target_object: object, target_record_id: recordId, ...rest } = input;
  const objectId = typeof object === 'string' ? lookup.objectIdOf(object) : undefined;
  if (objectId === undefined) throw badValue(attribute, `Unknown target_object "${String(object)}".`);
  const [matching, ...more] = Object.keys(rest);
  if (recordId !== undefined && matching === undefined) {
    if (typeof recordId !== 'string') throw badValue(attribute, 'target_record_id must be a UUID.');
    if (lookup.recordExists(objectId, recordId)) return { objectId, recordId };
    throw valueNotFound(`Could not find record with ID "${recordId}" in object "${String(object)}".`);
  }
  if (recordId !== undefined || matching === undefined || more.length > 0) {
    throw badValue(attribute, 'Expected target_record_id or exactly one matching attribute.');
  }
  const given = rest[matching];
  return matched(objectId, matching, Array.isArray(given) ? given[0] : given, lookup);
}

export const recordReference: Codec = {
  main: null,
  sortBy: 'target_record_id',
  properties: {
    target_object: {
      ...member('target_object', 'string', EQUALITY),
      operand: (input, lookup) => (typeof input === 'string' ? (lookup.objectIdOf(input) ?? input) : input),
    },
    target_record_id: member('target_record_id', 'string', EQUALITY),
  },
  parse(input, attribute, lookup) {
    const target =
      typeof input === 'string'
        ? targetOfString(input, attribute, lookup)
        : targetOfObject(isObject(input) ? input : {}, attribute, lookup);
    if (attribute.allowedObjectIds !== null && !attribute.allowedObjectIds.includes(target.objectId)) {
      throw badValue(attribute, `Records of "${lookup.objectSlugOf(target.objectId)}" are not allowed here.`);
    }
    return { target_object: target.objectId, target_record_id: target.recordId };
  },
  key: (data) => `${String(data['target_object'])}/${String(data['target_record_id'])}`,
  read: (data, _attribute, scope) => ({
    target_object: scope.lookup.objectSlugOf(String(data['target_object'])),
    target_record_id: data['target_record_id'],
  }),
};

function memberRef(input: unknown, attribute: Attribute): string {
  if (typeof input === 'string') return input;
  if (!isObject(input)) throw badValue(attribute, 'Expected a workspace member.');
  const byEmail = input['workspace_member_email_address'];
  if (typeof byEmail === 'string') return byEmail;
  if (
    input['referenced_actor_type'] !== 'workspace-member' ||
    typeof input['referenced_actor_id'] !== 'string'
  ) {
    throw badValue(attribute, 'Only workspace members can be written.');
  }
  return input['referenced_actor_id'];
}

export const actorReference: Codec = {
  main: null,
  sortBy: 'referenced_actor_id',
  properties: {
    referenced_actor_type: member('referenced_actor_type', 'string', EXACT),
    referenced_actor_id: member('referenced_actor_id', 'string', EXACT),
  },
  parse(input, attribute, lookup) {
    const ref = memberRef(input, attribute);
    const found = lookup.member(ref);
    if (found === undefined) {
      const kind = ref.includes('@') ? 'email address' : 'ID';
      throw valueNotFound(`Workspace member with ${kind} "${ref}" not found.`);
    }
    return { referenced_actor_type: 'workspace-member', referenced_actor_id: found.id };
  },
  key: (data) => `${String(data['referenced_actor_type'])}/${String(data['referenced_actor_id'])}`,
  read: (data) => ({ ...data }),
};
