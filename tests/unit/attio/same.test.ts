import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sameValue } from '../../../src/attio/values/same.ts';
import type { Json } from '../../../src/domain/json.ts';

const PLACE = { line1: null, line2: null, line3: null, line4: null, locality: 'Turin', region: null };
const TURIN = { ...PLACE, postcode: null, countryCode: 'IT', latitude: null, longitude: null };

const SAME: [string, Json, Json][] = [
  ['text', 'a', 'a'],
  ['email-address', 'Ada@Example.com ', 'ada@example.com'],
  ['domain', 'EXAMPLE.com', 'example.com'],
  ['phone-number', '+1 (555) 010-0001', '+15550100001'],
  ['phone-number', { number: '+1 555 010 0001', countryCode: 'US' }, '+15550100001'],
  ['number', '12.50', 12.5],
  ['rating', '4', 4],
  ['checkbox', 'true', true],
  ['currency', 4.99, { amount: 4.99, currencyCode: 'EUR' }],
  ['currency', '4.990', { amount: 4.99, currencyCode: null }],
  ['currency', { amount: 4.99 }, { amount: 4.99, currencyCode: 'EUR' }],
  ['date', '2026-01-31', '2026-01-31'],
  ['timestamp', '2026-01-31T01:00:00+01:00', '2026-01-31T00:00:00.000000000Z'],
  ['timestamp', '2026-01-31T00:00', '2026-01-31T00:00:00.000000000Z'],
  ['select', 'Gold', { id: 'o1', title: 'Gold' }],
  ['select', { id: 'o1' }, { id: 'o1', title: 'Gold' }],
  ['select', { title: 'Gold' }, { id: 'o1', title: 'Gold' }],
  ['select', { id: 'o1', title: 'An older title' }, { id: 'o1', title: 'Gold' }],
  ['status', 'Won', { id: 's1', title: 'Won' }],
  ['record-reference', { object: 'people', recordId: 'ABC' }, { object: 'people', recordId: 'abc' }],
  ['actor-reference', { type: 'workspace-member', id: 'm1' }, { type: 'workspace-member', id: 'm1' }],
  ['location', { locality: 'Turin', countryCode: 'IT' }, TURIN],
];

const OTHER: [string, Json, Json][] = [
  ['text', 'a', 'A'],
  ['text', 'a ', 'a'],
  ['phone-number', '555 010 0001', '+15550100001'],
  ['phone-number', '+15550100002', '+15550100001'],
  ['number', 'twelve', 12],
  ['checkbox', false, true],
  ['currency', 5, { amount: 4.99, currencyCode: 'EUR' }],
  ['date', '2026-01-30', '2026-01-31'],
  ['timestamp', '2026-01-31T00:00:01Z', '2026-01-31T00:00:00.000000000Z'],
  ['select', 'Silver', { id: 'o1', title: 'Gold' }],
  ['select', { id: 'o2', title: 'Gold' }, { id: 'o1', title: 'Gold' }],
  ['record-reference', { object: 'companies', recordId: 'abc' }, { object: 'people', recordId: 'abc' }],
  ['record-reference', 'ada@example.com', { object: 'people', recordId: 'abc' }],
  ['actor-reference', 'sam@example.com', { type: 'workspace-member', id: 'm1' }],
  ['location', { locality: 'Milan', countryCode: 'IT' }, TURIN],
  ['location', 'Turin', TURIN],
  ['unheard-of', { a: 1 }, { a: 2 }],
];

describe('sameValue', () => {
  test.each(SAME)('%s: %j is read as %j', (type, input, read) => {
    expect(sameValue(type, input, read)).toBe(true);
  });

  test.each(OTHER)('%s: %j is not %j, or cannot be told to be', (type, input, read) => {
    expect(sameValue(type, input, read)).toBe(false);
  });

  test('throws at nothing', () => {
    const types = fc.constantFrom(...new Set([...SAME, ...OTHER].map(([type]) => type)));
    fc.assert(
      fc.property(types, fc.jsonValue(), fc.jsonValue(), (type, input, read) => {
        expect(typeof sameValue(type, input as Json, read as Json)).toBe('boolean');
      }),
    );
  });
});
