import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttributeShape } from '../../../src/attio/values/codec.ts';
import { readValues } from '../../../src/attio/values/read.ts';
import { writeValues } from '../../../src/attio/values/write.ts';
import type { Json, JsonObject } from '../../../src/domain/json.ts';

const word = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => text.trim() === text);
const slug = fc.stringMatching(/^[a-z]{1,10}$/);
const money = fc
  .integer({ min: -(10 ** 12), max: 10 ** 12 })
  .map((tenThousandths) => tenThousandths / 10_000);
const instant = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => date.toISOString().replace('Z', '123456Z'));
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

/** What Attio stores, as it would read it back after being given exactly what it takes. */
const STORED: Readonly<Record<string, fc.Arbitrary<JsonObject>>> = {
  text: fc.record({ value: fc.string() }),
  number: fc.record({ value: money }),
  rating: fc.record({ value: fc.integer({ min: 0, max: 5 }) }),
  checkbox: fc.record({ value: fc.boolean() }),
  currency: fc.record({ currency_value: money }),
  date: fc.record({ value: instant.map((text) => text.slice(0, 10)) }),
  timestamp: fc.record({ value: instant }),
  'personal-name': fc.record({ first_name: fc.string(), last_name: fc.string(), full_name: word }),
  'email-address': fc.record({
    email_address: fc.tuple(slug, slug).map(([who, where]) => `${who}@${where}.com`),
  }),
  domain: fc.record({ domain: slug.map((name) => `${name}.com`) }),
  'phone-number': fc.record({ original_phone_number: fc.stringMatching(/^\+[1-9]\d{6,13}$/) }),
  select: fc.record({ option: slug }),
  status: fc.record({ status: slug }),
  'record-reference': fc.record({ target_object: slug, target_record_id: fc.uuid() }),
  'actor-reference': fc.record({
    referenced_actor_type: fc.constant('workspace-member'),
    referenced_actor_id: fc.uuid(),
  }),
  location: fc.record({
    line_1: orNull(word),
    line_2: orNull(word),
    line_3: orNull(word),
    line_4: orNull(word),
    locality: orNull(word),
    region: orNull(word),
    postcode: orNull(word),
    country_code: orNull(word),
    latitude: orNull(word),
    longitude: orNull(word),
  }),
};

function shape(type: string, is_multiselect: boolean): AttributeShape {
  return { api_slug: 'slug', type, is_multiselect, is_writable: true, config: null };
}

describe.each(Object.entries(STORED))('%s', (type, stored) => {
  it('written back is what was read', () => {
    fc.assert(
      fc.property(stored, (value) => {
        expect(writeValues(shape(type, false), readValues(shape(type, false), [value]))).toEqual([value]);
      }),
    );
  });

  it('written back is what was read, in lists too, and read again is the same', () => {
    const multi = shape(type, true);
    fc.assert(
      fc.property(fc.array(stored, { maxLength: 4 }), (values) => {
        const plain = readValues(multi, values);
        const written = writeValues(multi, plain);
        expect(written).toEqual(values);
        expect(readValues(multi, written as readonly Record<string, Json>[])).toEqual(plain); // no text forms here
      }),
    );
  });
});
