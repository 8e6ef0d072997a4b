import type { WritableValues } from '../../attio/resources/records.ts';
import type { Attribute } from '../../attio/types.ts';
import { AttributeValueError } from '../../attio/values/codec.ts';
import { sameJson, sameValue } from '../../attio/values/same.ts';
import { writeValues } from '../../attio/values/write.ts';
import { decideWrite, type FieldOperation } from '../../domain/decide-write.ts';
import type { Json } from '../../domain/json.ts';
import type { OutboxRow } from '../../domain/outbox.ts';
import type { RecordValues } from '../../domain/records.ts';
import { type Attributes, isNameHalf, operationOf, plainField, since, slugOf } from './fields.ts';

export interface PlannedConflict {
  readonly field: string;
  readonly base: Json;
  readonly local: Json;
  readonly attio: Json;
  readonly decided: 'local' | 'attio';
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
}

export interface PlanInput {
  readonly row: Pick<OutboxRow, 'intent' | 'base'>;
  /** The record's values as just read; none when there is no record yet. */
  readonly values: RecordValues;
  readonly attributes: Attributes;
  /** In Attio's clock. @unit ms */
  readonly acceptedAt: number;
  readonly heldBack: boolean;
  /** Whose write of a field stands whatever the clocks say; null: nobody's. */
  readonly policyOf?: (field: string) => 'local-wins' | 'attio-wins' | null;
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
  return { ...plan, conflicts: decided.flatMap(({ conflict }) => conflict ?? []) };
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
}

function decideField(input: PlanInput, field: string, wanted: Json): DecidedField {
  const { row, values } = input;
  const attribute = attributeOf(input.attributes, field);
  const theirs = plainField(field, attribute, values);
  const base = row.base[field];
  const { send, conflict } = decideWrite({
    operation: operationOf(field, attribute, wanted),
    base,
    theirs,
    theirsSince: since(attribute, values),
    ...timesOf(input, field),
    same: isNameHalf(field) ? sameJson : (value, read) => sameValue(attribute.type, value, read),
  });
  return {
    field,
    attribute,
    send,
    conflict: conflict && { ...conflict, field, base: base ?? null, attio: theirs },
  };
}

/** A field that is ours counts as written just now, and sent at once: the later write wins. */
function timesOf({ acceptedAt, heldBack, policyOf }: PlanInput, field: string) {
  const isOurs = policyOf?.(field) === 'local-wins';
  return isOurs ? { acceptedAt: Number.POSITIVE_INFINITY, heldBack: false } : { acceptedAt, heldBack };
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
