/** From what a configuration says of the mapping to its rules, and what is wrong with it. */
import type { EntityKind } from './entities.ts';
import {
  type Direction,
  defaultRules,
  type FieldForm,
  type FieldRule,
  isRead,
  isWritten,
  type Mappings,
  NAME,
  type Owner,
  placeOf,
  STANDARD_FIELDS,
  type StandardField,
} from './mapping.ts';
import { isInvertible, isSameWord, type Transform } from './transforms.ts';

/** What is said of one field; what is left out is as it would be without. */
export interface FieldSetting {
  readonly attribute?: string | undefined;
  readonly direction?: Direction | undefined;
  readonly owner?: Owner | undefined;
  readonly transform?: Transform | undefined;
}

export type MappingSettings = {
  readonly [kind in EntityKind]?: Readonly<Record<string, FieldSetting>> | undefined;
};

/** What is wrong, and where: names from the mapping on. */
export interface MappingFault {
  readonly at: readonly string[];
  readonly problem: string;
}

/** @param keys the attribute that records of each object are found by */
export function resolveMapping(
  settings: MappingSettings,
  keys: Readonly<Record<EntityKind, string>>,
): { readonly mappings: Mappings; readonly faults: readonly MappingFault[] } {
  const faults: MappingFault[] = [];
  const rulesOf = (kind: EntityKind): FieldRule[] => {
    const given = settings[kind] ?? {};
    const named = Object.entries(given).flatMap(([name, setting]) => {
      const { rule, problems } = resolveField(kind, name, setting);
      faults.push(...problems.map(({ at, problem }) => ({ at: [kind, name, ...at], problem })));
      return rule ?? [];
    });
    const rules = [...named, ...defaultRules(kind).filter(({ name }) => !Object.hasOwn(given, name))];
    faults.push(...sharedAttributes(kind, rules, keys[kind], new Set(Object.keys(given))));
    return rules.toSorted((a, b) => Number(a.direction === 'none') - Number(b.direction === 'none'));
  };
  const [people, companies, deals] = [rulesOf('people'), rulesOf('companies'), rulesOf('deals')];
  return { mappings: { people, companies, deals }, faults };
}

interface FieldProblem {
  /** Names from the field on. */
  readonly at: readonly string[];
  readonly problem: string;
}

const CUSTOM: StandardField = { form: 'custom', attribute: null };
/** Forms whose value is ours to keep: the others show what Attio makes of them. */
const KEPT: readonly FieldForm[] = ['half', 'text', 'ours', 'custom'];

function resolveField(
  kind: EntityKind,
  name: string,
  setting: FieldSetting,
): { rule: FieldRule | null; problems: readonly FieldProblem[] } {
  const standard = Object.hasOwn(STANDARD_FIELDS[kind], name) ? STANDARD_FIELDS[kind][name] : undefined;
  const misnamed = standard === undefined ? misnomer(kind, name) : null;
  if (misnamed !== null) return { rule: null, problems: [{ at: [], problem: misnamed }] };
  const { form, attribute: usual, required } = standard ?? CUSTOM;
  const attribute = setting.attribute ?? usual;
  if (attribute === null) {
    return {
      rule: null,
      problems: [{ at: ['attribute'], problem: 'is missing: the slug of an attribute' }],
    };
  }
  const rule: FieldRule = {
    name,
    form: form === 'half' && attribute !== NAME ? 'text' : form,
    attribute,
    ...waysOf(form, setting),
    transform: setting.transform ?? null,
  };
  return { rule, problems: [...wrongWays(rule, required === true), ...wrongTransform(rule)] };
}

/** Direction and owner follow from one another where only one of them is given. */
function waysOf(form: FieldForm, { direction, owner }: FieldSetting): Pick<FieldRule, 'direction' | 'owner'> {
  const way = direction ?? (form === 'ours' ? 'out' : 'both');
  const own = { in: 'attio', out: 'local', both: 'shared', none: 'shared' } as const;
  return { direction: way, owner: owner ?? own[way] };
}

const ALWAYS: Readonly<Record<EntityKind, Readonly<Record<string, string>>>> = {
  people: { email: 'is what people are found by, and is always email_addresses: leave it out' },
  companies: { domain: 'is what companies are found by, and is always domains: leave it out' },
  deals: { externalId: 'is what deals are found by: its attribute is named by deals.externalIdAttribute' },
};

/** Why a name is none for a field that the configuration adds. */
function misnomer(kind: EntityKind, name: string): string | null {
  const always = Object.hasOwn(ALWAYS[kind], name) ? ALWAYS[kind][name] : undefined;
  if (always !== undefined) return always;
  if (!/^[a-z][A-Za-z0-9_]{0,63}$/.test(name)) {
    return 'is no name for a field: begin with a small letter, then up to 63 letters, digits and _';
  }
  const plain = (word: string) => word.replaceAll('_', '').toLowerCase();
  const meant = [...Object.keys(STANDARD_FIELDS[kind]), ...Object.keys(ALWAYS[kind])].find(
    (standard) => plain(standard) === plain(name),
  );
  return meant === undefined ? null : `is no field of ${kind}: did you mean ${meant}?`;
}

function wrongWays(rule: FieldRule, required: boolean): FieldProblem[] {
  const problem = wrongDirection(rule, required);
  if (problem !== null) return [{ at: ['direction'], problem }];
  const { direction, owner } = rule;
  if (direction === 'in' && owner === 'local') {
    return [{ at: ['owner'], problem: 'local, and only read from Attio, exclude each other' }];
  }
  if (owner === 'attio' && (direction === 'out' || required)) {
    const why = required
      ? 'Attio has no deal without it, so it must be written'
      : 'it is only written to Attio';
    return [{ at: ['owner'], problem: `cannot be attio: ${why}` }];
  }
  return [];
}

function wrongDirection({ form, direction }: FieldRule, required: boolean): string | null {
  if (required && direction !== 'both') {
    return 'must be both: every deal that is written has it, and is read with it';
  }
  if (form === 'ours' && direction !== 'out') {
    return 'must be out: this id is ours alone, and Attio cannot set it';
  }
  if (direction === 'out' && !KEPT.includes(form)) {
    return 'must be in, both or none: what is shown of this field is what Attio makes of it';
  }
  return null;
}

function wrongTransform(rule: FieldRule): FieldProblem[] {
  const { form, transform } = rule;
  if (transform === null) return [];
  const at = ['transform'];
  if (!KEPT.includes(form))
    return [{ at, problem: 'is not for this field: only texts and added fields take one' }];
  if (isRead(rule) && isWritten(rule) && !isInvertible(transform)) {
    const problem = `${transform.kind} cannot be undone, so the field must go one way: direction in or out`;
    return [{ at, problem }];
  }
  if (transform.kind === 'scale' && form !== 'custom') {
    return [{ at, problem: 'scale is for numbers, and this field is a text' }];
  }
  return transform.kind === 'map' ? wrongTable(transform.table, form) : [];
}

function wrongTable(table: Extract<Transform, { kind: 'map' }>['table'], form: FieldForm): FieldProblem[] {
  const at = ['transform', 'map'];
  const entries = Object.entries(table);
  if (entries.length === 0) return [{ at, problem: 'is empty' }];
  return entries.flatMap(([ours, theirs], index): FieldProblem[] => {
    const twin = entries.slice(0, index).find(([, other]) => isSameWord(other, theirs));
    if (twin !== undefined) {
      return [
        {
          at: [...at, ours],
          problem: `is what ${twin[0]} is, too: values go both ways, so each must be another`,
        },
      ];
    }
    const isText = typeof theirs === 'string';
    return form === 'custom' || isText
      ? []
      : [{ at: [...at, ours], problem: 'must be a text, as the field is' }];
  });
}

/** An attribute has one field; both halves of a name are one. */
function sharedAttributes(
  kind: EntityKind,
  rules: readonly FieldRule[],
  key: string,
  given: ReadonlySet<string>,
): MappingFault[] {
  return rules.flatMap((rule, index): MappingFault[] => {
    const { name, attribute, form, direction } = rule;
    if (!given.has(name)) return [];
    const at = [kind, name, 'attribute'];
    if (attribute === key || attribute === 'record_id') {
      return [{ at, problem: `cannot be ${attribute}: records are found by it` }];
    }
    const other = rules.find(
      (each, place) =>
        each.attribute === attribute &&
        each.direction !== 'none' &&
        (given.has(each.name) ? place < index : true) &&
        each !== rule &&
        !(each.form === 'half' && form === 'half'),
    );
    if (direction === 'none' || other === undefined) return [];
    const usual = given.has(other.name)
      ? ''
      : `, unless "${other.name}" is given another one, or direction none`;
    return [{ at, problem: `is ${attribute}, which is that of ${placeOf(other)} already${usual}` }];
  });
}
