/**
 * How a value changes on its way between a field of ours and an attribute of Attio's: a closed set, each total in both
 * directions. Towards Attio a value that does not fit is refused; from Attio it is shown as it is, never lost.
 */
import { decimalPlaces, MAX_DECIMALS } from './decimals.ts';
import type { Json } from './json.ts';
import { fold } from './nearest.ts';

/** What stands in a table of values, on Attio's side. */
export type TableValue = string | number | boolean;

export type Transform =
  | { readonly kind: 'trim' | 'lowercase' | 'uppercase' }
  /** Our words, and Attio's: one to one. */
  | { readonly kind: 'map'; readonly table: Readonly<Record<string, TableValue>> }
  /** Ours is Attio's number times `by`, such as cents and euros. */
  | { readonly kind: 'scale'; readonly by: number };

export const SCALES = [10, 100, 1_000, 10_000] as const;

/** Beyond this, numbers stop being what their sender wrote. */
const MAX_NUMBER = 1e15;
const NUMERAL = /^-?\d+(\.\d+)?$/;

/** A value for Attio, or why there is none: words that follow the field's name in a sentence. */
export type Converted = { readonly value: Json } | { readonly problem: string };

/** Whether what is written is read back as it was written: values that go both ways need that. */
export function isInvertible({ kind }: Transform): boolean {
  return kind === 'map' || kind === 'scale';
}

/** One value of ours, as Attio is given it. */
export function toAttio(transform: Transform, value: Json): Converted {
  if (transform.kind === 'map') return mapped(transform.table, value);
  if (transform.kind === 'scale') return scaledDown(transform.by, value);
  const text = spelt(transform.kind, value);
  return text === '' ? { problem: 'is blank: send null to clear it' } : { value: text };
}

/** One value of Attio's, as we show it. */
export function fromAttio(transform: Transform, value: Json): Json {
  if (transform.kind === 'map') {
    const known = Object.entries(transform.table).find(([, theirs]) => isSameWord(theirs, value));
    return known === undefined ? value : known[0];
  }
  if (transform.kind === 'scale') {
    return typeof value === 'number' ? shifted(value, Math.log10(transform.by)) : value;
  }
  return spelt(transform.kind, value);
}

/** Two values of a table that Attio, or a reader, would take for one: titles are compared in any case. */
export function isSameWord(a: Json, b: Json): boolean {
  return typeof a === 'string' && typeof b === 'string' ? fold(a) === fold(b) : a === b;
}

function spelt(kind: 'trim' | 'lowercase' | 'uppercase', value: Json): Json {
  if (typeof value !== 'string') return value;
  if (kind === 'trim') return value.trim();
  return kind === 'lowercase' ? value.toLowerCase() : value.toUpperCase();
}

function mapped(table: Readonly<Record<string, TableValue>>, value: Json): Converted {
  const theirs = typeof value === 'string' && Object.hasOwn(table, value) ? table[value] : undefined;
  if (theirs !== undefined) return { value: theirs };
  const words = Object.keys(table).map((word) => JSON.stringify(word));
  return { problem: `must be one of ${words.join(', ')}` };
}

function scaledDown(by: number, value: Json): Converted {
  const number = typeof value === 'string' && NUMERAL.test(value) ? Number(value) : value;
  const places = Math.round(Math.log10(by));
  const decimals = MAX_DECIMALS - places;
  if (typeof number !== 'number' || Math.abs(number) >= MAX_NUMBER || decimalPlaces(number) > decimals) {
    const what = decimals === 0 ? 'a whole number' : `a number with at most ${decimals} decimal places`;
    return { problem: `must be ${what}, below 1e15` };
  }
  return { value: shifted(number, -places) };
}

/** A number with its decimal point moved, exactly: multiplying would add what no one has written. */
function shifted(value: number, places: number): number {
  const [digits = '', exponent = '0'] = String(value).split('e');
  return Number(`${digits}e${Number(exponent) + Math.round(places)}`);
}
