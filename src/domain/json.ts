export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type JsonObject = { readonly [key: string]: Json };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One text per value: object keys sorted at every depth, so that equal values have equal texts (and hashes). */
export function canonicalJson(value: Json): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  // What is no array is an object, which `Array.isArray` cannot tell of a read-only type.
  const object = value as JsonObject;
  let members = '';
  for (const key of Object.keys(object).sort()) {
    members += `${members === '' ? '' : ','}${quoted(key)}:${canonicalJson(object[key] ?? null)}`;
  }
  return `{${members}}`;
}

/** Whether two values are equal, whatever the order of their members. */
export function sameJson(a: Json, b: Json): boolean {
  // Most equal ones are written alike, and that is told far sooner.
  return JSON.stringify(a) === JSON.stringify(b) || canonicalJson(a) === canonicalJson(b);
}

/** Printable ASCII without quotes and backslashes, as most texts are: nothing of it is escaped. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}
