import { readValue } from '../../attio/values/read.ts';
import {
  type CompanyFacts,
  type ContactFacts,
  type DealFacts,
  ENTITY_KINDS,
  type EntityKind,
  type Facts,
  normalKey,
  type PlainAttributes,
} from '../../domain/entities.ts';
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import type { WriteIntent } from '../../domain/outbox.ts';
import type { RecordValues } from '../../domain/records.ts';
import { overlay } from './overlay.ts';

/** The slugs of the attributes that tell records apart. */
export type KeySlugs = Readonly<Record<EntityKind, string>>;

/**
 * What internal systems see of Attio's standard attributes: member of ours ← attribute slug, member of its value.
 * Everything else a record has is shown under `attributes`, by slug, in plain form.
 */
const OWN_SLUGS: Readonly<Record<EntityKind, readonly string[]>> = {
  people: ['record_id', 'name', 'email_addresses', 'job_title', 'company'],
  companies: ['record_id', 'name', 'domains'],
  deals: ['record_id', 'name', 'stage', 'value', 'associated_company', 'associated_people', 'owner'],
};

export const CONTACT_KEY = 'email_addresses';
export const COMPANY_KEY = 'domains';

export function entityKindOf(object: string): EntityKind | null {
  return ENTITY_KINDS.find((kind) => kind === object) ?? null;
}

/** How Attio's records are seen as things of ours. Which attribute of a deal holds our id is configured. */
export class Mapping {
  readonly keySlugs: KeySlugs;
  readonly #own: Readonly<Record<EntityKind, ReadonlySet<string>>>;

  /** @param deps.dealKey slug of the deals object's unique attribute that holds our id */
  constructor(deps: { dealKey: string }) {
    this.keySlugs = { people: CONTACT_KEY, companies: COMPANY_KEY, deals: deps.dealKey };
    this.#own = {
      people: new Set(OWN_SLUGS.people),
      companies: new Set(OWN_SLUGS.companies),
      deals: new Set([...OWN_SLUGS.deals, deps.dealKey]),
    };
  }

  /** @param plain the same values in plain form */
  facts(kind: EntityKind, values: RecordValues, plain: PlainAttributes): Facts {
    const attributes = without(plain, this.#own[kind]);
    const keys = this.keysIn(kind, values);
    if (kind === 'people') return contactFacts(keys, values, attributes);
    return kind === 'companies'
      ? companyFacts(keys, values, attributes)
      : dealFacts(keys, values, attributes);
  }

  /** The keys in a record's values, as they are compared. */
  keysIn(kind: EntityKind, values: RecordValues): string[] {
    return texts(values, this.keySlugs[kind], KEY_MEMBERS[kind]).map((key) => normalKey(kind, key));
  }

  /** What is seen of a thing whose writes have not reached Attio yet. */
  overlay(kind: EntityKind, facts: Facts, intents: readonly WriteIntent[]): Facts {
    return overlay(kind, facts, intents, this.keySlugs[kind]);
  }
}

const KEY_MEMBERS = { people: 'email_address', companies: 'domain', deals: 'value' } as const;

function contactFacts(
  emails: readonly string[],
  values: RecordValues,
  attributes: PlainAttributes,
): ContactFacts {
  return {
    emails,
    firstName: text(values, 'name', 'first_name'),
    lastName: text(values, 'name', 'last_name'),
    phone:
      text(values, 'phone_numbers', 'phone_number') ?? text(values, 'phone_numbers', 'original_phone_number'),
    jobTitle: text(values, 'job_title', 'value'),
    companyRecordId: text(values, 'company', 'target_record_id'),
    attributes,
  };
}

function companyFacts(
  domains: readonly string[],
  values: RecordValues,
  attributes: PlainAttributes,
): CompanyFacts {
  return { domains, name: text(values, 'name', 'value'), attributes };
}

function dealFacts(keys: readonly string[], values: RecordValues, attributes: PlainAttributes): DealFacts {
  const stage = first(values, 'stage', 'status');
  const value = first(values, 'value', 'currency');
  const amount = value?.['amount'];
  return {
    externalId: keys[0] ?? null,
    name: text(values, 'name', 'value'),
    stage: stage && { id: asText(stage['id']), title: asText(stage['title']) },
    value: typeof amount === 'number' ? { amount, currencyCode: asText(value?.['currencyCode']) } : null,
    companyRecordId: text(values, 'associated_company', 'target_record_id'),
    contactRecordIds: texts(values, 'associated_people', 'target_record_id'),
    ownerId: text(values, 'owner', 'referenced_actor_id'),
    attributes,
  };
}

/** The first value of an attribute of a known type, in plain form. */
function first(values: RecordValues, slug: string, type: string): JsonObject | null {
  const [value] = values[slug] ?? [];
  const plain = value === undefined ? null : readValue(type, value);
  return isJsonObject(plain) ? plain : null;
}

function texts(values: RecordValues, slug: string, member: string): string[] {
  return (values[slug] ?? []).map((value) => value[member]).filter(isText);
}

function text(values: RecordValues, slug: string, member: string): string | null {
  return texts(values, slug, member)[0] ?? null;
}

function asText(value: Json | undefined): string | null {
  return isText(value) ? value : null;
}

/** Attio reads an unset part of a name as an empty text. */
function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

function without(plain: PlainAttributes, slugs: ReadonlySet<string>): PlainAttributes {
  return Object.fromEntries(Object.entries(plain).filter(([slug]) => !slugs.has(slug)));
}
