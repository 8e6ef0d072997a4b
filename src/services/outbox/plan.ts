import type { WritableValues } from '../../attio/resources/records.ts';
import type { Attribute } from '../../attio/types.ts';
import { AttributeValueError } from '../../attio/values/codec.ts';
import { writeValues } from '../../attio/values/write.ts';
import { type ConflictPolicy, type ConflictRules, policyFor } from '../../domain/conflict-policies.ts';
import type { Conflict } from '../../domain/conflicts.ts';
import {
  bothInputs,
  decideWrite,
  type FieldConflict,
  type FieldOperation,
  inputOf,
  isThere,
  type Verdict,
} from '../../domain/decide-write.ts';
import { type Json, sameJson } from '../../domain/json.ts';
import type { OutboxRow } from '../../domain/outbox.ts';
import type { RecordValues } from '../../domain/records.ts';
import {
  type Attributes,
  isNameHalf,
  operationOf,
  plainField,
  replacementOf,
  sameness,
  since,
  slugOf,
} from './fields.ts';

export interface PlannedConflict {
  readonly field: string;
  readonly base: Json;
  readonly local: Json;
  readonly attio: Json;
  /** What is asked for, as an input. */
  readonly wanted: Json;
  readonly decided: Verdict;
  /** The policy, or `concurrent`. */
  readonly reason: string;
  /** The open conflict that it adds to; null: it is a new one. */
  readonly heldBy: string | null;
}

/** What a write comes to, once it is held against the record. */
export interface WritePlan {
  /** Single values: any request takes them. */
  readonly set: WritableValues;
  /** Values to add to lists: PATCH does. */
  readonly add: WritableValues;
  /** Lists to be exactly these, and what is cleared: PUT does. */
  readonly exact: WritableValues;
  readonly conflicts: readonly PlannedConflict[];
  /** Fields with an open conflict that Attio has by now as is asked for. */
  readonly agreed: readonly string[];
  /** Attributes from which something went at a time that is not known, and on which a decision hung. */
  readonly undated: readonly string[];
}

/** What else a decision depends on. */
export interface PlanContext {
  /** In Attio's clock. @unit ms */
  readonly acceptedAt: number;
  readonly heldBack: boolean;
  readonly rules: ConflictRules;
  /** The conflicts that are open, by field. */
  readonly open: ReadonlyMap<string, Conflict>;
  /** When something last went, by attribute, as far as it is known. In Attio's clock. @unit ms */
  readonly goneSince: ReadonlyMap<string, number>;
}

export interface PlanInput extends PlanContext {
  readonly row: Pick<OutboxRow, 'intent' | 'base' | 'conflictId'>;
  /** Whose rules hold: an object, or `lists/<slug>`. */
  readonly scope: string;
  /** The record's values as just read; none when there is no record yet. */
  readonly values: RecordValues;
  readonly attributes: Attributes;
  /** Whose write of a field stands whatever else is said; null: nobody's. */
  readonly ownerPolicy?: (field: string) => 'local-wins' | 'attio-wins' | null;
}

/**
 * Holds a write against the record as it is now. Pure.
 *
 * Attio has no single request that adds to one list and replaces another: PATCH adds, PUT replaces.
 * @throws AttributeValueError for a field that the workspace lacks, or does not take
 */
export function planWrite(input: PlanInput): WritePlan {
  const decided = Object.entries(input.row.intent).map(([field, wanted]) =>
    decideField(input, field, wanted),
  );
  const plan: Plan = { set: {}, add: {}, exact: {} };
  for (const { field, attribute, send } of decided) {
    if (send !== null && !isNameHalf(field)) put(plan, attribute, send);
  }
  const halves = decided.filter(({ field, send }) => isNameHalf(field) && send !== null);
  const [half] = halves;
  if (half !== undefined) put(plan, half.attribute, wholeName(input, half.attribute, halves));
  const undated = decided.filter(({ isUndated }) => isUndated).map(({ attribute }) => attribute.api_slug);
  return {
    ...plan,
    conflicts: decided.flatMap(({ conflict }) => conflict ?? []),
    agreed: decided
      .filter(({ field, isAgreed }) => isAgreed && input.open.has(field))
      .map(({ field }) => field),
    undated: [...new Set(undated)],
  };
}

export function isEmptyPlan({ set, add, exact }: WritePlan): boolean {
  return [set, add, exact].every((values) => Object.keys(values).length === 0);
}

type Plan = { readonly [part in 'set' | 'add' | 'exact']: Record<string, readonly Json[]> };

function put(plan: Plan, attribute: Attribute, send: FieldOperation): void {
  const { api_slug: slug } = attribute;
  if (send.op === 'clear') plan.exact[slug] = [];
  else if (send.op === 'replace') plan.exact[slug] = writeValues(attribute, send.values);
  else if (send.op === 'add') plan.add[slug] = writeValues(attribute, send.values);
  else plan.set[slug] = writeValues(attribute, send.value);
}

interface DecidedField {
  readonly field: string;
  readonly attribute: Attribute;
  readonly send: FieldOperation | null;
  readonly conflict: PlannedConflict | null;
  /** Attio has what is asked for, in an open conflict as well. */
  readonly isAgreed: boolean;
  readonly isUndated: boolean;
}

function decideField(input: PlanInput, field: string, wanted: Json): DecidedField {
  const { row, scope, values, rules, acceptedAt, heldBack, goneSince } = input;
  const attribute = attributeOf(input.attributes, field);
  const theirs = plainField(field, attribute, values);
  const same = sameness(field, attribute);
  const base = row.base[field];
  const policy = policyOf(row, rules, scope, field, input.ownerPolicy);
  const open = input.open.get(field);
  // What waits is asked for together with this.
  const asked = open === undefined ? wanted : bothInputs(open.wanted, wanted);
  const isThereAlready = () => isThere(operationOf(field, attribute, wanted), theirs, same);
  const decided = decideWrite({
    operation: operationOf(field, attribute, asked),
    base,
    theirs,
    theirsSince: since(attribute, values),
    goneSince: goneSince.get(attribute.api_slug) ?? null,
    acceptedAt,
    heldBack,
    policy,
    toleranceMs: rules.toleranceMs,
    isOpen: open !== undefined,
    same,
  });
  // An address, say, that each write names, and that is there: it adds nothing to what waits.
  const addsNothing = open !== undefined && sameJson(asked, open.wanted) && isThereAlready();
  const conflict = addsNothing ? null : decided.conflict;
  return {
    field,
    attribute,
    send: decided.send,
    conflict: conflict && {
      field,
      base: base ?? null,
      attio: theirs,
      ...describe(conflict, policy, open, asked),
    },
    isAgreed: decided.conflict === null,
    isUndated: decided.isUndated,
  };
}

/** What a person has decided stands; then what a field's owner says, and then the rules. */
export function policyOf(
  { conflictId }: Pick<OutboxRow, 'conflictId'>,
  rules: ConflictRules,
  scope: string,
  field: string,
  ownerPolicy: PlanInput['ownerPolicy'] = () => null,
): ConflictPolicy {
  if (conflictId != null) return 'local-wins';
  return ownerPolicy(field) ?? policyFor(rules, scope, field);
}

type Described = Pick<PlannedConflict, 'local' | 'wanted' | 'decided' | 'reason' | 'heldBy'>;

function describe(
  conflict: FieldConflict,
  policy: ConflictPolicy,
  open: Conflict | undefined,
  asked: Json,
): Described {
  const wanted = open === undefined ? inputOf(conflict.asked) : asked;
  return {
    local: replacementOf(wanted) ?? wanted,
    wanted,
    decided: conflict.decided,
    reason: reasonOf(conflict, policy),
    heldBy: open?.id ?? null,
  };
}

/** Why a conflict was decided as it was: the policy, `concurrent` for a tie. */
export function reasonOf({ decided, isTie }: FieldConflict, policy: ConflictPolicy): string {
  if (isTie) return 'concurrent';
  return decided === 'open' ? 'manual' : policy;
}

function attributeOf(attributes: Attributes, field: string): Attribute {
  const slug = slugOf(field);
  const attribute = attributes.get(slug);
  if (attribute === undefined) throw new AttributeValueError(slug, 'is no attribute of this object');
  return attribute;
}

/** A name is one value: the half that is not written is taken from the record. */
function wholeName(input: PlanInput, attribute: Attribute, halves: readonly DecidedField[]): FieldOperation {
  const half = (field: 'name.firstName' | 'name.lastName') => {
    const written = halves.find((each) => each.field === field)?.send;
    if (written === undefined || written === null) return plainField(field, attribute, input.values) ?? '';
    return written.op === 'set' ? written.value : '';
  };
  const [firstName, lastName] = [half('name.firstName'), half('name.lastName')];
  return firstName === '' && lastName === ''
    ? { op: 'clear' }
    : { op: 'set', value: { firstName, lastName } };
}
