import { badValue, type Codec, EQUALITY, isObject, member, TEXTUAL } from './codec.ts';
import { callingCodeOf, countryOfNumber } from './phone-countries.ts';

const EMAIL = /^[^\s@"<>()[\],;:\\]+@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/i;
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/;
const SECOND_LEVEL = new Set(['co', 'com', 'org', 'net', 'gov', 'ac', 'edu']);

/** The registrable part: `mail.shop.example.co.uk` is `example.co.uk`. */
export function rootDomain(domain: string): string {
  const labels = domain.split('.');
  const [second = '', top = ''] = labels.slice(-2);
  const wide = top.length === 2 && SECOND_LEVEL.has(second);
  return labels.slice(wide ? -3 : -2).join('.');
}

export const emailAddress: Codec = {
  main: 'email_address',
  sortBy: 'email_address',
  properties: {
    email_address: member('email_address', 'string', TEXTUAL),
    email_domain: member('email_domain', 'string', TEXTUAL),
    email_root_domain: member('email_root_domain', 'string', TEXTUAL),
    email_local_specifier: member('email_local_specifier', 'string', TEXTUAL),
  },
  parse(input, attribute) {
    const original = isObject(input) ? input['email_address'] : input;
    if (typeof original !== 'string' || !EMAIL.test(original.trim())) {
      throw badValue(attribute, `"${String(original)}" is not a valid email address.`);
    }
    const address = original.trim().toLowerCase();
    const at = address.lastIndexOf('@');
    const domain = address.slice(at + 1);
    return {
      email_address: address,
      original_email_address: original,
      email_domain: domain,
      email_root_domain: rootDomain(domain),
      email_local_specifier: address.slice(0, at),
    };
  },
  key: (data) => String(data['email_address']),
  read: (data) => ({ ...data }),
};

export const domain: Codec = {
  main: 'domain',
  sortBy: 'domain',
  properties: {
    domain: member('domain', 'string', TEXTUAL),
    root_domain: member('root_domain', 'string', TEXTUAL),
  },
  parse(input, attribute) {
    const raw = isObject(input) ? input['domain'] : input;
    if (typeof raw !== 'string') throw badValue(attribute, 'Expected a domain.');
    const bare = raw
      .trim()
      .toLowerCase()
      .replace(/^[a-z]+:\/\//, '')
      .replace(/[/?#:].*$/, '');
    if (!DOMAIN.test(bare)) throw badValue(attribute, `"${raw}" is not a valid domain.`);
    return { domain: bare, root_domain: rootDomain(bare) };
  },
  key: (data) => String(data['domain']),
  read: (data) => ({ ...data }),
};

function international(original: string, country: string | null): string | null {
  const digits = original.replace(/[\s().-]/g, '');
  if (digits.startsWith('+')) return digits;
  const code = country === null ? undefined : callingCodeOf(country);
  return code === undefined ? null : `+${code}${digits.replace(/^0/, '')}`;
}

export const phoneNumber: Codec = {
  main: 'phone_number',
  sortBy: 'phone_number',
  properties: {
    phone_number: member('phone_number', 'string', TEXTUAL),
    country_code: member('country_code', 'string', EQUALITY),
  },
  parse(input, attribute) {
    const original = isObject(input) ? input['original_phone_number'] : input;
    const country = isObject(input) ? (input['country_code'] ?? null) : null;
    if (typeof original !== 'string') throw badValue(attribute, 'Expected a phone number.');
    const number = international(original, typeof country === 'string' ? country : null);
    const found = number === null || !/^\+[1-9]\d{6,14}$/.test(number) ? undefined : countryOfNumber(number);
    if (number === null || found === undefined) {
      throw badValue(attribute, `"${original}" is not a valid phone number with a country code.`);
    }
    const code = typeof country === 'string' ? country : found;
    return { original_phone_number: original, country_code: code, phone_number: number };
  },
  key: (data) => String(data['phone_number']),
  read: (data) => ({ ...data }),
};
