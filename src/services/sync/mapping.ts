import { readUnlisted, readValue } from '../../attio/values/read.ts';
import {
  blankFacts,
  type CompanyFacts,
  type ContactFacts,
  type DealFacts,
  ENTITY_KINDS,
  type EntityKind,
  type EntityRow,
  type Facts,
  normalKey,
  type PlainAttributes,
} from '../../domain/entities.ts';
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import {
  customRules,
  DEFAULT_MAPPINGS,
  type FieldRule,
  fieldOf,
  isRead,
  keySlugs,
  type Mappings,
  ownAttributes,
  ownerPolicy,
  placeOf,
} from '../../domain/mapping.ts';
import type { WriteIntent } from '../../domain/outbox.ts';
import type { RecordValues } from '../../domain/records.ts';
import { shownValues } from './fields.ts';
import { type Members, membersOf, overlay } from './overlay.ts';

/** The slugs of the attributes that tell records apart. */
export type KeySlugs = Readonly<Record<EntityKind, string>>;

export function entityKindOf(object: string): EntityKind | null {
  return ENTITY_KINDS.find((kind) => kind === object) ?? null;
}

/** What is known of the fields of one kind, made once. */
interface KindMapping {
  readonly rules: readonly FieldRule[];
  /** By name; those that are left out are not among them. */
  readonly byName: ReadonlyMap<string, FieldRule>;
  readonly custom: readonly FieldRule[];
  readonly shown: Shown;
  readonly members: Members;
  /** Fields whose value is ours: what Attio has does not come in. */
  readonly kept: readonly FieldRule[];
}

/**
 * How Attio's records are seen as things of ours: which field is which attribute, as the configuration says. Everything
 * else a record has is shown under `attributes`, by slug, in plain form.
 */
export class Mapping {
  readonly keySlugs: KeySlugs;
  readonly #kinds: Readonly<Record<EntityKind, KindMapping>>;

  /** @param deps.dealKey slug of the deals object's unique attribute that holds our id */
  constructor({ dealKey, mappings = DEFAULT_MAPPINGS }: { dealKey: string; mappings?: Mappings }) {
    this.keySlugs = keySlugs(dealKey);
    const of = (kind: EntityKind) => kindMapping(kind, mappings[kind], this.keySlugs[kind]);
    this.#kinds = { people: of('people'), companies: of('companies'), deals: of('deals') };
  }

  /** What is shown of a thing of which nothing is known. */
  blank(kind: EntityKind): Facts {
    const { custom } = this.#kinds[kind];
    const facts = blankFacts(kind);
    return custom.length === 0
      ? facts
      : { ...facts, fields: fromEntries(custom.map(({ name }) => [name, null])) };
  }

  /** What a record shows of a thing. @param plain the same values in plain form */
  facts(kind: EntityKind, values: RecordValues, plain: PlainAttributes): Facts {
    const { custom, byName, shown: attributes } = this.#kinds[kind];
    const read = new FieldReader(byName, values, plain);
    const shown = {
      attributes: attributes.of(plain),
      ...(custom.length === 0
        ? {}
        : { fields: fromEntries(custom.map((rule) => [rule.name, read.any(rule)])) }),
    };
    const keys = this.keysIn(kind, values);
    if (kind === 'people') return { ...contactFacts(keys, read), ...shown };
    return kind === 'companies'
      ? { ...companyFacts(keys, read), ...shown }
      : { ...dealFacts(keys, read), ...shown };
  }

  /**
   * The same, with what is ours to keep: fields that only go out show what they showed before, and nothing where we have
   * never said anything.
   * @param before undefined: the thing is new here
   * @param but what was written and is not to be kept: Attio has refused it
   */
  withKept(kind: EntityKind, theirs: Facts, before: Facts | undefined, but: WriteIntent = {}): Facts {
    const { kept: all } = this.#kinds[kind];
    if (all.length === 0) return theirs;
    const kept = all.filter((rule) => rule.form !== 'ours' && !Object.hasOwn(but, fieldOf(rule)));
    if (kept.length === 0) return theirs;
    const held = { externalId: null, facts: before ?? this.blank(kind) };
    const entriesOf = (rules: readonly FieldRule[]) =>
      fromEntries(rules.map((rule) => [rule.name, this.heldBy(held, rule)]));
    const custom = entriesOf(kept.filter(({ form }) => form === 'custom'));
    const texts = entriesOf(kept.filter(({ form }) => form !== 'custom'));
    const fields = theirs.fields === undefined ? {} : { fields: { ...theirs.fields, ...custom } };
    return { ...theirs, ...texts, ...fields };
  }

  /** The keys in a record's values, as they are compared. */
  keysIn(kind: EntityKind, values: RecordValues): string[] {
    return texts(values, this.keySlugs[kind], KEY_MEMBERS[kind]).map((key) => normalKey(kind, key));
  }

  /** What is seen of a thing whose writes have not reached Attio yet. */
  overlay(kind: EntityKind, facts: Facts, intents: readonly WriteIntent[]): Facts {
    return overlay(this.#kinds[kind].members, facts, intents);
  }

  /** The rule of a field by our name, also of one that is left out; undefined: there is none. */
  rule(kind: EntityKind, name: string): FieldRule | undefined {
    return this.#kinds[kind].rules.find((rule) => rule.name === name);
  }

  /** Of all fields; those that are left out come last. */
  rules(kind: EntityKind): readonly FieldRule[] {
    return this.#kinds[kind].rules;
  }

  /** Fields that only go out. */
  kept(kind: EntityKind): readonly FieldRule[] {
    return this.#kinds[kind].kept;
  }

  /** What a thing holds of such a field; null: nothing. */
  heldBy({ externalId, facts }: Pick<EntityRow, 'externalId' | 'facts'>, { form, name }: FieldRule): Json {
    if (form === 'ours') return externalId;
    if (form === 'custom') return facts.fields?.[name] ?? null;
    return (facts as unknown as JsonObject)[name] ?? null; // facts are plain JSON
  }

  /** The attribute of a field that cannot be left out. */
  slugOf(kind: EntityKind, name: string): string {
    return this.rule(kind, name)?.attribute ?? name;
  }

  /** The rule by which a field of a write is one of ours; undefined: it is an attribute like others. */
  ruleOf(kind: EntityKind, field: string): FieldRule | undefined {
    return this.#kinds[kind].rules.find((rule) => fieldOf(rule) === field);
  }

  /** Where callers give a field of a write: a JSON pointer. */
  pathOf(kind: EntityKind, field: string): string {
    const rule = this.ruleOf(kind, field);
    return rule === undefined ? `/attributes/${field}` : `/${placeOf(rule).replace('.', '/')}`;
  }

  /** Whose write of a field stands, as its owner says; null: as the policy of conflicts says. */
  policyOf(kind: EntityKind, field: string): 'local-wins' | 'attio-wins' | null {
    return ownerPolicy(this.#kinds[kind].rules, field);
  }
}

const KEY_MEMBERS = { people: 'email_address', companies: 'domain', deals: 'value' } as const;

function kindMapping(kind: EntityKind, rules: readonly FieldRule[], keySlug: string): KindMapping {
  const living = rules.filter(({ direction }) => direction !== 'none');
  return {
    rules,
    byName: new Map(living.map((rule) => [rule.name, rule])),
    custom: customRules(rules),
    shown: new Shown(new Set(['record_id', keySlug, ...ownAttributes(rules)])),
    members: membersOf(kind, rules, keySlug),
    kept: living.filter((rule) => !isRead(rule)),
  };
}

/** The values of one record, by our names of the fields. Of a field that is left out there are none. */
class FieldReader {
  readonly #rules: ReadonlyMap<string, FieldRule>;
  readonly #values: RecordValues;
  readonly #plain: PlainAttributes;

  constructor(rules: ReadonlyMap<string, FieldRule>, values: RecordValues, plain: PlainAttributes) {
    this.#rules = rules;
    this.#values = values;
    this.#plain = plain;
  }

  /** Whatever a field shows. */
  any(rule: FieldRule): Json {
    return shownValues(rule, this.#plainOf(rule.attribute));
  }

  text(name: string): string | null {
    const rule = this.#rules.get(name);
    if (rule === undefined) return null;
    if (rule.form !== 'half') return asText([this.any(rule)].flat()[0]);
    const half = this.first(name, HALVES[name] ?? '');
    return half === null ? null : asText(shownValues(rule, half));
  }

  /** A member of the first value. */
  first(name: string, member: string): string | null {
    return this.all(name, member)[0] ?? null;
  }

  all(name: string, member: string): string[] {
    const rule = this.#rules.get(name);
    return rule === undefined ? [] : texts(this.#values, rule.attribute, member);
  }

  /** The first value, of a known type, in plain form. */
  plain(name: string, type: string): JsonObject | null {
    const rule = this.#rules.get(name);
    return rule === undefined ? null : first(this.#values, rule.attribute, type);
  }

  /** An attribute may be newer than the schema that is held: then each value says its own type. */
  #plainOf(slug: string): Json {
    return this.#plain[slug] ?? readUnlisted(this.#values[slug] ?? [])[0] ?? null;
  }
}

const HALVES: Readonly<Record<string, string>> = { firstName: 'first_name', lastName: 'last_name' };

function contactFacts(emails: readonly string[], read: FieldReader): Omit<ContactFacts, 'attributes'> {
  return {
    emails,
    firstName: read.text('firstName'),
    lastName: read.text('lastName'),
    phone: read.first('phone', 'phone_number') ?? read.first('phone', 'original_phone_number'),
    jobTitle: read.text('jobTitle'),
    companyRecordId: read.first('company', 'target_record_id'),
  };
}

function companyFacts(domains: readonly string[], read: FieldReader): Omit<CompanyFacts, 'attributes'> {
  return { domains, name: read.text('name') };
}

function dealFacts(keys: readonly string[], read: FieldReader): Omit<DealFacts, 'attributes'> {
  const stage = read.plain('stage', 'status');
  const value = read.plain('value', 'currency');
  const amount = value?.['amount'];
  return {
    externalId: keys[0] ?? null,
    name: read.text('name'),
    stage: stage && { id: asText(stage['id']), title: asText(stage['title']) },
    value: typeof amount === 'number' ? { amount, currencyCode: asText(value?.['currencyCode']) } : null,
    companyRecordId: read.first('companyDomain', 'target_record_id'),
    contactRecordIds: read.all('contactEmails', 'target_record_id'),
    ownerId: read.first('ownerEmail', 'referenced_actor_id'),
  };
}

function fromEntries(entries: readonly (readonly [string, Json])[]): PlainAttributes {
  return Object.fromEntries(entries);
}

/** The first value of an attribute of a known type, in plain form. */
function first(values: RecordValues, slug: string, type: string): JsonObject | null {
  const [value] = values[slug] ?? [];
  const plain = value === undefined ? null : readValue(type, value);
  return isJsonObject(plain) ? plain : null;
}

function texts(values: RecordValues, slug: string, member: string): string[] {
  const found: string[] = [];
  for (const { [member]: text } of values[slug] ?? []) if (isText(text)) found.push(text);
  return found;
}

function asText(value: Json | undefined): string | null {
  return isText(value) ? value : null;
}

/** Attio reads an unset part of a name as an empty text. */
function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

/**
 * What `attributes` show. Records of one object have the same slugs, so each is a copy of one that was made before, for the
 * reason that `SchemaService.plainValues` gives.
 */
class Shown {
  readonly #own: ReadonlySet<string>;
  #like: PlainAttributes = {};
  #size = 0;

  /** @param own slugs that have places of their own */
  constructor(own: ReadonlySet<string>) {
    this.#own = own;
  }

  of(plain: PlainAttributes): PlainAttributes {
    const shown: Record<string, Json> = { ...this.#like };
    let size = 0;
    for (const slug in plain) {
      if (this.#own.has(slug)) continue;
      if (!Object.hasOwn(this.#like, slug)) return this.#anew(plain);
      shown[slug] = plain[slug] ?? null;
      size += 1;
    }
    return size === this.#size ? shown : this.#anew(plain);
  }

  #anew(plain: PlainAttributes): PlainAttributes {
    const slugs = Object.keys(plain).filter((slug) => !this.#own.has(slug));
    const blank = JSON.stringify(Object.fromEntries(slugs.map((slug) => [slug, null])));
    // What comes out of a text has the form of which copies are cheap.
    this.#like = JSON.parse(blank) as PlainAttributes;
    this.#size = slugs.length;
    return this.of(plain);
  }
}
