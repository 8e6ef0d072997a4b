import { describe, expect, it } from 'vitest';
import type { AttributeShape } from '../../../src/attio/values/codec.ts';
import { writeValues } from '../../../src/attio/values/write.ts';
import type { Json } from '../../../src/domain/json.ts';

function attribute(type: string, overrides: Partial<AttributeShape> = {}): AttributeShape {
  const config = { currency: null, record_reference: null };
  return { api_slug: 'slug', type, is_multiselect: false, is_writable: true, config, ...overrides };
}

describe('shorter forms', () => {
  it.each<[string, Json, Json]>([
    ['number', '4.25', { value: 4.25 }],
    ['checkbox', 'true', { value: true }],
    ['currency', 5, { currency_value: 5 }],
    ['currency', '4.99', { currency_value: 4.99 }],
    ['currency', { amount: 1 }, { currency_value: 1 }],
    ['date', '2026-01-31T23:30:00-02:00', { value: '2026-02-01' }],
    ['timestamp', '2026-01-31T23:30', { value: '2026-01-31T23:30' }],
    ['personal-name', 'Byron, Ada', { first_name: 'Ada', last_name: 'Byron', full_name: 'Ada Byron' }],
    ['personal-name', 'Ada', { first_name: 'Ada', last_name: '', full_name: 'Ada' }],
    ['personal-name', { lastName: 'Byron' }, { first_name: '', last_name: 'Byron', full_name: 'Byron' }],
    [
      'personal-name',
      { firstName: null, lastName: 'B', fullName: null },
      { first_name: '', last_name: 'B', full_name: 'B' },
    ],
    [
      'phone-number',
      { number: '01 23', countryCode: 'fr' },
      { original_phone_number: '01 23', country_code: 'FR' },
    ],
    ['select', 'Blue', { option: 'Blue' }],
    ['select', { title: 'Blue' }, { option: 'Blue' }],
    ['status', { id: null, title: 'Won' }, { status: 'Won' }],
    ['record-reference', 'ada@example.com', 'ada@example.com'],
    ['actor-reference', 'ada@example.com', { workspace_member_email_address: 'ada@example.com' }],
    [
      'actor-reference',
      { id: 'm1' },
      { referenced_actor_type: 'workspace-member', referenced_actor_id: 'm1' },
    ],
    ['location', 'Paris', 'Paris'],
    ['text', '', { value: '' }],
    ['text', ['x'], { value: 'x' }],
  ])('of %s: %j', (type, input, written) => {
    expect(writeValues(attribute(type), input)).toEqual([written]);
  });

  it('of a location leave nothing out', () => {
    expect(writeValues(attribute('location'), { locality: 'Paris', latitude: 48.8 })).toEqual([
      {
        line_1: null,
        line_2: null,
        line_3: null,
        line_4: null,
        locality: 'Paris',
        region: null,
        postcode: null,
        country_code: null,
        latitude: '48.8',
        longitude: null,
      },
    ]);
  });
});

describe('wrong input', () => {
  it.each<[string, Json]>([
    ['text', 7],
    ['number', 'many'],
    ['number', ''],
    ['number', 1.23456],
    ['number', 1e-7],
    ['number', { value: 1 }],
    ['rating', 6],
    ['rating', 2.5],
    ['checkbox', 'yes'],
    ['checkbox', 1],
    ['currency', {}],
    ['currency', { amount: null }],
    ['date', '2026-02-30'],
    ['date', '31.01.2026'],
    ['date', 7],
    ['timestamp', '2026-02-30T10:00:00Z'],
    ['timestamp', '2026-01-01'],
    ['timestamp', '2026-01-01T25:00:00Z'],
    ['personal-name', {}],
    ['personal-name', { firstName: 7 }],
    ['personal-name', ''],
    ['email-address', 'nobody'],
    ['email-address', 'a b@c.d'],
    ['domain', 'two words'],
    ['phone-number', '0123'],
    ['phone-number', { number: '0123', countryCode: 'FRA' }],
    ['select', {}],
    ['select', ''],
    ['status', 7],
    ['record-reference', { object: 'people' }],
    ['record-reference', { recordId: 'r1' }],
    ['actor-reference', { type: 'workspace-member', id: null }],
    ['location', {}],
    ['location', { city: 'Paris' }],
    ['location', { locality: 7 }],
    ['text', ['a', 'b']],
  ])('of %s: %j is named, not quoted', (type, input) => {
    const write = () => writeValues(attribute(type), input);
    expect(write).toThrow(expect.objectContaining({ name: 'AttributeValueError', attribute: 'slug' }));
    expect(write).toThrow(/^slug (must|takes|can|has)/);
  });

  it('has null in its list', () => {
    expect(() => writeValues(attribute('text', { is_multiselect: true }), ['a', null])).toThrow(
      'must not have null',
    );
  });

  it('is in another currency than the attribute', () => {
    const inEuro = attribute('currency', {
      config: { currency: { default_currency_code: 'EUR', display_type: null }, record_reference: null },
    });
    expect(writeValues(inEuro, { amount: 1, currencyCode: 'EUR' })).toEqual([{ currency_value: 1 }]);
    expect(() => writeValues(inEuro, { amount: 1, currencyCode: 'USD' })).toThrow('slug is kept in EUR');
  });
});

describe('a member that a type does not have', () => {
  it.each<[string, Json]>([
    ['location', { locality: 'Rome', country_code: 'IT' }],
    ['select', { title: 'Event', foo: 1 }],
    ['status', { id: 'x', colour: 'red' }],
    ['record-reference', { object: 'people', recordId: 'r', x: 1 }],
    ['actor-reference', { type: 'workspace-member', id: 'm', x: 1 }],
    ['phone-number', { number: '0555', countryCode: 'US', ext: '1' }],
    ['currency', { amount: 1, code: 'EUR' }],
    ['personal-name', { firstName: 'Ada', middleName: 'M' }],
  ])('of %s is named instead of being lost', (type, input) => {
    expect(() => writeValues(attribute(type), input)).toThrow(/has no member "\w+"; it has \w+/);
  });

  it('a record is not found by its id as a text', () => {
    const id = 'bf071e1f-6035-429d-b874-d83ea64ea13b';
    expect(() => writeValues(attribute('record-reference'), id)).toThrow(/must be a record/);
  });
});
