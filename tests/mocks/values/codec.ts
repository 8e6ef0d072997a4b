import { AttioError, type ValidationIssue } from '../core/errors.ts';
import type { Attribute, Choice, Member, StoredValue, ValueData } from '../core/types.ts';

/** What the codecs need to know of the workspace. */
export interface Lookup {
  objectIdOf(slugOrId: string): string | undefined;
  objectSlugOf(id: string): string;
  recordExists(objectId: string, recordId: string): boolean;
  /** The record of that object holding a value of a unique attribute. */
  recordWith(objectId: string, attribute: string, input: unknown): string | undefined;
  member(idOrEmail: string): Member | undefined;
}

export type Operator =
  | '$eq'
  | '$in'
  | '$not_empty'
  | '$contains'
  | '$starts_with'
  | '$ends_with'
  | '$lt'
  | '$lte'
  | '$gt'
  | '$gte';

/** How an operand is read before it is compared: instants and numbers may be written in several ways. */
export type PropertyKind = 'string' | 'number' | 'boolean' | 'instant' | 'full-instant' | 'date';
export type Comparable = string | number | boolean | null;

/** One part of a value that filters and sorts can name. */
export interface Property {
  readonly kind: PropertyKind;
  readonly operators: readonly Operator[];
  /** Turns what a filter says into what is stored, where they differ. */
  operand?(input: unknown, lookup: Lookup): unknown;
  get(value: StoredValue, attribute: Attribute): Comparable | readonly Comparable[];
}

/** Everything the sandbox knows of one attribute type. */
export interface Codec {
  /** Checks one written value and gives its stored members; throws what Attio would answer. */
  parse(input: unknown, attribute: Attribute, lookup: Lookup): ValueData;
  key(data: ValueData): string;
  /** The members a reader sees, besides the common ones. */
  read(data: ValueData, attribute: Attribute, scope: ReadScope): Record<string, unknown>;
  readonly properties: Readonly<Record<string, Property>>;
  /** The property that a bare value or operator means; null when the properties must be named. */
  readonly main: string | null;
  /** What sorting compares; the main property unless it says otherwise. */
  readonly sortBy: string | null;
}

export interface ReadScope {
  readonly workspaceId: string;
  readonly schemaId: string;
  readonly lookup: Lookup;
}

export const EQUALITY: readonly Operator[] = ['$eq', '$in', '$not_empty'];
export const TEXTUAL: readonly Operator[] = [...EQUALITY, '$contains', '$starts_with', '$ends_with'];
export const ORDERED: readonly Operator[] = [...EQUALITY, '$lt', '$lte', '$gt', '$gte'];
/** Status, select and actor values: equality only, `$in` is refused. */
export const EXACT: readonly Operator[] = ['$eq', '$not_empty'];

/** A property that is a stored member of the same name. */
export function member(name: string, kind: PropertyKind, operators: readonly Operator[]): Property {
  return { kind, operators, get: (value) => value.data[name] as Comparable };
}

export const ACTIVE_FROM: Property = {
  kind: 'instant',
  operators: ['$lt', '$lte', '$gt', '$gte'],
  get: (value) => value.from,
};

export function badValue(attribute: Attribute, reason: string): AttioError {
  const issue: ValidationIssue = {
    code: 'invalid',
    path: ['data', 'values', attribute.slug],
    message: reason,
  };
  const message = `An invalid value was passed to attribute with slug "${attribute.slug}". ${reason}`;
  return new AttioError(400, 'validation_type', message, [issue]);
}

export function isObject(input: unknown): input is Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

/** A bare value, or an object with exactly that one member. */
export function unwrap(input: unknown, attribute: Attribute, name: string): unknown {
  if (!isObject(input)) return input;
  const keys = Object.keys(input);
  if (keys.length !== 1 || keys[0] !== name) {
    throw badValue(attribute, `Expected a value or an object with the single key "${name}".`);
  }
  return input[name];
}

export function choiceOf(attribute: Attribute, ref: string): Choice | undefined {
  return attribute.choices.find((choice) => !choice.archived && (choice.id === ref || choice.title === ref));
}
