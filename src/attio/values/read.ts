import type { Json, JsonObject } from '../../domain/json.ts';
import type { Attribute } from '../types.ts';
import { codecFor } from './codecs.ts';

/** Members that tell about a value and are not part of it. */
const BOOKKEEPING: ReadonlySet<string> = new Set([
  'active_from',
  'active_until',
  'created_by_actor',
  'attribute_type',
]);

/**
 * The values of an attribute in plain JSON: a list for a multi-value attribute, else the one value, or null.
 *
 * text, date, timestamp, email-address, domain, phone-number (E.164): text. number, rating: number. checkbox:
 * boolean. currency: `{amount, currencyCode}`. personal-name: `{firstName, lastName, fullName}`. select, status:
 * `{id, title}`. record-reference: `{object, recordId}`. actor-reference: `{type, id}`. location: ten camelCase
 * members. interaction: `{type, at, owner}`. Anything else: the members of the value as Attio sent them.
 * Never throws.
 * @param values as Attio reads them, newest first
 */
export function readValues(
  attribute: Pick<Attribute, 'type' | 'is_multiselect'>,
  values: readonly Readonly<Record<string, unknown>>[],
): Json {
  if (attribute.is_multiselect) return values.map((value) => readValue(attribute.type, value));
  const [value] = values;
  return value === undefined ? null : readValue(attribute.type, value);
}

/** One value in plain JSON, as `readValues` has it. */
export function readValue(type: string, value: Readonly<Record<string, unknown>>): Json {
  const json = value as JsonObject; // values come out of JSON.parse; the schema only widens their members to unknown
  return codecFor(type)?.read(json) ?? withoutBookkeeping(json);
}

/** For values whose attribute is not known: each says its own type. Always a list. */
export function readUnlisted(values: readonly Readonly<Record<string, unknown>>[]): Json[] {
  return values.map((value) => readValue(String(value['attribute_type']), value));
}

function withoutBookkeeping(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !BOOKKEEPING.has(name)));
}
