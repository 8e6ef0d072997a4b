import type { EntityKind } from '../../domain/entities.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import {
  attributeFault,
  customRules,
  type FieldRule,
  fieldOf,
  isWritten,
  refusalOf,
} from '../../domain/mapping.ts';
import { nearest } from '../../domain/nearest.ts';
import type { WriteIntent } from '../../domain/outbox.ts';
import type { MemberFault } from '../errors.ts';
import type { ContactInput } from '../inputs.ts';
import { inputFor } from '../sync/fields.ts';
import type { Mapping } from '../sync/mapping.ts';
import { replacementOf } from './fields.ts';

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
  /** What the mapping does not take. */
  readonly faults: readonly MemberFault[];
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

/** Puts together what is asked for, field by field, as the mapping has it. */
export class DraftBuilder {
  readonly #mapping: Mapping;
  readonly #kind: EntityKind;
  readonly #key: string | null;
  readonly #given: Record<string, Json> = {};
  readonly #references: Reference[] = [];
  readonly #faults: MemberFault[] = [];

  constructor(mapping: Mapping, kind: EntityKind, key: string | null) {
    this.#mapping = mapping;
    this.#kind = kind;
    this.#key = key;
  }

  /** By our names; undefined: not touched. */
  fields(members: Readonly<Record<string, Json | undefined>>): this {
    for (const [name, value] of Object.entries(members)) {
      const rule = value === undefined ? null : this.#writable(name, `/${name}`);
      if (value !== undefined && rule !== null) this.#put(rule, value, `/${name}`);
    }
    return this;
  }

  /** Other things, by what they are found by; none: not touched. */
  refersTo(name: string, kind: Reference['kind'], keys: readonly string[], how: Reference['how']): this {
    const rule = keys.length === 0 ? null : this.#writable(name, `/${name}`);
    if (rule !== null) this.#references.push({ field: fieldOf(rule), kind, keys, how });
    return this;
  }

  /** What has no member of its own: attributes by slug, and fields that the configuration adds. */
  others({ attributes = {}, fields = {} }: Pick<ContactInput, 'attributes' | 'fields'>): this {
    for (const [slug, value] of Object.entries(attributes)) {
      const fault = this.#attributeFault(slug);
      if (fault !== null) this.#faults.push({ path: `/attributes/${slug}`, message: fault });
      this.#given[slug] = value;
    }
    for (const [name, value] of Object.entries(fields)) this.#custom(name, value);
    return this;
  }

  /** @param externalId of a person or company; undefined: not touched */
  draft(externalId?: string | null): Draft {
    const rule = this.#mapping.rule(this.#kind, 'externalId');
    if (externalId !== undefined && rule !== undefined && isWritten(rule)) {
      this.#put(rule, externalId, '/externalId');
    }
    const [kind, key, keySlug] = [this.#kind, this.#key, this.#mapping.keySlugs[this.#kind]];
    const given = this.#given;
    return {
      kind,
      entityId: null,
      key,
      keySlug,
      intent: key === null ? given : { ...given, [keySlug]: withKey(kind, given[keySlug], key) },
      externalId,
      references: this.#references,
      faults: this.#faults,
    };
  }

  /** Members of a thing's own may be told apart elsewhere: here only what the configuration has made of them counts. */
  #attributeFault(slug: string): string | null {
    const rules = this.#mapping.rules(this.#kind);
    const rule = rules.find(({ attribute }) => attribute === slug);
    if (rule === undefined) return null;
    return rule.form === 'custom' ? attributeFault(rules, slug) : refusalOf(rule);
  }

  #custom(name: string, value: Json): void {
    const path = `/fields/${pointer(name)}`;
    const rule = this.#mapping.rule(this.#kind, name);
    if (rule?.form !== 'custom') this.#faults.push({ path, message: this.#unknown(name) });
    else if (this.#writable(name, path) !== null) this.#put(rule, value, path);
  }

  /** Null for a field that is not written; that is a fault. */
  #writable(name: string, path: string): FieldRule | null {
    const rule = this.#mapping.rule(this.#kind, name);
    const refusal = rule === undefined ? null : refusalOf(rule);
    if (refusal !== null) this.#faults.push({ path, message: refusal });
    return refusal === null ? (rule ?? null) : null;
  }

  #put(rule: FieldRule, value: Json, path: string): void {
    const converted = inputFor(rule, value);
    if ('value' in converted) this.#given[fieldOf(rule)] = converted.value;
    else this.#faults.push({ path, message: converted.problem });
  }

  #unknown(name: string): string {
    const names = customRules(this.#mapping.rules(this.#kind)).map((rule) => rule.name);
    if (names.length === 0) return 'is no field: the configuration of this service adds none';
    const meant = nearest(name, names);
    const hint = meant === null ? '' : ` Did you mean "${meant}"?`;
    return `is no field that the configuration of this service adds.${hint} There are: ${names.join(', ')}`;
  }
}

function pointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
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
