import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AttributeType } from '../../mocks/core/types.ts';
import { newAttribute } from '../../mocks/state/schema.ts';
import type { Lookup } from '../../mocks/values/codec.ts';
import { rootDomain } from '../../mocks/values/contact.ts';
import { codecOf } from '../../mocks/values/index.ts';
import { parseInstant } from '../../mocks/values/times.ts';

const nobody: Lookup = {
  objectIdOf: () => undefined,
  objectSlugOf: (id) => id,
  recordExists: () => false,
  recordWith: () => undefined,
  member: () => undefined,
};

function parse(type: AttributeType, input: unknown) {
  const attribute = newAttribute('id', '', { slug: 'x', type });
  return codecOf(type).parse(input, attribute, nobody);
}

describe('what is read can be written back and stays what it is', () => {
  const scope = { workspaceId: 'w', schemaId: 's', lookup: nobody };
  const phones = fc.constantFrom('+447700900123', '+1 (555) 123-4567', '+4915112345678');
  const inputs: Partial<Record<AttributeType, fc.Arbitrary<unknown>>> = {
    text: fc.string(),
    number: fc.integer().map((n) => n / 100),
    rating: fc.integer({ min: 0, max: 5 }),
    checkbox: fc.constantFrom(true, false, 'true', 'false'),
    date: fc
      .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((d) => d.toISOString()),
    timestamp: fc
      .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((d) => d.toISOString()),
    'email-address': fc.emailAddress({ size: 'small' }).filter((one) => /^[\w.+-]+@[\w.-]+$/.test(one)),
    domain: fc.domain().filter((one) => /[a-z]$/.test(one)),
    'phone-number': phones,
    'personal-name': fc.record({ first_name: fc.string(), last_name: fc.string(), full_name: fc.string() }),
  };

  test.each(Object.keys(inputs) as AttributeType[])('%s', (type) => {
    const attribute = newAttribute('id', '', { slug: 'x', type });
    const codec = codecOf(type);
    fc.assert(
      fc.property(inputs[type] ?? fc.constant(null), (input) => {
        const once = parse(type, input);
        const read = codec.read(once, attribute, scope);
        const [member] = Object.keys(codec.properties);
        const back =
          type === 'personal-name' ? read : { [codec.main ?? member ?? '']: read[codec.main ?? ''] };
        const again = type === 'phone-number' ? parse(type, read['phone_number']) : parse(type, back);
        expect(codec.key(again)).toBe(codec.key(once));
      }),
    );
  });
});

describe('instants', () => {
  test.each([
    ['2023', '2023-01-01T00:00:00.000000000Z'],
    ['2023-01', '2023-01-01T00:00:00.000000000Z'],
    ['2023-01-02', '2023-01-02T00:00:00.000000000Z'],
    ['2023-01-02T13:00', '2023-01-02T13:00:00.000000000Z'],
    ['2023-01-02T13:00:00', '2023-01-02T13:00:00.000000000Z'],
    ['2023-01-02T13:00:00.123456789', '2023-01-02T13:00:00.123456789Z'],
    ['2023-01-02T15:00:00.000000000+02:00', '2023-01-02T13:00:00.000000000Z'],
    ['2023-01-02T23:00:00-10:00', '2023-01-03T09:00:00.000000000Z'],
  ])('%s is %s', (input, iso) => {
    expect(parseInstant(input)?.iso).toBe(iso);
  });

  test.each(['', 'yesterday', '2023-13', '2023-02-30', '2023-1-2', '20230102', null, 5])(
    '%j is none',
    (input) => {
      expect(parseInstant(input)).toBeNull();
    },
  );
});

test.each([
  ['example.com', 'example.com'],
  ['mail.shop.example.com', 'example.com'],
  ['www.example.co.uk', 'example.co.uk'],
])('the root of %s is %s', (domain, root) => {
  expect(rootDomain(domain)).toBe(root);
});

test('a path and a scheme are trimmed off a domain', () => {
  expect(parse('domain', 'https://App.Example.com:8080/path?x#y')).toEqual({
    domain: 'app.example.com',
    root_domain: 'example.com',
  });
});

test('a national number needs a country', () => {
  const number = { original_phone_number: '07700 900123', country_code: 'GB' };
  expect(parse('phone-number', number)).toMatchObject({ phone_number: '+447700900123', country_code: 'GB' });
  expect(() => parse('phone-number', { ...number, country_code: null })).toThrow('not a valid phone number');
});
