import { nanoIso } from '../core/clock.ts';
import { badValue, type Codec, member, ORDERED, unwrap } from './codec.ts';

const SHAPE =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?)?)?)?$/;

export interface Instant {
  /** UTC, nine fractional digits. */
  readonly iso: string;
  readonly hasTime: boolean;
}

function offsetMs(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const sign = zone.startsWith('-') ? -1 : 1;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return sign * minutes * 60_000;
}

/** Reads ISO 8601 at any precision down to nanoseconds, UTC assumed; null when it is not a date. */
export function parseInstant(input: unknown): Instant | null {
  if (typeof input !== 'string') return null;
  const parts = SHAPE.exec(input.trim());
  if (parts === null) return null;
  const [, year = '', month = '01', day = '01', hour, minute = '00', second = '00', fraction = '', zone] =
    parts;
  const seconds = Date.parse(`${year}-${month}-${day}T${hour ?? '00'}:${minute}:${second}Z`);
  if (Number.isNaN(seconds) || new Date(seconds).getUTCDate() !== Number(day)) return null;
  const nanos = fraction.padEnd(9, '0');
  const ms = seconds - offsetMs(zone) + Number(nanos.slice(0, 3));
  return { iso: nanoIso(ms, Number(nanos.slice(3))), hasTime: hour !== undefined };
}

export const timestamp: Codec = {
  main: 'value',
  sortBy: 'value',
  properties: { value: member('value', 'full-instant', ORDERED) },
  parse(input, attribute) {
    const instant = parseInstant(unwrap(input, attribute, 'value'));
    if (instant === null) throw badValue(attribute, 'Expected an ISO 8601 timestamp.');
    return { value: instant.iso };
  },
  key: (data) => String(data['value']),
  read: (data) => ({ value: data['value'] }),
};

export const date: Codec = {
  main: 'value',
  sortBy: 'value',
  properties: { value: member('value', 'date', ORDERED) },
  parse(input, attribute) {
    const instant = parseInstant(unwrap(input, attribute, 'value'));
    if (instant === null) throw badValue(attribute, 'Expected an ISO 8601 date.');
    return { value: instant.iso.slice(0, 10) };
  },
  key: (data) => String(data['value']),
  read: (data) => ({ value: data['value'] }),
};
