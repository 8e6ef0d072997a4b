import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type Json } from '../../../src/domain/json.ts';

/** The same said in the plainest way: what is stored as a hash of it must not change. */
function plain(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(plain).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, one]) => `${JSON.stringify(key)}:${plain(one)}`).join(',')}}`;
}

describe('canonical JSON', () => {
  it('is valid JSON with its keys sorted, whatever the texts are', () => {
    const json = fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 });
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(value as Json)).toBe(plain(value as Json));
      }),
      { numRuns: 2_000 },
    );
  });

  it('escapes what JSON escapes, in keys as well', () => {
    const odd = { 'a"b': 'back\\slash', 'new\nline': '\u007f\u2028é\ud800', '10': 1, '9': [null, true, -0] };
    expect(JSON.parse(canonicalJson(odd))).toEqual(JSON.parse(JSON.stringify(odd)));
    expect(canonicalJson(odd)).toBe(plain(odd));
  });
});
