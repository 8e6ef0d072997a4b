import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import type { Attribute } from '../types.ts';

/** What reading and writing need to know of an attribute. */
export type AttributeShape = Pick<
  Attribute,
  'api_slug' | 'type' | 'is_multiselect' | 'is_writable' | 'config'
>;

/** The input for an attribute is not what its type takes. Quotes no value. */
export class AttributeValueError extends Error {
  override readonly name = 'AttributeValueError';
  /** The attribute's slug. */
  readonly attribute: string;
  /** What is wrong, to follow the attribute's name in a sentence. */
  readonly problem: string;

  constructor(attribute: string, problem: string) {
    super(`${attribute} ${problem}`);
    this.attribute = attribute;
    this.problem = problem;
  }
}

/** How one attribute type looks in Attio's reads, in plain JSON, and in Attio's writes. */
export interface ValueCodec {
  /** Plain JSON of one value; undefined when it has not the shape that Attio documents. */
  read(value: JsonObject): Json | undefined;
  /**
   * One value as Attio takes it; null: the type cannot be written.
   * @throws AttributeValueError
   */
  readonly write: ((input: Json, attribute: AttributeShape) => Json) | null;
}

export function fail(attribute: AttributeShape, problem: string): never {
  throw new AttributeValueError(attribute.api_slug, problem);
}

/** The member if it is text, else null. */
export function textOf(value: JsonObject, name: string): string | null {
  const member = value[name];
  return typeof member === 'string' ? member : null;
}

export function asText(input: Json, attribute: AttributeShape, what: string): string {
  if (typeof input !== 'string' || input.trim() === '') return fail(attribute, `must be ${what}`);
  return input;
}

/** @throws AttributeValueError naming a member that the type does not have: it would be lost without a word */
export function onlyMembers(input: JsonObject, known: readonly string[], attribute: AttributeShape): void {
  const unknown = Object.keys(input).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    fail(
      attribute,
      `has no member ${unknown.map((name) => JSON.stringify(name)).join(', ')}; it has ${known.join(', ')}`,
    );
  }
}

export function asObject(input: Json, attribute: AttributeShape, what: string): JsonObject {
  return isJsonObject(input) ? input : fail(attribute, `must be ${what}`);
}
