import { AttioError, invalid, missingValue, valueNotFound } from '../core/errors.ts';
import type { Attribute, Row, Stamp, StoredValue, ValueData } from '../core/types.ts';
import { badValue } from '../values/codec.ts';
import { codecOf } from '../values/index.ts';
import { defaultsFor } from './defaults.ts';
import type { Table } from './table.ts';
import type { World } from './world.ts';

/**
 * How a write meets the values that are there, for attributes that hold several. `prepend` (PATCH): new values
 * first, the old ones kept in place. `replace` (PUT): exactly the given ones. Attributes that hold one value are
 * replaced either way.
 */
export type WriteMode = 'prepend' | 'replace';

export interface WriteRequest {
  readonly values: Readonly<Record<string, unknown>>;
  readonly mode: WriteMode;
  readonly stamp: Stamp;
  /** The matching attribute of an upsert: its values are added whatever the mode. */
  readonly matching?: Attribute | undefined;
}

export interface PlannedValue {
  readonly attribute: Attribute;
  readonly before: readonly StoredValue[];
  readonly after: readonly StoredValue[];
}

const NONE: readonly StoredValue[] = [];

function toInputs(attribute: Attribute, raw: unknown): readonly unknown[] {
  if (raw === null || raw === undefined) {
    const nullable = attribute.type !== 'checkbox' && attribute.type !== 'currency';
    if (!nullable) throw badValue(attribute, 'This attribute does not support null values.');
    return [];
  }
  if (!Array.isArray(raw)) {
    if (attribute.multi) throw badValue(attribute, 'Multi-select attributes need an array.');
    return [raw];
  }
  if (!attribute.multi && raw.length > 1) throw badValue(attribute, 'This attribute holds a single value.');
  return raw;
}

export function attributeToWrite(table: Table, ref: string): Attribute {
  const attribute = table.schema.find(ref);
  if (attribute === undefined) throw valueNotFound(`Cannot find attribute with slug/ID "${ref}".`);
  if (!attribute.writable) throw invalid(`Attribute with slug "${attribute.slug}" is not writable.`);
  return attribute;
}

export function newValue(attribute: Attribute, data: ValueData, stamp: Stamp): StoredValue {
  return { data, key: codecOf(attribute.type).key(data), from: stamp.at, until: null, actor: stamp.actor };
}

/** Checks the written values and gives them without repeats. */
export function parseValues(world: World, attribute: Attribute, raw: unknown, stamp: Stamp): StoredValue[] {
  const codec = codecOf(attribute.type);
  const byKey = new Map<string, StoredValue>();
  for (const input of toInputs(attribute, raw)) {
    const value = newValue(attribute, codec.parse(input, attribute, world), stamp);
    if (!byKey.has(value.key)) byKey.set(value.key, value);
  }
  return [...byKey.values()];
}

function meet(attribute: Attribute, before: readonly StoredValue[], written: StoredValue[], adds: boolean) {
  const kept = new Map(before.map((value) => [value.key, value]));
  if (!attribute.multi || !adds) return written.map((value) => kept.get(value.key) ?? value);
  return [...written.filter((value) => !kept.has(value.key)), ...before];
}

function conflict(attribute: Attribute, value: StoredValue): AttioError {
  const { original_email_address: _, email_address: email, ...rest } = value.data;
  const shown = email === undefined ? rest : { email_address: email };
  return new AttioError(
    400,
    'uniqueness_conflict',
    `The value ${JSON.stringify(JSON.stringify(shown))} provided for attribute with ID "${attribute.id}" conflicts with one ` +
      'already in the system. This attribute has a uniqueness constraint. Please ensure all values for this ' +
      'attribute do not exist on another record.',
  );
}

function checkUnique(table: Table, row: Row | null, plan: PlannedValue): void {
  if (!plan.attribute.unique) return;
  for (const value of plan.after) {
    const holder = table.holder(plan.attribute, value.key);
    if (holder !== undefined && holder !== row) throw conflict(plan.attribute, value);
  }
}

function checkRequired(table: Table, row: Row | null, plans: ReadonlyMap<string, PlannedValue>): void {
  for (const attribute of table.schema.attributes) {
    if (!attribute.required || attribute.archived) continue;
    const plan = plans.get(attribute.id);
    const empty = plan === undefined ? row === null : plan.after.length === 0;
    if (empty) throw missingValue(`Required value for attribute with ID "${attribute.id}" was not provided.`);
  }
}

/** Everything a write would change, or the error it deserves; nothing is stored yet. */
export function planWrite(
  world: World,
  table: Table,
  row: Row | null,
  request: WriteRequest,
): PlannedValue[] {
  const plans = new Map<string, PlannedValue>();
  for (const [ref, raw] of Object.entries(request.values)) {
    const attribute = attributeToWrite(table, ref);
    const before = row?.current.get(attribute.id) ?? NONE;
    const adds = request.mode === 'prepend' || attribute === request.matching;
    const after = meet(attribute, before, parseValues(world, attribute, raw, request.stamp), adds);
    plans.set(attribute.id, { attribute, before, after });
  }
  if (row === null) {
    for (const plan of defaultsFor(world, table, plans, request.stamp)) plans.set(plan.attribute.id, plan);
  }
  checkRequired(table, row, plans);
  const all = [...plans.values()];
  for (const plan of all) checkUnique(table, row, plan);
  return all;
}

export function isChange(plan: PlannedValue): boolean {
  if (plan.before.length !== plan.after.length) return true;
  return plan.before.some((value, index) => value.key !== plan.after[index]?.key);
}

/** Stores values and moves the ended ones to the history. */
export function store(table: Table, row: Row, plan: PlannedValue, at: string): void {
  const kept = new Set(plan.after.map((value) => value.key));
  const ended = plan.before.filter((value) => !kept.has(value.key));
  if (ended.length > 0) {
    row.past ??= new Map();
    const past = row.past.get(plan.attribute.id) ?? [];
    past.push(...ended.map((value) => ({ ...value, until: at })));
    row.past.set(plan.attribute.id, past);
  }
  table.put(row, plan.attribute, plan.after);
}
