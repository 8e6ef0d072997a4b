import { filterError } from '../core/errors.ts';
import type { Attribute, StoredValue } from '../core/types.ts';
import { type Comparable, isObject, type Lookup, type Operator, type Property } from '../values/codec.ts';
import { codecOf } from '../values/index.ts';
import { parseInstant } from '../values/times.ts';

/** Does one value of an attribute satisfy a condition? */
export type ValueTest = (value: StoredValue) => boolean;

const OPERATORS: readonly Operator[] = [
  '$eq',
  '$in',
  '$not_empty',
  '$contains',
  '$starts_with',
  '$ends_with',
  '$lt',
  '$lte',
  '$gt',
  '$gte',
];

function asOperator(key: string): Operator {
  const found = OPERATORS.find((operator) => operator === key);
  if (found === undefined) throw filterError(`Unknown operator "${key}".`);
  return found;
}

function instantOperand(input: unknown, needsTime: boolean): string {
  const instant = parseInstant(input);
  if (instant === null) throw filterError(`"${String(input)}" is not a timestamp.`);
  if (needsTime && !instant.hasTime) throw filterError(`"${String(input)}" needs both a date and a time.`);
  return instant.iso;
}

function numberOperand(input: unknown): number {
  const parsed = typeof input === 'string' && input.trim() !== '' ? Number(input) : input;
  if (typeof parsed !== 'number' || Number.isNaN(parsed))
    throw filterError(`"${String(input)}" is not a number.`);
  return parsed;
}

function booleanOperand(input: unknown): boolean {
  if (input === true || input === 'true') return true;
  if (input === false || input === 'false') return false;
  throw filterError(`"${String(input)}" is not a boolean.`);
}

function stringOperand(input: unknown): string {
  if (typeof input !== 'string') throw filterError(`${JSON.stringify(input)} is not a string.`);
  return input;
}

const OPERANDS: Record<Property['kind'], (input: unknown) => string | number | boolean> = {
  string: stringOperand,
  number: numberOperand,
  boolean: booleanOperand,
  instant: (input) => instantOperand(input, false),
  'full-instant': (input) => instantOperand(input, true),
  date: (input) => instantOperand(input, false).slice(0, 10),
};

type Test = (found: Comparable) => boolean;
type Operand = string | number | boolean;

function substring(operand: Operand, test: (found: string, wanted: string) => boolean): Test {
  const wanted = String(operand).toLowerCase();
  return (found) => typeof found === 'string' && test(found.toLowerCase(), wanted);
}

function ordering(operand: Operand, test: (order: number) => boolean): Test {
  return (found) => {
    if (found === null || typeof found !== typeof operand) return false;
    return test(found < operand ? -1 : found > operand ? 1 : 0);
  };
}

const COMPARISONS: Record<Exclude<Operator, '$in' | '$not_empty'>, (operand: Operand) => Test> = {
  $eq: (operand) => (found) => found === operand,
  $contains: (operand) => substring(operand, (found, wanted) => found.includes(wanted)),
  $starts_with: (operand) => substring(operand, (found, wanted) => found.startsWith(wanted)),
  $ends_with: (operand) => substring(operand, (found, wanted) => found.endsWith(wanted)),
  $lt: (operand) => ordering(operand, (order) => order < 0),
  $lte: (operand) => ordering(operand, (order) => order <= 0),
  $gt: (operand) => ordering(operand, (order) => order > 0),
  $gte: (operand) => ordering(operand, (order) => order >= 0),
};

function comparison(operator: Operator, input: unknown, read: (input: unknown) => Operand): Test {
  if (operator === '$not_empty') {
    const wanted = booleanOperand(input);
    return (found) => (found !== null && found !== '') === wanted;
  }
  if (operator === '$in') {
    if (!Array.isArray(input)) throw filterError('$in needs an array.');
    const wanted = new Set(input.map(read));
    return (found) => found !== null && wanted.has(found);
  }
  return COMPARISONS[operator](read(input));
}

interface Named {
  readonly attribute: Attribute;
  readonly name: string;
  readonly property: Property;
  readonly lookup: Lookup;
}

function operatorTest(
  { attribute, name, property, lookup }: Named,
  operator: Operator,
  input: unknown,
): ValueTest {
  if (!property.operators.includes(operator)) {
    throw filterError(`Operator ${operator} is not supported on "${attribute.slug}.${name}".`);
  }
  const read = (raw: unknown) => OPERANDS[property.kind](property.operand?.(raw, lookup) ?? raw);
  const test = comparison(operator, input, read);
  return (value) => {
    const found = property.get(value, attribute);
    return typeof found === 'object' && found !== null ? found.some(test) : test(found);
  };
}

function propertyTest(named: Named, condition: unknown): ValueTest {
  if (!isObject(condition)) return operatorTest(named, '$eq', condition);
  const tests = Object.entries(condition).map(([key, input]) => operatorTest(named, asOperator(key), input));
  return (value) => tests.every((test) => test(value));
}

function named(attribute: Attribute, name: string, lookup: Lookup): Named {
  const property = codecOf(attribute.type).properties[name];
  if (property === undefined || property.operators.length === 0) {
    throw filterError(`"${name}" is not a filterable property of "${attribute.slug}".`);
  }
  return { attribute, name, property, lookup };
}

function mainProperty(attribute: Attribute, lookup: Lookup): Named {
  const { main } = codecOf(attribute.type);
  if (main === null) throw filterError(`"${attribute.slug}" can only be filtered by naming its properties.`);
  return named(attribute, main, lookup);
}

/** An actor is only found by both its members together. */
function checkActor(attribute: Attribute, keys: readonly string[]): void {
  if (attribute.type !== 'actor-reference' || keys.every((key) => key.startsWith('$'))) return;
  if (keys.length === 2 && keys.includes('referenced_actor_type') && keys.includes('referenced_actor_id'))
    return;
  throw filterError(`"${attribute.slug}" needs both referenced_actor_type and referenced_actor_id.`);
}

export interface AttributeTest {
  /** Matches rows without any value when false is asked of `$not_empty`. */
  readonly emptyMatches: boolean;
  readonly test: ValueTest;
}

/** The condition of one attribute: a bare value, operators, or named properties that one value meets together. */
export function attributeTest(attribute: Attribute, condition: unknown, lookup: Lookup): AttributeTest {
  if (!isObject(condition)) {
    return { emptyMatches: false, test: propertyTest(mainProperty(attribute, lookup), condition) };
  }
  const keys = Object.keys(condition);
  if (keys.length === 0) throw filterError(`The condition on "${attribute.slug}" is empty.`);
  if (condition['$not_empty'] !== undefined && keys.length === 1) {
    const wanted = booleanOperand(condition['$not_empty']);
    return { emptyMatches: !wanted, test: () => wanted };
  }
  checkActor(attribute, keys);
  const tests = keys.map((key) =>
    key.startsWith('$')
      ? operatorTest(mainProperty(attribute, lookup), asOperator(key), condition[key])
      : propertyTest(named(attribute, key, lookup), condition[key]),
  );
  return { emptyMatches: false, test: (value) => tests.every((test) => test(value)) };
}
