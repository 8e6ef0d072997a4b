import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accurateAt, instantFromMs, normaliseInstant } from '../../../src/attio/instant.ts';

describe('an instant', () => {
  it.each([
    ['2026-11-23T12:00:00.123456789Z', '2026-11-23T12:00:00.123456789Z'],
    ['2026-11-23T12:00:00.12Z', '2026-11-23T12:00:00.120000000Z'],
    ['2026-11-23T12:00:00Z', '2026-11-23T12:00:00.000000000Z'],
    ['2026-11-23T13:30:00.000000001+01:30', '2026-11-23T12:00:00.000000001Z'],
    ['2026-11-23T12:00:00.1234567891234Z', '2026-11-23T12:00:00.123456789Z'],
  ])('%s has nine digits and is in UTC', (text, expected) => {
    expect(normaliseInstant(text)).toBe(expected);
  });

  it.each(['', 'now', '2026-11-23', '2026-13-45T99:00:00Z', '1700000000'])('%j is none', (text) => {
    expect(normaliseInstant(text)).toBeNull();
  });

  it('sorts as text as it does in time', () => {
    const ms = fc.integer({ min: 0, max: 4_000_000_000_000 });
    fc.assert(
      fc.property(ms, ms, (a, b) => {
        expect(instantFromMs(a) < instantFromMs(b)).toBe(a < b);
      }),
    );
  });
});

describe('the instant that a read reflects', () => {
  const startedAt = Date.parse('2026-11-23T12:00:05.250Z');

  it('is the one that Attio tells', () => {
    const headers = new Headers({ 'x-accurate-at': '2026-11-23T12:00:05.5Z' });
    expect(accurateAt(headers, startedAt)).toBe('2026-11-23T12:00:05.500000000Z');
  });

  it.each([{}, { 'x-accurate-at': 'garbage' }])(
    'is else the start of the request by our clock (%o)',
    (told) => {
      expect(accurateAt(new Headers(told), startedAt)).toBe('2026-11-23T12:00:05.250000000Z');
    },
  );
});
