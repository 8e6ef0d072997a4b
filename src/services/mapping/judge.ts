/** Whether the mapping fits the workspace. Pure. */
import type { Attribute } from '../../attio/types.ts';
import type { EntityKind } from '../../domain/entities.ts';
import { DEFAULT_MAPPINGS, type FieldForm, type FieldRule, isRead, isWritten } from '../../domain/mapping.ts';
import { fold, nearest } from '../../domain/nearest.ts';
import { isSameWord } from '../../domain/transforms.ts';
import type { KnownChoice } from '../choices.ts';

/** What does not fit, and how to mend it. */
export interface MappingTrouble {
  /** The field's place in the configuration, such as `people.jobTitle`. */
  readonly field: string;
  /** To follow the field in a sentence. */
  readonly problem: string;
  readonly mend: string;
  /** Values go astray, or are missing; else something is only to be known. */
  readonly isFault: boolean;
}

/** What an attribute must be, where a field does not take every one. */
interface Needs {
  readonly types: readonly string[];
  /** Null: whichever. */
  readonly isList: boolean | null;
}

const TEXTS = ['text', 'select', 'status', 'date', 'timestamp', 'email-address', 'domain', 'phone-number'];

const NEEDS: Readonly<Partial<Record<FieldForm, Needs>>> = {
  half: { types: ['personal-name'], isList: false },
  text: { types: TEXTS, isList: false },
  ours: { types: ['text', 'number'], isList: false },
  phone: { types: ['phone-number'], isList: null },
  company: { types: ['record-reference'], isList: false },
  people: { types: ['record-reference'], isList: true },
  stage: { types: ['status'], isList: false },
  money: { types: ['currency'], isList: false },
  member: { types: ['actor-reference'], isList: false },
};

const NUMBERS = ['number', 'currency', 'rating'];

/** The fields that the configuration speaks of: what is so without it is Attio's standard, and always there. */
export function configuredRules(kind: EntityKind, rules: readonly FieldRule[]): FieldRule[] {
  const isUsual = (rule: FieldRule) =>
    DEFAULT_MAPPINGS[kind].some(
      (usual) =>
        usual.name === rule.name &&
        usual.attribute === rule.attribute &&
        usual.direction === rule.direction &&
        rule.transform === null,
    );
  return rules.filter((rule) => rule.direction !== 'none' && !isUsual(rule));
}

/** @param attributes those of the object; archived ones may be among them */
export function judgeFields(
  kind: EntityKind,
  rules: readonly FieldRule[],
  attributes: readonly Attribute[],
): MappingTrouble[] {
  return configuredRules(kind, rules).flatMap((rule) => {
    const fault = faultOf(kind, rule, attributes);
    return fault === null ? [] : [{ field: `${kind}.${rule.name}`, isFault: true, ...fault }];
  });
}

type Fault = Pick<MappingTrouble, 'problem' | 'mend'>;

function faultOf(kind: EntityKind, rule: FieldRule, attributes: readonly Attribute[]): Fault | null {
  const { attribute: slug, name } = rule;
  const correct = `correct mapping.${kind}.${name} in config/attio.*.json`;
  const found = attributes.find(({ api_slug }) => api_slug === slug);
  if (found === undefined || found.is_archived) {
    const slugs = attributes.filter(({ is_archived }) => !is_archived).map(({ api_slug }) => api_slug);
    const meant = nearest(slug, slugs);
    const hint = meant === null ? '' : `; did you mean "${meant}"?`;
    const what =
      found === undefined ? `${kind} have no attribute "${slug}"` : `the attribute "${slug}" is archived`;
    return {
      problem: `${what}${found === undefined ? hint : ''}`,
      mend: `Make the attribute in Attio (Workspace settings > Objects), or ${correct}.`,
    };
  }
  if (isWritten(rule) && !found.is_writable) {
    return {
      problem: `the attribute "${slug}" cannot be written: Attio sets it itself`,
      mend: `Give the field direction in: ${correct}.`,
    };
  }
  const unfit = unfitType(rule, found);
  return unfit === null ? null : { problem: unfit, mend: `Name another attribute: ${correct}.` };
}

function unfitType({ form, transform, attribute: slug }: FieldRule, found: Attribute): string | null {
  const needs = NEEDS[form];
  if (needs !== undefined && !needs.types.includes(found.type)) {
    return `the attribute "${slug}" is of type ${found.type}, and this field takes ${needs.types.join(', ')}`;
  }
  if (needs !== undefined && needs.isList !== null && needs.isList !== found.is_multiselect) {
    return `the attribute "${slug}" holds ${needs.isList ? 'one value, and this field several' : 'several values, and this field one'}`;
  }
  if (transform?.kind === 'scale' && !NUMBERS.includes(found.type)) {
    return `the attribute "${slug}" is of type ${found.type}, and scale is for numbers`;
  }
  return null;
}

/** The table of a field against the options that its attribute has. */
export function judgeTable(
  kind: EntityKind,
  rule: FieldRule,
  choices: readonly KnownChoice[],
): MappingTrouble[] {
  const { transform, name, attribute: slug } = rule;
  if (transform?.kind !== 'map') return [];
  const field = `${kind}.${name}`;
  const correct = `correct mapping.${kind}.${name}.transform in config/attio.*.json`;
  const living = choices.filter(({ isArchived }) => !isArchived);
  const titles = living.map(({ title }) => title);
  const missing = Object.entries(transform.table).filter(
    ([, theirs]) => !living.some(({ id, title }) => id === theirs || isSameWord(title, theirs)),
  );
  const faults = missing.map(([ours, theirs]) => {
    const meant = nearest(String(theirs), titles);
    const hint = meant === null ? '' : `; did you mean "${meant}"?`;
    return {
      field,
      problem: `"${ours}" stands for "${theirs}", which is no option of "${slug}"${hint}`,
      mend: `Make the option in Attio, or ${correct}.`,
      isFault: true,
    };
  });
  const known = new Set(Object.values(transform.table).map((theirs) => fold(String(theirs))));
  const others = isRead(rule) ? titles.filter((title) => !known.has(fold(title))) : [];
  if (others.length === 0) return faults;
  const words = others.slice(0, 10).map((title) => `"${title}"`);
  const more = others.length > words.length ? ` and ${others.length - words.length} more` : '';
  return [
    ...faults,
    {
      field,
      problem: `the table has no word for ${words.join(', ')}${more} of "${slug}": shown as they are`,
      mend: `Add them, if callers are to know them: ${correct}.`,
      isFault: false,
    },
  ];
}
