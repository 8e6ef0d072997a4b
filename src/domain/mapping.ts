/**
 * Which field of ours is which attribute of Attio's, in which direction, and whose it is. Fields bear the names that
 * they have in bodies: `jobTitle`, `companyDomain`; any other name is a field that the configuration adds.
 */
import type { EntityKind } from './entities.ts';
import type { Transform } from './transforms.ts';

/** `in`: from Attio to us; `out`: from us to Attio; `none`: neither, the field is left out. */
export const DIRECTIONS = ['in', 'out', 'both', 'none'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** Whose value stands when both sides have changed a field; `attio` takes no writes of ours at all. */
export const OWNERS = ['attio', 'local', 'shared'] as const;
export type Owner = (typeof OWNERS)[number];

/**
 * What a field holds: a `half` of a name, a `text`, the first of several phone numbers, a reference to a company or to
 * people, a `stage`, an amount of `money`, a `member` of the workspace; `ours`: an id that Attio does not know by
 * itself; `custom`: whatever the attribute takes.
 */
export type FieldForm =
  | 'half'
  | 'text'
  | 'phone'
  | 'company'
  | 'people'
  | 'stage'
  | 'money'
  | 'member'
  | 'ours'
  | 'custom';

export interface FieldRule {
  /** Ours. */
  readonly name: string;
  readonly form: FieldForm;
  /** Slug. */
  readonly attribute: string;
  readonly direction: Direction;
  readonly owner: Owner;
  readonly transform: Transform | null;
}

/** The fields of each object; those that are left out come last. */
export type Mappings = Readonly<Record<EntityKind, readonly FieldRule[]>>;

export interface StandardField {
  readonly form: FieldForm;
  /** Null: in none, unless the configuration names one. */
  readonly attribute: string | null;
  /** Attio has no record without it. */
  readonly required?: true;
}

/** The slug of the attribute that holds both halves of a person's name. */
export const NAME = 'name';

export const STANDARD_FIELDS: Readonly<Record<EntityKind, Readonly<Record<string, StandardField>>>> = {
  people: {
    firstName: { form: 'half', attribute: NAME },
    lastName: { form: 'half', attribute: NAME },
    phone: { form: 'phone', attribute: 'phone_numbers' },
    jobTitle: { form: 'text', attribute: 'job_title' },
    company: { form: 'company', attribute: 'company' },
    externalId: { form: 'ours', attribute: null },
  },
  companies: {
    name: { form: 'text', attribute: NAME },
    externalId: { form: 'ours', attribute: null },
  },
  deals: {
    name: { form: 'text', attribute: NAME, required: true },
    stage: { form: 'stage', attribute: 'stage', required: true },
    value: { form: 'money', attribute: 'value' },
    companyDomain: { form: 'company', attribute: 'associated_company' },
    contactEmails: { form: 'people', attribute: 'associated_people' },
    ownerEmail: { form: 'member', attribute: 'owner' },
  },
};

/** The attribute that records of each object are found by. @param dealKey that of deals, which has no fixed one */
export function keySlugs(dealKey: string): Readonly<Record<EntityKind, string>> {
  return { people: 'email_addresses', companies: 'domains', deals: dealKey };
}

/** What is so when the configuration says nothing. */
export function defaultRules(kind: EntityKind): FieldRule[] {
  return Object.entries(STANDARD_FIELDS[kind]).flatMap(([name, { form, attribute }]) =>
    attribute === null
      ? []
      : [{ name, form, attribute, direction: 'both', owner: 'shared', transform: null }],
  );
}

export const DEFAULT_MAPPINGS: Mappings = {
  people: defaultRules('people'),
  companies: defaultRules('companies'),
  deals: defaultRules('deals'),
};

/** The field of a write, as the outbox and conflicts name it: the attribute's slug, or a half of a name. */
export function fieldOf({ form, name, attribute }: FieldRule): string {
  return form === 'half' ? `${NAME}.${name}` : attribute;
}

/** Whether Attio's value comes in. */
export function isRead({ direction }: FieldRule): boolean {
  return direction === 'in' || direction === 'both';
}

export function isWritten({ direction, owner }: FieldRule): boolean {
  return (direction === 'out' || direction === 'both') && owner !== 'attio';
}

/** Whose write stands, whatever the clocks say; null: as the policy of conflicts says. */
export function ownerPolicy(rules: readonly FieldRule[], field: string): 'local-wins' | 'attio-wins' | null {
  const owner = rules.find((rule) => fieldOf(rule) === field)?.owner ?? 'shared';
  if (owner === 'shared') return null;
  return owner === 'local' ? 'local-wins' : 'attio-wins';
}

/** Where callers send a field. */
export function placeOf({ form, name }: FieldRule): string {
  return form === 'custom' ? `fields.${name}` : name;
}

/** Why a field is not to be written; null: it may be. Words that follow its name in a sentence. */
export function refusalOf(rule: FieldRule): string | null {
  if (rule.direction === 'none') return 'is left out by the configuration of this service: send it without';
  if (rule.direction === 'in') return 'is only read from Attio, as this service is configured: leave it out';
  if (rule.owner === 'attio') return 'is owned by Attio, as this service is configured: leave it out';
  return null;
}

/**
 * Why an attribute is not to be given under `attributes`; null: it may be.
 * Phone numbers may: `phone` is the first of them.
 */
export function attributeFault(rules: readonly FieldRule[], slug: string): string | null {
  const held = rules.filter((rule) => rule.attribute === slug && rule.direction !== 'none');
  const [rule = rules.find((each) => each.attribute === slug)] = held;
  if (rule === undefined) return null;
  const refusal = held.length > 1 ? null : refusalOf(rule);
  if (refusal !== null || rule.form === 'phone') return refusal;
  return `has its own place beside attributes: send it as ${held.map(placeOf).join(' and ')}`;
}

/** The attributes that are not shown under `attributes`. */
export function ownAttributes(rules: readonly FieldRule[]): string[] {
  return rules
    .filter(({ form, direction }) => form !== 'phone' || direction === 'none')
    .map(({ attribute }) => attribute);
}

export function customRules(rules: readonly FieldRule[]): FieldRule[] {
  return rules.filter(({ form, direction }) => form === 'custom' && direction !== 'none');
}
