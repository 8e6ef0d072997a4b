import fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnNames, nameOf, quoteName, quoteText } from '../../../src/store/views/names.ts';

const FIXED = ['record_id', 'created_at', 'web_url'];

/** Slugs near each other and near the limits: equal but for case, equal in their first 63 bytes, odd characters. */
const slug = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.stringMatching(/^[aAbB_-]{0,3}$/),
  fc.nat({ max: 9 }).map((end) => `${'long_'.repeat(14)}${end}`),
  fc.nat({ max: 30 }).map((length) => 'ü'.repeat(length + 20)),
  fc.constantFrom(...FIXED, 'RECORD_ID', '', '\0', '\u{FFFD}', '\uD800', 'a"b', "a'b", 'a\\b'),
);

test('whatever the slugs, each has a column of its own, with a name that both engines take', () => {
  fc.assert(
    fc.property(fc.array(slug, { maxLength: 40 }), (slugs) => {
      const names = columnNames(slugs, FIXED);
      expect(names).toHaveLength(slugs.length);
      const folded = [...FIXED, ...names].map((name) => name.toLowerCase());
      expect(new Set(folded).size).toBe(folded.length);
      for (const name of names) {
        expect(Buffer.byteLength(name)).toBeGreaterThan(0);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
        expect(name.isWellFormed() && !name.includes('\0')).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

test('an honest slug is its own name', () => {
  expect(columnNames(['job_title', '2nd-mail', 'größe'], FIXED)).toEqual(['job_title', '2nd-mail', 'größe']);
  expect(nameOf('attio_people')).toBe('attio_people');
});

test('what is too long ends in a hash of the whole', () => {
  const [a = '', b = ''] = columnNames([`${'x'.repeat(70)}a`, `${'x'.repeat(70)}b`], []);
  expect(a).toMatch(/^x{54}_[0-9a-f]{8}$/);
  expect(b).toMatch(/^x{54}_[0-9a-f]{8}$/);
  expect(a).not.toBe(b);
});

test('quotes cannot be left', () => {
  expect(quoteName('a"; drop table record; --')).toBe('"a""; drop table record; --"');
  expect(quoteText("a'; drop table record; --")).toBe("'a''; drop table record; --'");
});
