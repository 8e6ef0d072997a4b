import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import { type AttributeShape, asText, fail, onlyMembers, textOf, type ValueCodec } from './codec.ts';

const EMAIL = /^[^\s@]+@[^\s@]+$/;
const DOMAIN = /^[^\s@]+$/;

/** Attio wants all three parts; a part that is not given is empty, the full name is made of the others. */
export const personalName: ValueCodec = {
  read(value) {
    const name = {
      firstName: textOf(value, 'first_name'),
      lastName: textOf(value, 'last_name'),
      fullName: textOf(value, 'full_name'),
    };
    return Object.values(name).every((part) => part === null) ? undefined : name;
  },
  write(input, attribute) {
    const given = typeof input === 'string' ? fromOneText(input) : input;
    if (!isJsonObject(given)) return fail(attribute, 'must be a name: firstName, lastName, fullName');
    onlyMembers(given, ['firstName', 'lastName', 'fullName'], attribute);
    const first = namePart(given, 'firstName', attribute);
    const last = namePart(given, 'lastName', attribute);
    const full =
      namePart(given, 'fullName', attribute) || [first, last].filter((part) => part !== '').join(' ');
    if (full === '') fail(attribute, 'must not be an empty name');
    return { first_name: first, last_name: last, full_name: full };
  },
};

/** As Attio reads a name in one text: `Last, First`; without a comma it is a first name. */
function fromOneText(given: string): JsonObject {
  const comma = given.indexOf(',');
  if (comma < 0) return { firstName: given.trim() };
  return { firstName: given.slice(comma + 1).trim(), lastName: given.slice(0, comma).trim() };
}

function namePart(input: JsonObject, name: string, attribute: AttributeShape): string {
  const part = input[name] ?? '';
  return typeof part === 'string' ? part : fail(attribute, `must have a text as ${name}`);
}

export const emailAddress: ValueCodec = {
  read: (value) => textOf(value, 'email_address') ?? undefined,
  write(input, attribute) {
    const given = asText(input, attribute, 'an e-mail address').trim();
    if (!EMAIL.test(given)) fail(attribute, 'must be an e-mail address');
    return { email_address: given };
  },
};

export const domain: ValueCodec = {
  read: (value) => textOf(value, 'domain') ?? undefined,
  write(input, attribute) {
    const given = asText(input, attribute, 'a domain').trim();
    if (!DOMAIN.test(given)) fail(attribute, 'must be a domain');
    return { domain: given };
  },
};

/** Plain: the number in E.164. Input: that, or `{number, countryCode}` for a national number. */
export const phoneNumber: ValueCodec = {
  read: (value) =>
    textOf(value, 'phone_number') ??
    // The name in older documentation.
    textOf(value, 'normalized_phone_number') ??
    textOf(value, 'original_phone_number') ??
    undefined,
  write(input, attribute) {
    if (isJsonObject(input)) onlyMembers(input, ['number', 'countryCode'], attribute);
    const { number, countryCode } = phoneParts(input);
    const given = asText(number, attribute, 'a phone number').trim();
    if (countryCode !== null && !/^[A-Za-z]{2}$/.test(String(countryCode))) {
      fail(attribute, 'must have a two-letter countryCode');
    }
    if (countryCode === null && !given.startsWith('+')) {
      fail(
        attribute,
        'must begin with + and the country prefix; a national number goes into attributes, as phone_numbers: {number, countryCode}',
      );
    }
    return countryCode === null
      ? { original_phone_number: given }
      : { original_phone_number: given, country_code: String(countryCode).toUpperCase() };
  },
};

function phoneParts(input: Json): { number: Json; countryCode: Json } {
  if (!isJsonObject(input)) return { number: input, countryCode: null };
  return { number: input['number'] ?? null, countryCode: input['countryCode'] ?? null };
}
