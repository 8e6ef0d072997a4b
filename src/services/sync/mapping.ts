import type { CompanyFacts, ContactFacts, EntityKind, PlainAttributes } from '../../domain/entities.ts';
import type { Json } from '../../domain/json.ts';
import type { RecordValues } from '../../domain/records.ts';

/**
 * What internal systems see of Attio's standard attributes: member of ours ← attribute slug, member of its value.
 * Everything else a record has is shown under `attributes`, by slug, in plain form.
 */
const CONTACT_SLUGS: ReadonlySet<string> = new Set([
  'record_id',
  'name',
  'email_addresses',
  'job_title',
  'company',
]);
const COMPANY_SLUGS: ReadonlySet<string> = new Set(['record_id', 'name', 'domains']);

/** The attribute that tells records apart. */
export const KEY_SLUGS = { people: 'email_addresses', companies: 'domains' } as const satisfies Record<
  EntityKind,
  string
>;

export function entityKindOf(object: string): EntityKind | null {
  return object === 'people' || object === 'companies' ? object : null;
}

export function entityFacts(
  kind: EntityKind,
  values: RecordValues,
  plain: PlainAttributes,
): ContactFacts | CompanyFacts {
  return kind === 'people' ? contactFacts(values, plain) : companyFacts(values, plain);
}

/** The keys by which Attio tells records apart: unique in a workspace, compared in lower case. */
export function keysOf(facts: ContactFacts | CompanyFacts): readonly string[] {
  return 'emails' in facts ? facts.emails : facts.domains;
}

/** The keys in a record's values, in lower case. */
export function keysOfValues(kind: EntityKind, values: RecordValues): string[] {
  const member = kind === 'people' ? 'email_address' : 'domain';
  return texts(values, KEY_SLUGS[kind], member).map((key) => key.toLowerCase());
}

function contactFacts(values: RecordValues, plain: PlainAttributes): ContactFacts {
  return {
    emails: keysOfValues('people', values),
    firstName: text(values, 'name', 'first_name'),
    lastName: text(values, 'name', 'last_name'),
    phone:
      text(values, 'phone_numbers', 'phone_number') ?? text(values, 'phone_numbers', 'original_phone_number'),
    jobTitle: text(values, 'job_title', 'value'),
    companyRecordId: text(values, 'company', 'target_record_id'),
    attributes: without(plain, CONTACT_SLUGS),
  };
}

function companyFacts(values: RecordValues, plain: PlainAttributes): CompanyFacts {
  return {
    domains: keysOfValues('companies', values),
    name: text(values, 'name', 'value'),
    attributes: without(plain, COMPANY_SLUGS),
  };
}

function texts(values: RecordValues, slug: string, member: string): string[] {
  return (values[slug] ?? []).map((value) => value[member]).filter(isText);
}

function text(values: RecordValues, slug: string, member: string): string | null {
  return texts(values, slug, member)[0] ?? null;
}

/** Attio reads an unset part of a name as an empty text. */
function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

function without(plain: PlainAttributes, slugs: ReadonlySet<string>): PlainAttributes {
  return Object.fromEntries(Object.entries(plain).filter(([slug]) => !slugs.has(slug)));
}
