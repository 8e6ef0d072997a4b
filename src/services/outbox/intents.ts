import { AttributeValueError } from '../../attio/values/codec.ts';
import { writeValues } from '../../attio/values/write.ts';
import type { EntityKind, EntityRow } from '../../domain/entities.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import type { NewOutboxRow, WriteIntent } from '../../domain/outbox.ts';
import type { MemberFault } from '../errors.ts';
import type { CompanyInput, ContactInput, DealChange, DealInput } from '../inputs.ts';
import { COMPANY_KEY, CONTACT_KEY } from '../sync/mapping.ts';
import { type Attributes, isNameHalf, operationOf, replacementOf, slugOf } from './fields.ts';

/** What a caller asks for, before it meets the database. */
export interface Draft {
  readonly kind: EntityKind;
  /** Our id of the thing; null: the key finds it, or it is to be made. */
  readonly entityId: string | null;
  /** The lower-case e-mail address or domain, or a deal's external id; null for a thing that has none. */
  readonly key: string | null;
  /** The attribute that holds the key. */
  readonly keySlug: string;
  /** The key included, the references not. */
  readonly intent: WriteIntent;
  /** undefined: not touched. */
  readonly externalId: string | null | undefined;
  readonly references: readonly Reference[];
}

/** Things that this one refers to, to be found or made first. */
export interface Reference {
  /** The attribute that holds the reference. */
  readonly field: string;
  readonly kind: 'people' | 'companies';
  /** Lower-case e-mail addresses or domains. */
  readonly keys: readonly string[];
  readonly how: 'set' | 'add' | 'replace';
}

export function contactDraft(input: ContactInput): Draft {
  const { company } = input;
  const reference =
    company != null && 'recordId' in company ? { object: 'companies', recordId: company.recordId } : null;
  const companyDomain = company != null && 'domain' in company ? company.domain : null;
  const references = companyReference('company', companyDomain);
  return draft('people', CONTACT_KEY, input.email, input, references, {
    'name.firstName': input.firstName,
    'name.lastName': input.lastName,
    job_title: input.jobTitle,
    phone_numbers: typeof input.phone === 'string' ? [input.phone] : input.phone,
    company: company === undefined || companyDomain !== null ? undefined : reference,
  });
}

export function companyDraft(input: CompanyInput): Draft {
  return draft('companies', COMPANY_KEY, input.domain, input, [], { name: input.name });
}

/** @param keySlug the attribute that holds the external id */
export function dealDraft(input: DealInput, keySlug: string): Draft {
  const { name, stage, value, companyDomain, contactEmails, ownerEmail } = input;
  const replaces = contactEmails != null && !Array.isArray(contactEmails);
  const emails = replaces ? contactEmails.replace : (contactEmails ?? []);
  const references: Reference[] = [...companyReference('associated_company', companyDomain ?? null)];
  if (emails.length > 0) {
    const how = replaces ? 'replace' : 'add';
    references.push({ field: 'associated_people', kind: 'people', keys: [...new Set(emails)], how });
  }
  const clearsPeople = contactEmails === null || (replaces && emails.length === 0);
  const { externalId: key, ...others } = input;
  return draft('deals', keySlug, key, { attributes: others.attributes ?? {} }, references, {
    name,
    stage,
    value,
    owner: ownerEmail,
    associated_company: companyDomain === null ? null : undefined,
    associated_people: clearsPeople ? null : undefined,
  });
}

/** What is to be changed of a deal that is known. @param key its external id, while Attio may not have it yet */
export function dealChangeDraft(
  entityId: string,
  key: string | null,
  { name, stage, value, attributes = {} }: DealChange,
  keySlug: string,
): Draft {
  return { ...draft('deals', keySlug, key, { attributes }, [], { name, stage, value }), entityId };
}

/** What makes a thing of which no more is known than what it is found by. */
export function bareDraft(kind: Reference['kind'], key: string): Draft {
  return draft(kind, kind === 'people' ? CONTACT_KEY : COMPANY_KEY, key, {}, [], {});
}

function companyReference(field: string, domain: string | null): Reference[] {
  return domain === null ? [] : [{ field, kind: 'companies', keys: [domain], how: 'set' }];
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
  keySlug: string,
  key: string | null,
  input: Pick<ContactInput, 'externalId' | 'attributes'>,
  references: readonly Reference[],
  members: Readonly<Record<string, Json | undefined>>,
): Draft {
  const given: Record<string, Json> = { ...input.attributes };
  for (const [field, value] of Object.entries(members)) if (value !== undefined) given[field] = value;
  return {
    kind,
    entityId: null,
    key,
    keySlug,
    intent: key === null ? given : { ...given, [keySlug]: withKey(kind, given[keySlug], key) },
    externalId: input.externalId,
    references,
  };
}

/** A record that is made must hold the key that it is asked for by. Addresses and domains are compared in lower case. */
function withKey(kind: EntityKind, given: Json | undefined, key: string): Json {
  if (kind === 'deals') return key;
  if (given === undefined || given === null) return [key];
  if (isJsonObject(given)) return { replace: (replacementOf(given) ?? []).map(lowerCase) };
  const values = (Array.isArray(given) ? given : [given]).map(lowerCase);
  return values.includes(key) ? values : [key, ...values];
}

function lowerCase(value: Json): Json {
  return typeof value === 'string' ? value.toLowerCase() : value;
}

/** Nothing is asked for beyond what the thing was found by. */
export function asksKeyAlone({ key, keySlug }: Draft, intent: WriteIntent): boolean {
  const keys = [intent[keySlug]].flat();
  return Object.keys(intent).length === 1 && keys.every((value) => value === key);
}

/** Where callers gave a field; the rest is under `attributes`. */
const MEMBERS: Readonly<Record<string, string>> = {
  'name.firstName': '/firstName',
  'name.lastName': '/lastName',
  job_title: '/jobTitle',
  phone_numbers: '/phone',
  company: '/company',
  stage: '/stage',
  value: '/value',
  owner: '/ownerEmail',
};

/**
 * What the workspace's schema does not take, member by member; empty when all is well.
 * @param given slugs that were given under `attributes`
 */
export function faultsOf(draft: Draft, attributes: Attributes, given: ReadonlySet<string>): MemberFault[] {
  return Object.entries(draft.intent).flatMap(([field, input]) => {
    const fault = faultOf(draft, field, input, attributes);
    return fault === null ? [] : [{ path: pathOf(draft, field, given), message: fault }];
  });
}

const KEY_PATHS = { people: '/email', companies: '/domain', deals: '/externalId' } as const;

/** Where the caller gave a field: a JSON pointer. @param given slugs that were given under `attributes` */
export function pathOf(
  { kind, keySlug }: Pick<Draft, 'kind' | 'keySlug'>,
  field: string,
  given: ReadonlySet<string>,
): string {
  if (given.has(field)) return `/attributes/${field}`;
  if (field === keySlug) return KEY_PATHS[kind];
  if (field === 'name') return '/name';
  return MEMBERS[field] ?? `/attributes/${field}`;
}

function faultOf(
  { kind, keySlug }: Draft,
  field: string,
  input: Json,
  attributes: Attributes,
): string | null {
  const attribute = attributes.get(slugOf(field));
  if (attribute === undefined || attribute.is_archived) {
    return `is no attribute of the workspace's ${kind}: GET /v1/objects/${kind}/attributes lists those that are`;
  }
  if (!attribute.is_writable) return 'cannot be written: Attio sets it itself';
  try {
    const operation = operationOf(field, attribute, input);
    if (field === keySlug && operation.op === 'clear') {
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
