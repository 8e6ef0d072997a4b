import type { Attribute } from '../../attio/types.ts';
import { AttributeValueError } from '../../attio/values/codec.ts';
import { readValues } from '../../attio/values/read.ts';
import { sameValue } from '../../attio/values/same.ts';
import type { FieldOperation } from '../../domain/decide-write.ts';
import { isJsonObject, type Json, sameJson } from '../../domain/json.ts';
import { NAME_HALVES, type NameHalf } from '../../domain/outbox.ts';
import type { RecordValues } from '../../domain/records.ts';

/** An object's attributes by slug. */
export type Attributes = ReadonlyMap<string, Attribute>;

const NAME = 'name';

export function isNameHalf(field: string): field is NameHalf {
  return NAME_HALVES.some((half) => half === field);
}

/** The attribute that a field is, or is a half of. */
export function slugOf(field: string): string {
  return isNameHalf(field) ? NAME : field;
}

/**
 * What a caller's input asks for.
 * @throws AttributeValueError when the attribute does not take it
 */
export function operationOf(field: string, attribute: Attribute, input: Json): FieldOperation {
  if (input === null) return { op: 'clear' };
  if (attribute.is_multiselect) return listOperation(input);
  if (isNameHalf(field)) return { op: 'set', value: input };
  const replacement = replacementOf(input);
  const [value, ...others] = replacement ?? (Array.isArray(input) ? input : [input]);
  if (value === undefined) return { op: 'clear' };
  if (replacement !== null || others.length > 0) {
    throw new AttributeValueError(attribute.api_slug, 'takes one value, as it is');
  }
  return { op: 'set', value };
}

/** A list without values adds nothing; replacing by nothing clears. */
function listOperation(input: Json): FieldOperation {
  const replacement = replacementOf(input);
  if (replacement === null) return { op: 'add', values: Array.isArray(input) ? input : [input] };
  return replacement.length === 0 ? { op: 'clear' } : { op: 'replace', values: replacement };
}

/** The values of `{replace: […]}`; null for any other input. */
export function replacementOf(input: Json): readonly Json[] | null {
  if (!isJsonObject(input) || Object.keys(input).length !== 1) return null;
  const values = input['replace'];
  return Array.isArray(values) ? values : null;
}

/** What a record has for a field, in plain form. */
export function plainField(field: string, attribute: Attribute, values: RecordValues): Json {
  const plain = readValues(attribute, values[attribute.api_slug] ?? []);
  if (!isNameHalf(field)) return plain;
  const half = isJsonObject(plain) ? plain[field.slice(NAME.length + 1)] : null;
  // Attio reads an unset half of a name as an empty text.
  return half === undefined || half === '' ? null : half;
}

/** Whether a value to write is one that is read. */
export function sameness(field: string, { type }: Attribute): (input: Json, read: Json) => boolean {
  return isNameHalf(field) ? sameJson : (input, read) => sameValue(type, input, read);
}

/** When the newest value of an attribute came to be, in Attio's clock; null when it has none, or does not say. @unit ms */
export function since(attribute: Attribute, values: RecordValues): number | null {
  const instants = (values[attribute.api_slug] ?? [])
    .map((value) => Date.parse(String(value['active_from'])))
    .filter((at) => !Number.isNaN(at));
  return instants.length === 0 ? null : Math.max(...instants);
}
