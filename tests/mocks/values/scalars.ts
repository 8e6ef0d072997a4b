import type { Attribute } from '../core/types.ts';
import { badValue, type Codec, EQUALITY, EXACT, member, ORDERED, TEXTUAL, unwrap } from './codec.ts';

const TEXT_LIMIT = 10 * 1024 * 1024;
const DECIMALS = 4;

function parseNumber(input: unknown, attribute: Attribute): number {
  const parsed = typeof input === 'string' && input.trim() !== '' ? Number(input) : input;
  if (typeof parsed !== 'number' || !Number.isFinite(parsed)) throw badValue(attribute, 'Expected a number.');
  if (Number(parsed.toFixed(DECIMALS)) !== parsed)
    throw badValue(attribute, 'At most 4 decimal places are kept.');
  return parsed;
}

export const text: Codec = {
  main: 'value',
  sortBy: 'value',
  properties: { value: member('value', 'string', TEXTUAL) },
  parse(input, attribute) {
    const value = unwrap(input, attribute, 'value');
    if (typeof value !== 'string') throw badValue(attribute, 'Expected a string.');
    if (value.length > TEXT_LIMIT) throw badValue(attribute, 'Text is limited to 10 MB.');
    return { value };
  },
  key: (data) => String(data['value']),
  read: (data) => ({ value: data['value'] }),
};

export const number: Codec = {
  main: 'value',
  sortBy: 'value',
  properties: { value: member('value', 'number', ORDERED) },
  parse: (input, attribute) => ({ value: parseNumber(unwrap(input, attribute, 'value'), attribute) }),
  key: (data) => String(data['value']),
  read: (data) => ({ value: data['value'] }),
};

export const rating: Codec = {
  ...number,
  parse(input, attribute) {
    const value = parseNumber(unwrap(input, attribute, 'value'), attribute);
    if (!Number.isInteger(value) || value < 0 || value > 5)
      throw badValue(attribute, 'Expected a whole number 0-5.');
    return { value };
  },
};

export const checkbox: Codec = {
  main: 'value',
  sortBy: 'value',
  properties: { value: member('value', 'boolean', EXACT) },
  parse(input, attribute) {
    const value = unwrap(input, attribute, 'value');
    if (value === true || value === 'true') return { value: true };
    if (value === false || value === 'false') return { value: false };
    throw badValue(attribute, 'Expected true or false.');
  },
  key: (data) => String(data['value']),
  read: (data) => ({ value: data['value'] }),
};

/** The code belongs to the attribute: a written `currency_code` is refused as any extra key is. */
export const currency: Codec = {
  main: 'currency_value',
  sortBy: 'currency_value',
  properties: {
    currency_value: member('currency_value', 'number', [
      ...ORDERED.filter((o) => !EQUALITY.includes(o)),
      '$eq',
      '$not_empty',
    ]),
  },
  parse: (input, attribute) => ({
    currency_value: parseNumber(unwrap(input, attribute, 'currency_value'), attribute),
  }),
  key: (data) => String(data['currency_value']),
  read: (data, attribute) => ({
    currency_value: data['currency_value'],
    currency_code: attribute.currencyCode,
  }),
};
