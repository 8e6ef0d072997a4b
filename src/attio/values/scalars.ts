import { decimalPlaces, MAX_DECIMALS } from '../../domain/decimals.ts';
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import { type AttributeShape, asText, fail, onlyMembers, textOf, type ValueCodec } from './codec.ts';

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/;
const NUMERAL = /^-?\d+(\.\d+)?$/;

function valueMember<T extends Json>(isType: (member: Json | undefined) => member is T): ValueCodec['read'] {
  return (value) => (isType(value['value']) ? value['value'] : undefined);
}

const isString = (member: Json | undefined): member is string => typeof member === 'string';
const isNumber = (member: Json | undefined): member is number => typeof member === 'number';
const isBoolean = (member: Json | undefined): member is boolean => typeof member === 'boolean';

export const text: ValueCodec = {
  read: valueMember(isString),
  write: (input, attribute) =>
    typeof input === 'string' ? { value: input } : fail(attribute, 'must be a text'),
};

export const number: ValueCodec = {
  read: valueMember(isNumber),
  write: (input, attribute) => ({ value: asNumber(input, attribute) }),
};

export const rating: ValueCodec = {
  read: valueMember(isNumber),
  write(input, attribute) {
    const stars = asNumber(input, attribute);
    if (!Number.isInteger(stars) || stars < 0 || stars > 5)
      fail(attribute, 'must be a whole number from 0 to 5');
    return { value: stars };
  },
};

export const checkbox: ValueCodec = {
  read: valueMember(isBoolean),
  write(input, attribute) {
    if (typeof input === 'boolean') return { value: input };
    if (input === 'true' || input === 'false') return { value: input === 'true' };
    return fail(attribute, 'must be true or false');
  },
};

export const date: ValueCodec = {
  read: valueMember(isString),
  write(input, attribute) {
    const given = asText(input, attribute, 'a date such as 2026-01-31');
    if (DATE.test(given) && isRealDay(given)) return { value: given };
    // Attio itself takes the day of a longer text in UTC.
    if (DATE_TIME.test(given) && isRealInstant(given))
      return { value: utc(given).toISOString().slice(0, 10) };
    return fail(attribute, 'must be a date such as 2026-01-31');
  },
};

export const timestamp: ValueCodec = {
  read: valueMember(isString),
  write(input, attribute) {
    const given = asText(input, attribute, 'an ISO 8601 date and time');
    if (!DATE_TIME.test(given) || !isRealInstant(given)) fail(attribute, 'must be an ISO 8601 date and time');
    return { value: given };
  },
};

/** The code is the attribute's own: Attio takes the amount only. */
export const currency: ValueCodec = {
  read(value) {
    const amount = Number(value['currency_value'] ?? Number.NaN);
    if (!Number.isFinite(amount)) return undefined;
    return { amount, currencyCode: textOf(value, 'currency_code') };
  },
  write(input, attribute) {
    if (!isJsonObject(input)) return { currency_value: asNumber(input, attribute) };
    onlyMembers(input, ['amount', 'currencyCode'], attribute);
    requireSameCurrency(input, attribute);
    return { currency_value: asNumber(input['amount'] ?? null, attribute) };
  },
};

function requireSameCurrency(input: JsonObject, attribute: AttributeShape): void {
  const own = attribute.config?.currency?.default_currency_code ?? null;
  const given = input['currencyCode'] ?? null;
  if (own !== null && given !== null && given !== own) fail(attribute, `is kept in ${own}`);
}

function asNumber(input: Json, attribute: AttributeShape): number {
  const isNumeral = typeof input === 'string' && NUMERAL.test(input.trim());
  const given = isNumeral ? Number(input) : input;
  if (typeof given !== 'number' || !Number.isFinite(given)) return fail(attribute, 'must be a number');
  if (decimalPlaces(given) > MAX_DECIMALS)
    fail(attribute, `must have at most ${MAX_DECIMALS} decimal places`);
  return given;
}

/** 2026-02-30 is not one: Date would roll over to March. */
function isRealDay(day: string): boolean {
  const at = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day);
}

function isRealInstant(given: string): boolean {
  return isRealDay(given.slice(0, 10)) && !Number.isNaN(utc(given).getTime());
}

/** Attio assumes UTC where no zone is given. */
function utc(given: string): Date {
  return new Date(/(Z|[+-]\d{2}:?\d{2})$/.test(given.slice(10)) ? given : `${given}Z`);
}
