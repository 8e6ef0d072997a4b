import { isJsonObject, type Json, sameJson } from '../../domain/json.ts';

/**
 * Whether what is to be written is what is read, both in plain form, as far as it can be told from here.
 *
 * Attio changes the spelling of some values on the way in: addresses and domains to lower case, phone numbers to E.164,
 * titles of choices to their ids. What cannot be told apart from here (a member's address and its id) counts as different:
 * writing a value that is there already changes nothing.
 */
export function sameValue(type: string, input: Json, read: Json): boolean {
  const compare = COMPARISONS[type];
  return compare === undefined ? sameJson(input, read) : compare(input, read);
}

type Comparison = (input: Json, read: Json) => boolean;

const lowerCase: Comparison = (input, read) => normal(input) === normal(read);

function normal(value: Json): Json {
  return typeof value === 'string' ? value.trim().toLowerCase() : value;
}

/** Of a choice: the id when it is given, else the title. */
const choice: Comparison = (input, read) => {
  if (!isJsonObject(read)) return false;
  if (!isJsonObject(input)) return input === read['title'] || input === read['id'];
  return typeof input['id'] === 'string' ? input['id'] === read['id'] : input['title'] === read['title'];
};

const reference: Comparison = (input, read) =>
  isJsonObject(input) &&
  isJsonObject(read) &&
  input['object'] === read['object'] &&
  normal(input['recordId'] ?? null) === normal(read['recordId'] ?? null);

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  'email-address': lowerCase,
  domain: lowerCase,
  'phone-number': (input, read) => digits(input) === digits(read),
  number: (input, read) => numberIn(input) === read,
  rating: (input, read) => numberIn(input) === read,
  checkbox: (input, read) => typeof read === 'boolean' && (input === read || input === String(read)),
  currency: (input, read) =>
    isJsonObject(read) &&
    numberIn(isJsonObject(input) ? (input['amount'] ?? null) : input) === read['amount'],
  timestamp: (input, read) => instant(input) === instant(read),
  select: choice,
  status: choice,
  'record-reference': reference,
  location: (input, read) =>
    isJsonObject(input) &&
    isJsonObject(read) &&
    Object.keys(read).every((name) => sameJson(input[name] ?? null, read[name] ?? null)),
  'actor-reference': (input, read) =>
    isJsonObject(input) &&
    isJsonObject(read) &&
    typeof input['id'] === 'string' &&
    input['id'] === read['id'],
};

/** A number in E.164 whatever the spaces and brackets; a national one is left as it is. */
function digits(value: Json): Json {
  const number = isJsonObject(value) ? (value['number'] ?? null) : value;
  if (typeof number !== 'string' || !number.trim().startsWith('+')) return number;
  return `+${number.replace(/\D/g, '')}`;
}

function numberIn(value: Json): number {
  return typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
}

function instant(value: Json): Json {
  if (typeof value !== 'string') return value;
  const at = Date.parse(/(Z|[+-]\d{2}:?\d{2})$/.test(value) ? value : `${value}Z`);
  return Number.isNaN(at) ? value : at;
}
