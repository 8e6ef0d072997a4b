import { AttributeValueError } from '../../attio/values/codec.ts';
import { writeValues } from '../../attio/values/write.ts';
import type { EntityRow } from '../../domain/entities.ts';
import type { Json } from '../../domain/json.ts';
import type { NewOutboxRow, WriteIntent } from '../../domain/outbox.ts';
import type { MemberFault } from '../errors.ts';
import type { CompanyInput, ContactInput, DealChange, DealInput } from '../inputs.ts';
import type { Mapping } from '../sync/mapping.ts';
import { type Draft, DraftBuilder, type Reference } from './draft.ts';
import { type Attributes, isNameHalf, operationOf, slugOf } from './fields.ts';

export function contactDraft(mapping: Mapping, input: ContactInput): Draft {
  const { company } = input;
  const reference =
    company != null && 'recordId' in company ? { object: 'companies', recordId: company.recordId } : null;
  const domain = company != null && 'domain' in company ? company.domain : null;
  return new DraftBuilder(mapping, 'people', input.email)
    .others(input)
    .fields({
      firstName: input.firstName,
      lastName: input.lastName,
      jobTitle: input.jobTitle,
      phone: typeof input.phone === 'string' ? [input.phone] : input.phone,
      company: company === undefined || domain !== null ? undefined : reference,
    })
    .refersTo('company', 'companies', domain === null ? [] : [domain], 'set')
    .draft(input.externalId);
}

export function companyDraft(mapping: Mapping, input: CompanyInput): Draft {
  return new DraftBuilder(mapping, 'companies', input.domain)
    .others(input)
    .fields({ name: input.name })
    .draft(input.externalId);
}

export function dealDraft(mapping: Mapping, input: DealInput): Draft {
  const { name, stage, value, companyDomain, contactEmails, ownerEmail } = input;
  const replaces = contactEmails != null && !Array.isArray(contactEmails);
  const emails = replaces ? contactEmails.replace : (contactEmails ?? []);
  const clearsPeople = contactEmails === null || (replaces && emails.length === 0);
  return new DraftBuilder(mapping, 'deals', input.externalId)
    .others(input)
    .fields({
      name,
      stage,
      value,
      ownerEmail,
      companyDomain: companyDomain === null ? null : undefined,
      contactEmails: clearsPeople ? null : undefined,
    })
    .refersTo('companyDomain', 'companies', companyDomain == null ? [] : [companyDomain], 'set')
    .refersTo('contactEmails', 'people', [...new Set(emails)], replaces ? 'replace' : 'add')
    .draft();
}

/** What is to be changed of a deal that is known. @param key its external id, while Attio may not have it yet */
export function dealChangeDraft(
  mapping: Mapping,
  entityId: string,
  key: string | null,
  { name, stage, value, ...others }: DealChange,
): Draft {
  const draft = new DraftBuilder(mapping, 'deals', key).others(others).fields({ name, stage, value }).draft();
  return { ...draft, entityId };
}

/** What makes a thing of which no more is known than what it is found by. */
export function bareDraft(mapping: Mapping, kind: Reference['kind'], key: string): Draft {
  return new DraftBuilder(mapping, kind, key).draft();
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

/** Nothing is asked for beyond what the thing was found by. */
export function asksKeyAlone({ key, keySlug }: Draft, intent: WriteIntent): boolean {
  const keys = [intent[keySlug]].flat();
  return Object.keys(intent).length === 1 && keys.every((value) => value === key);
}

/**
 * What the workspace's schema does not take, member by member; empty when all is well.
 * @param given slugs that were given under `attributes`
 */
export function faultsOf(
  mapping: Mapping,
  draft: Draft,
  attributes: Attributes,
  given: ReadonlySet<string>,
): MemberFault[] {
  return Object.entries(draft.intent).flatMap(([field, input]) => {
    const fault = faultOf(draft, field, input, attributes);
    return fault === null ? [] : [{ path: pathOf(mapping, draft, field, given), message: fault }];
  });
}

const KEY_PATHS = { people: '/email', companies: '/domain', deals: '/externalId' } as const;

/** Where the caller gave a field: a JSON pointer. @param given slugs that were given under `attributes` */
export function pathOf(
  mapping: Pick<Mapping, 'pathOf'>,
  { kind, keySlug }: Pick<Draft, 'kind' | 'keySlug'>,
  field: string,
  given: ReadonlySet<string>,
): string {
  if (given.has(field)) return `/attributes/${field}`;
  return field === keySlug ? KEY_PATHS[kind] : mapping.pathOf(kind, field);
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
