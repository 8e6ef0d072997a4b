import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AttributeShape, AttributeValueError } from '../../../src/attio/values/codec.ts';
import { readUnlisted, readValue, readValues } from '../../../src/attio/values/read.ts';
import { writeValues } from '../../../src/attio/values/write.ts';
import type { Json } from '../../../src/domain/json.ts';

function attribute(type: string, overrides: Partial<AttributeShape> = {}): AttributeShape {
  const config = { currency: null, record_reference: null };
  return { api_slug: 'slug', type, is_multiselect: false, is_writable: true, config, ...overrides };
}

/** What Attio adds to every value that it reads. */
function read(members: Record<string, unknown>, type: string): Record<string, unknown> {
  return {
    active_from: '2026-01-01T00:00:00.000000000Z',
    active_until: null,
    created_by_actor: { type: 'system', id: null },
    attribute_type: type,
    ...members,
  };
}

const PLACE = {
  line_1: '1 Main St',
  line_2: null,
  line_3: null,
  line_4: null,
  locality: 'Paris',
  region: null,
  postcode: '75001',
  country_code: 'FR',
  latitude: '48.8',
  longitude: '2.3',
};
const PLAIN_PLACE = {
  line1: '1 Main St',
  line2: null,
  line3: null,
  line4: null,
  locality: 'Paris',
  region: null,
  postcode: '75001',
  countryCode: 'FR',
  latitude: '48.8',
  longitude: '2.3',
};

/** type, members as Attio reads them, plain JSON, and what is written back. */
const TYPES: readonly (readonly [string, Record<string, unknown>, Json, Json])[] = [
  ['text', { value: 'x' }, 'x', { value: 'x' }],
  ['number', { value: 1.5 }, 1.5, { value: 1.5 }],
  ['rating', { value: 0 }, 0, { value: 0 }],
  ['checkbox', { value: false }, false, { value: false }],
  [
    'currency',
    { currency_value: 99.5, currency_code: 'EUR' },
    { amount: 99.5, currencyCode: 'EUR' },
    { currency_value: 99.5 },
  ],
  [
    'currency',
    { currency_value: '4.99', currency_code: null },
    { amount: 4.99, currencyCode: null },
    { currency_value: 4.99 },
  ],
  ['date', { value: '2026-02-28' }, '2026-02-28', { value: '2026-02-28' }],
  [
    'timestamp',
    { value: '2026-02-28T10:00:00.123456789Z' },
    '2026-02-28T10:00:00.123456789Z',
    { value: '2026-02-28T10:00:00.123456789Z' },
  ],
  [
    'personal-name',
    { first_name: 'Ada', last_name: 'Byron', full_name: 'Ada B.' },
    { firstName: 'Ada', lastName: 'Byron', fullName: 'Ada B.' },
    { first_name: 'Ada', last_name: 'Byron', full_name: 'Ada B.' },
  ],
  [
    'email-address',
    { email_address: 'a@b.c', original_email_address: 'A@b.c', email_domain: 'b.c' },
    'a@b.c',
    { email_address: 'a@b.c' },
  ],
  ['domain', { domain: 'app.x.com', root_domain: 'x.com' }, 'app.x.com', { domain: 'app.x.com' }],
  [
    'phone-number',
    { phone_number: '+33123456789', original_phone_number: '01 23', country_code: 'FR' },
    '+33123456789',
    { original_phone_number: '+33123456789' },
  ],
  [
    'phone-number',
    { normalized_phone_number: '+331', original_phone_number: '01' },
    '+331',
    { original_phone_number: '+331' },
  ],
  [
    'select',
    { option: { id: { option_id: 'o1' }, title: 'Blue', is_archived: false } },
    { id: 'o1', title: 'Blue' },
    { option: 'o1' },
  ],
  ['select', { option: 'o1' }, { id: 'o1', title: null }, { option: 'o1' }],
  [
    'status',
    { status: { id: { status_id: 's1' }, title: 'Won', is_archived: false } },
    { id: 's1', title: 'Won' },
    { status: 's1' },
  ],
  [
    'record-reference',
    { target_object: 'people', target_record_id: 'r1' },
    { object: 'people', recordId: 'r1' },
    { target_object: 'people', target_record_id: 'r1' },
  ],
  [
    'actor-reference',
    { referenced_actor_type: 'workspace-member', referenced_actor_id: 'm1' },
    { type: 'workspace-member', id: 'm1' },
    { referenced_actor_type: 'workspace-member', referenced_actor_id: 'm1' },
  ],
  ['location', PLACE, PLAIN_PLACE, PLACE],
];

describe.each(TYPES)('%s as %j', (type, members, plain, written) => {
  it('is read as plain JSON, with members that are not known left aside', () => {
    expect(readValues(attribute(type), [read({ ...members, brand_new: 1 }, type)])).toEqual(plain);
  });

  it('is written back as Attio takes it', () => {
    expect(writeValues(attribute(type), plain)).toEqual([written]);
  });

  it('is a list for a multi-value attribute', () => {
    const multi = attribute(type, { is_multiselect: true });
    const value = read(members, type);
    expect(readValues(multi, [value, value])).toEqual([plain, plain]);
    expect(readValues(multi, [])).toEqual([]);
    expect(writeValues(multi, [plain, plain])).toEqual([written, written]);
    expect(writeValues(multi, plain)).toEqual([written]);
  });

  it('is null when it is unset, and cleared by null', () => {
    expect(readValues(attribute(type), [])).toBeNull();
    expect(writeValues(attribute(type), null)).toEqual([]);
  });

  it('says its own type when its attribute is not known', () => {
    expect(readUnlisted([read(members, type)])).toEqual([plain]);
  });
});

describe('what cannot be written', () => {
  it('is an interaction, which is read all the same', () => {
    const value = read(
      {
        interaction_type: 'email',
        interacted_at: '2026-01-01T00:00:00.000000000Z',
        owner_actor: { type: 'workspace-member', id: 'm' },
      },
      'interaction',
    );
    const plain = {
      type: 'email',
      at: '2026-01-01T00:00:00.000000000Z',
      owner: { type: 'workspace-member', id: 'm' },
    };
    expect(readValues(attribute('interaction'), [value])).toEqual(plain);
    expect(() => writeValues(attribute('interaction'), plain)).toThrow('slug cannot be written');
  });

  it('is what Attio marks so', () => {
    expect(() => writeValues(attribute('text', { is_writable: false }), 'x')).toThrow(AttributeValueError);
  });

  it('is an actor that is no workspace member', () => {
    const system = readValues(attribute('actor-reference'), [
      read({ referenced_actor_type: 'system', referenced_actor_id: null }, 'actor-reference'),
    ]);
    expect(system).toEqual({ type: 'system', id: null });
    expect(() => writeValues(attribute('actor-reference'), system)).toThrow(
      'can only name a workspace member',
    );
  });
});

describe('types that are not known', () => {
  it('are read without what Attio tells about every value, and written as they are', () => {
    const value = read({ strength: 3, of: { mind: true } }, 'telepathy');
    expect(readValues(attribute('telepathy'), [value])).toEqual({ strength: 3, of: { mind: true } });
    expect(writeValues(attribute('telepathy'), { strength: 3 })).toEqual([{ strength: 3 }]);
  });

  it('never take a name from Object', () => {
    expect(readValue('constructor', { value: 1 })).toEqual({ value: 1 });
    expect(writeValues(attribute('toString'), 'x')).toEqual(['x']);
  });
});

describe('whatever comes', () => {
  const anyType = fc.oneof(fc.constantFrom(...TYPES.map(([type]) => type), 'interaction'), fc.string());
  const members = [...new Set(TYPES.flatMap(([, known]) => Object.keys(known))), 'value', 'owner_actor'];
  const anyValue = fc.dictionary(fc.oneof(fc.constantFrom(...members), fc.string()), fc.jsonValue());
  const anyJson = fc.jsonValue() as fc.Arbitrary<Json>; // the same type under another name

  it('reading never throws and gives JSON', () => {
    fc.assert(
      fc.property(
        anyType,
        fc.array(anyValue, { maxLength: 3 }),
        fc.boolean(),
        (type, values, is_multiselect) => {
          const plain = readValues({ type, is_multiselect }, values);
          if (is_multiselect) expect(plain).toHaveLength(values.length);
          expect(plain).not.toBeUndefined();
        },
      ),
    );
  });

  it('writing gives a list or says what is wrong', () => {
    fc.assert(
      fc.property(anyType, anyJson, fc.boolean(), (type, input, is_multiselect) => {
        try {
          const written = writeValues(attribute(type, { is_multiselect }), input);
          expect(Array.isArray(written)).toBe(true);
          expect(JSON.stringify(written)).not.toContain('currency_code');
        } catch (error) {
          expect(error).toBeInstanceOf(AttributeValueError);
        }
      }),
    );
  });
});
