import type { CompanyFacts, ContactFacts, EntityKind } from '../../domain/entities.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import type { WriteIntent } from '../../domain/outbox.ts';

type Facts = ContactFacts | CompanyFacts;

/** Members of ours that show an attribute, or a half of one. */
const MEMBERS: Readonly<Record<EntityKind, Readonly<Record<string, string>>>> = {
  people: {
    'name.firstName': 'firstName',
    'name.lastName': 'lastName',
    email_addresses: 'emails',
    job_title: 'jobTitle',
  },
  companies: { name: 'name', domains: 'domains' },
};

/**
 * What internal systems see of a thing whose write has not reached Attio yet: what both sides agree on, and over it
 * what they themselves asked for, as Attio will show it, as far as that can be told before Attio has said it.
 */
export function overlay(kind: EntityKind, facts: Facts, intents: readonly WriteIntent[]): Facts {
  return intents.reduce<Facts>(
    (shown, intent) =>
      Object.entries(intent).reduce((so, [field, input]) => write(kind, so, field, input), shown),
    facts,
  );
}

function write(kind: EntityKind, facts: Facts, field: string, input: Json): Facts {
  const member = Object.hasOwn(MEMBERS[kind], field) ? MEMBERS[kind][field] : undefined;
  if (member !== undefined) {
    const before: Json | undefined = (facts as unknown as Record<string, Json>)[member]; // facts are plain JSON
    return { ...facts, [member]: asTexts(written(before, input)) };
  }
  if (field === 'company' && 'companyRecordId' in facts)
    return { ...facts, companyRecordId: targetOf(input) };
  const attributes = { ...facts.attributes, [field]: written(facts.attributes[field], input) };
  if (field !== 'phone_numbers' || !('phone' in facts)) return { ...facts, attributes };
  return { ...facts, attributes, phone: phoneOf(attributes[field]) };
}

/** A member shows texts; what Attio is asked to refuse is not shown. */
function asTexts(value: Json): Json {
  if (Array.isArray(value)) return value.filter((each) => typeof each === 'string');
  return typeof value === 'string' ? value : null;
}

/** Attio puts what is added before what is there. */
function written(before: Json | undefined, input: Json): Json {
  if (input === null) return Array.isArray(before) ? [] : null;
  if (isJsonObject(input) && Array.isArray(input['replace'])) return input['replace'];
  if (!Array.isArray(before)) return input;
  const shown = (value: Json) => (typeof value === 'string' ? value.toLowerCase() : JSON.stringify(value));
  const there = new Set(before.map(shown));
  const added = (Array.isArray(input) ? input : [input]).filter((value) => !there.has(shown(value)));
  return [...added, ...before];
}

/** Null for the record of a thing that has none yet. */
function targetOf(input: Json): string | null {
  const target = isJsonObject(input) ? input['recordId'] : null;
  return typeof target === 'string' ? target : null;
}

function phoneOf(phones: Json | undefined): string | null {
  const first = Array.isArray(phones) ? phones[0] : phones;
  const number = isJsonObject(first) ? first['number'] : first;
  return typeof number === 'string' ? number : null;
}
