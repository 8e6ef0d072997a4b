import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import {
  type AttributeShape,
  asObject,
  asText,
  fail,
  onlyMembers,
  textOf,
  type ValueCodec,
} from './codec.ts';

/** A text finds a record by its address or domain, never by its id. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Plain: `{object, recordId}`. Input: that, or a text by which Attio finds a record of a standard object (an
 * e-mail address, a domain, a user or workspace id).
 */
export const recordReference: ValueCodec = {
  read(value) {
    const object = textOf(value, 'target_object');
    const recordId = textOf(value, 'target_record_id');
    return object === null || recordId === null ? undefined : { object, recordId };
  },
  write(input, attribute) {
    const what = 'a record: object and recordId';
    if (typeof input === 'string')
      return UUID.test(input) ? fail(attribute, `must be ${what}`) : asText(input, attribute, what);
    const given = asObject(input, attribute, what);
    onlyMembers(given, ['object', 'recordId'], attribute);
    return {
      target_object: asText(given['object'] ?? null, attribute, what),
      target_record_id: asText(given['recordId'] ?? null, attribute, what),
    };
  },
};

/** Plain: `{type, id}`. Input: that, of a workspace member, or the member's e-mail address. */
export const actorReference: ValueCodec = {
  read(value) {
    const type = textOf(value, 'referenced_actor_type');
    return type === null ? undefined : { type, id: textOf(value, 'referenced_actor_id') };
  },
  write(input, attribute) {
    const what = 'a workspace member: type and id, or an e-mail address';
    if (typeof input === 'string') return { workspace_member_email_address: asText(input, attribute, what) };
    const given = asObject(input, attribute, what);
    onlyMembers(given, ['type', 'id'], attribute);
    const type = given['type'] ?? 'workspace-member';
    if (type !== 'workspace-member') fail(attribute, 'can only name a workspace member');
    const id = asText(given['id'] ?? null, attribute, what);
    return { referenced_actor_type: 'workspace-member', referenced_actor_id: id };
  },
};

/** Attio's own observations: a type, a time and an owner. */
export const interaction: ValueCodec = {
  read(value) {
    const type = textOf(value, 'interaction_type');
    const at = textOf(value, 'interacted_at');
    if (type === null && at === null) return undefined;
    const owner = value['owner_actor'];
    return { type, at, owner: isJsonObject(owner) ? plainActor(owner) : null };
  },
  write: null,
};

function plainActor(actor: JsonObject) {
  return { type: textOf(actor, 'type'), id: textOf(actor, 'id') };
}

/** Plain name by Attio's name. Attio wants all of them in a write, null allowed; the coordinates are texts. */
const LOCATION_MEMBERS = {
  line_1: 'line1',
  line_2: 'line2',
  line_3: 'line3',
  line_4: 'line4',
  locality: 'locality',
  region: 'region',
  postcode: 'postcode',
  country_code: 'countryCode',
  latitude: 'latitude',
  longitude: 'longitude',
} as const;

/** Plain: the ten members in camelCase. Input: any of them, or one text that Attio takes apart. */
export const location: ValueCodec = {
  read(value) {
    const members = Object.entries(LOCATION_MEMBERS);
    if (!members.some(([theirs]) => theirs in value)) return undefined;
    return Object.fromEntries(members.map(([theirs, ours]) => [ours, textOf(value, theirs)]));
  },
  write(input, attribute) {
    const what = 'a place: line1 to line4, locality, region, postcode, countryCode, latitude, longitude';
    if (typeof input === 'string') return asText(input, attribute, what);
    const given = asObject(input, attribute, what);
    const members = Object.entries(LOCATION_MEMBERS);
    if (Object.keys(given).length === 0) fail(attribute, `must be ${what}`);
    onlyMembers(given, Object.values(LOCATION_MEMBERS), attribute);
    return Object.fromEntries(members.map(([theirs, ours]) => [theirs, placePart(given, ours, attribute)]));
  },
};

function placePart(given: JsonObject, name: string, attribute: AttributeShape): string | null {
  const part = given[name] ?? null;
  if (part === null || typeof part === 'string') return part;
  if (typeof part === 'number' && (name === 'latitude' || name === 'longitude')) return String(part);
  return fail(attribute, `must have a text as ${name}`);
}
