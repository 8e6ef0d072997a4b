import type { EntityKind, Facts } from '../../domain/entities.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import type { WriteIntent } from '../../domain/outbox.ts';

/** What a member shows of what it showed before and what is to be written. */
type Show = (before: Json | undefined, input: Json) => Json;

/** A field of an intent, as the member of ours that shows it. */
interface Member {
  readonly name: string;
  readonly show: Show;
}

/** What is to be written, as the texts that the member shows. */
const words: Show = (before, input) => asTexts(written(before, input));
const target: Show = (_before, input) => targetOf(input);

/** Members of ours that show an attribute, or a half of one. */
const MEMBERS: Readonly<Record<EntityKind, Readonly<Record<string, Member>>>> = {
  people: {
    'name.firstName': { name: 'firstName', show: words },
    'name.lastName': { name: 'lastName', show: words },
    email_addresses: { name: 'emails', show: words },
    job_title: { name: 'jobTitle', show: words },
    company: { name: 'companyRecordId', show: target },
  },
  companies: { name: { name: 'name', show: words }, domains: { name: 'domains', show: words } },
  deals: {
    name: { name: 'name', show: words },
    stage: { name: 'stage', show: choice },
    value: { name: 'value', show: money },
    associated_company: { name: 'companyRecordId', show: target },
    associated_people: { name: 'contactRecordIds', show: targets },
    owner: { name: 'ownerId', show: actor },
  },
};

const DEAL_KEY: Member = { name: 'externalId', show: words };

/**
 * What internal systems see of a thing whose write has not reached Attio yet: what both sides agree on, and over it
 * what they themselves asked for, as Attio will show it, as far as that can be told before Attio has said it.
 * @param keySlug the attribute that such a thing is found by
 */
export function overlay(
  kind: EntityKind,
  facts: Facts,
  intents: readonly WriteIntent[],
  keySlug: string,
): Facts {
  return intents.reduce<Facts>(
    (shown, intent) =>
      Object.entries(intent).reduce(
        (so, [field, input]) => write(memberOf(kind, field, keySlug), so, field, input),
        shown,
      ),
    facts,
  );
}

function memberOf(kind: EntityKind, field: string, keySlug: string): Member | undefined {
  if (kind === 'deals' && field === keySlug) return DEAL_KEY;
  return Object.hasOwn(MEMBERS[kind], field) ? MEMBERS[kind][field] : undefined;
}

function write(member: Member | undefined, facts: Facts, field: string, input: Json): Facts {
  if (member !== undefined) {
    const before: Json | undefined = (facts as unknown as Record<string, Json>)[member.name]; // facts are plain JSON
    return { ...facts, [member.name]: member.show(before, input) };
  }
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
  const recordId = isJsonObject(input) ? input['recordId'] : null;
  return typeof recordId === 'string' ? recordId : null;
}

function targets(before: Json | undefined, input: Json): Json {
  return asTexts(
    written(
      before ?? [],
      inputsOf(input, (each) => targetOf(each) ?? []),
    ),
  );
}

/** The same input, with its values put in other words; an empty list for a value that has none. */
function inputsOf(input: Json, words: (value: Json) => Json): Json {
  if (input === null) return null;
  if (isJsonObject(input) && Array.isArray(input['replace'])) {
    return { replace: input['replace'].flatMap(words) };
  }
  return Array.isArray(input) ? input.flatMap(words) : [words(input)].flat();
}

/** As it is given, until Attio has said the rest. */
function choice(_before: Json | undefined, input: Json): Json {
  if (input === null) return null;
  if (!isJsonObject(input)) return { id: null, title: asTexts(input) };
  return { id: asTexts(input['id'] ?? null), title: asTexts(input['title'] ?? null) };
}

function money(before: Json | undefined, input: Json): Json {
  const given = isJsonObject(input) ? (input['amount'] ?? null) : input;
  const amount = given === null || given === '' ? Number.NaN : Number(given);
  if (!Number.isFinite(amount)) return null;
  const code = isJsonObject(input) ? input['currencyCode'] : null;
  const known = isJsonObject(before) ? before['currencyCode'] : null;
  return { amount, currencyCode: code ?? known ?? null };
}

/** Null for somebody whose id is not known yet. */
function actor(_before: Json | undefined, input: Json): Json {
  return isJsonObject(input) ? asTexts(input['id'] ?? null) : null;
}

function phoneOf(phones: Json | undefined): string | null {
  const first = Array.isArray(phones) ? phones[0] : phones;
  const number = isJsonObject(first) ? first['number'] : first;
  return typeof number === 'string' ? number : null;
}
