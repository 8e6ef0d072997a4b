import type { EntityKind, Facts } from '../../domain/entities.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import { type FieldForm, type FieldRule, fieldOf } from '../../domain/mapping.ts';
import type { WriteIntent } from '../../domain/outbox.ts';
import { shownInput } from './fields.ts';

/** What a member shows of what it showed before and what is to be written. */
type Show = (before: Json | undefined, input: Json) => Json;

/** A field of an intent, as the member of ours that shows it. */
interface Member {
  readonly name: string;
  /** Among those that the configuration adds. */
  readonly custom?: true;
  /** `attributes` show it as well. */
  readonly both?: true;
  readonly show: Show;
}

/** Members by the field that is written; null: it is shown nowhere. What is not among them is an attribute. */
export type Members = ReadonlyMap<string, Member | null>;

/** What is to be written, as the texts that the member shows. */
const words: Show = (before, input) => asTexts(written(before, input));
const target: Show = (_before, input) => targetOf(input);

const KEY_MEMBERS = { people: 'emails', companies: 'domains', deals: 'externalId' } as const;

/** Members that are named otherwise than what is sent. */
const MEMBERS: Readonly<Partial<Record<FieldForm, { readonly name: string; readonly show: Show }>>> = {
  company: { name: 'companyRecordId', show: target },
  people: { name: 'contactRecordIds', show: targets },
  stage: { name: 'stage', show: choice },
  money: { name: 'value', show: money },
  member: { name: 'ownerId', show: actor },
};

/** @param keySlug the attribute that things of this kind are found by */
export function membersOf(kind: EntityKind, rules: readonly FieldRule[], keySlug: string): Members {
  const key: Member = { name: KEY_MEMBERS[kind], show: words };
  // Those that are left out come last, and may stand for the attribute of another field.
  const named = rules.toReversed().map((rule): [string, Member | null] => [fieldOf(rule), memberOf(rule)]);
  return new Map([...named, [keySlug, key]]);
}

function memberOf(rule: FieldRule): Member | null {
  const { form, name, direction } = rule;
  if (form === 'ours' || direction === 'none') return null;
  if (form === 'phone') return { name, both: true, show: (_before, shown) => phoneOf(shown) };
  const shown: Show = (before, input) => written(before, shownInput(rule, input));
  if (form === 'custom') return { name, custom: true, show: shown };
  return MEMBERS[form] ?? { name, show: (before, input) => asTexts(shown(before, input)) };
}

/**
 * What internal systems see of a thing whose write has not reached Attio yet: what both sides agree on, and over it
 * what they themselves asked for, as Attio will show it, as far as that can be told before Attio has said it.
 */
export function overlay(members: Members, facts: Facts, intents: readonly WriteIntent[]): Facts {
  let shown = facts;
  for (const [field, input] of intents.flatMap((intent) => Object.entries(intent))) {
    shown = write(members.get(field), shown, field, input);
  }
  return shown;
}

function write(member: Member | null | undefined, facts: Facts, field: string, input: Json): Facts {
  if (member === null) return facts;
  if (member === undefined) return withAttribute(facts, field, input);
  const { name } = member;
  if (member.custom === true) {
    return { ...facts, fields: { ...facts.fields, [name]: member.show(facts.fields?.[name], input) } };
  }
  if (member.both === true) {
    const shown = withAttribute(facts, field, input);
    return { ...shown, [name]: member.show(undefined, shown.attributes[field] ?? null) };
  }
  const before: Json | undefined = (facts as unknown as Record<string, Json>)[name]; // facts are plain JSON
  return { ...facts, [name]: member.show(before, input) };
}

function withAttribute(facts: Facts, field: string, input: Json): Facts {
  return { ...facts, attributes: { ...facts.attributes, [field]: written(facts.attributes[field], input) } };
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
