import { AttributeValueError } from '../../attio/values/codec.ts';
import { writeValues } from '../../attio/values/write.ts';
import type { EntityKind, EntityRow } from '../../domain/entities.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import type { NewOutboxRow, WriteIntent } from '../../domain/outbox.ts';
import type { MemberFault } from '../errors.ts';
import type { CompanyInput, ContactInput } from '../inputs.ts';
import { KEY_SLUGS } from '../sync/mapping.ts';
import { type Attributes, isNameHalf, operationOf, replacementOf, slugOf } from './fields.ts';

/** What a caller asks for, before it meets the database. */
export interface Draft {
  readonly kind: EntityKind;
  /** The lower-case e-mail address or domain. */
  readonly key: string;
  /** The key included. */
  readonly intent: WriteIntent;
  /** undefined: not touched. */
  readonly externalId: string | null | undefined;
  /** A company that the contact belongs to, to be found or made first. */
  readonly companyDomain: string | null;
}

export function contactDraft(input: ContactInput): Draft {
  const { company } = input;
  const reference =
    company != null && 'recordId' in company ? { object: 'companies', recordId: company.recordId } : null;
  const companyDomain = company != null && 'domain' in company ? company.domain : null;
  return draft('people', input.email, input, companyDomain, {
    'name.firstName': input.firstName,
    'name.lastName': input.lastName,
    job_title: input.jobTitle,
    phone_numbers: typeof input.phone === 'string' ? [input.phone] : input.phone,
    company: company === undefined || companyDomain !== null ? undefined : reference,
  });
}

export function companyDraft(input: CompanyInput): Draft {
  return draft('companies', input.domain, input, null, { name: input.name });
}

/** What deletes the record of a thing. @param key to look for it by, when it is not known */
export function deletionOf({ kind, id }: EntityRow, key: string | null, acceptedAt: string): NewOutboxRow {
  return {
    operation: 'delete',
    kind,
    entityId: id,
    key,
    intent: {},
    base: {},
    externalIdBefore: undefined,
    acceptedAt,
    afterId: null,
    batch: null,
  };
}

function draft(
  kind: EntityKind,
  key: string,
  input: Pick<ContactInput, 'externalId' | 'attributes'>,
  companyDomain: string | null,
  members: Readonly<Record<string, Json | undefined>>,
): Draft {
  const slug = KEY_SLUGS[kind];
  const given: Record<string, Json> = { ...input.attributes };
  for (const [field, value] of Object.entries(members)) if (value !== undefined) given[field] = value;
  return {
    kind,
    key,
    intent: { ...given, [slug]: withKey(given[slug], key) },
    externalId: input.externalId,
    companyDomain,
  };
}

/** A record that is made must hold the key that it is asked for by. Keys are compared in lower case. */
function withKey(given: Json | undefined, key: string): Json {
  if (given === undefined || given === null) return [key];
  if (isJsonObject(given)) return { replace: (replacementOf(given) ?? []).map(lowerCase) };
  const values = (Array.isArray(given) ? given : [given]).map(lowerCase);
  return values.includes(key) ? values : [key, ...values];
}

function lowerCase(value: Json): Json {
  return typeof value === 'string' ? value.toLowerCase() : value;
}

/** Nothing is asked for beyond what the thing was found by. */
export function asksKeyAlone(kind: EntityKind, key: string, intent: WriteIntent): boolean {
  const keys = intent[KEY_SLUGS[kind]];
  return Object.keys(intent).length === 1 && Array.isArray(keys) && keys.every((value) => value === key);
}

/** Where callers gave a field; the rest is under `attributes`. */
const MEMBERS: Readonly<Record<string, string>> = {
  'name.firstName': '/firstName',
  'name.lastName': '/lastName',
  job_title: '/jobTitle',
  phone_numbers: '/phone',
  company: '/company',
};

/**
 * What the workspace's schema does not take, member by member; empty when all is well.
 * @param given slugs that were given under `attributes`
 */
export function faultsOf(draft: Draft, attributes: Attributes, given: ReadonlySet<string>): MemberFault[] {
  return Object.entries(draft.intent).flatMap(([field, input]) => {
    const fault = faultOf(draft.kind, field, input, attributes);
    return fault === null ? [] : [{ path: pathOf(draft.kind, field, given), message: fault }];
  });
}

function pathOf(kind: EntityKind, field: string, given: ReadonlySet<string>): string {
  if (given.has(field)) return `/attributes/${field}`;
  if (field === KEY_SLUGS[kind]) return kind === 'people' ? '/email' : '/domain';
  if (field === 'name') return '/name';
  return MEMBERS[field] ?? `/attributes/${field}`;
}

function faultOf(kind: EntityKind, field: string, input: Json, attributes: Attributes): string | null {
  const attribute = attributes.get(slugOf(field));
  if (attribute === undefined || attribute.is_archived) {
    return `is no attribute of the workspace's ${kind}: GET /v1/objects/${kind}/attributes lists those that are`;
  }
  if (!attribute.is_writable) return 'cannot be written: Attio sets it itself';
  try {
    const operation = operationOf(field, attribute, input);
    if (field === KEY_SLUGS[kind] && operation.op === 'clear') {
      return 'must keep at least one value: it is what the record is found by';
    }
    if (isNameHalf(field) || operation.op === 'clear') return null;
    writeValues(attribute, operation.op === 'set' ? operation.value : operation.values);
    return null;
  } catch (error) {
    if (!(error instanceof AttributeValueError)) throw error;
    return error.problem;
  }
}
