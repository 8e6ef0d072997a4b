import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { decimalPlaces } from '../../../src/domain/decimals.ts';
import type { Json } from '../../../src/domain/json.ts';
import { fold } from '../../../src/domain/nearest.ts';
import {
  fromAttio,
  isInvertible,
  SCALES,
  type TableValue,
  type Transform,
  toAttio,
} from '../../../src/domain/transforms.ts';

const word = fc.string({ minLength: 1 });
const tableValue: fc.Arbitrary<TableValue> = fc.oneof(word, fc.integer(), fc.boolean());

/** One to one, as a configuration must be. */
const table = fc
  .uniqueArray(fc.tuple(word, tableValue), { minLength: 1, maxLength: 8, selector: ([ours]) => ours })
  .map((pairs) => {
    const seen = new Set<unknown>();
    const kept = pairs.filter(([, theirs]) => {
      const spelt = typeof theirs === 'string' ? fold(theirs) : theirs;
      return !seen.has(spelt) && seen.add(spelt);
    });
    return Object.fromEntries(kept) as Record<string, TableValue>;
  })
  .filter((made) => Object.keys(made).length > 0);

const scale: fc.Arbitrary<Transform> = fc
  .constantFrom(...SCALES)
  .map((by): Transform => ({ kind: 'scale', by }));
const spelling: fc.Arbitrary<Transform> = fc
  .constantFrom('trim', 'lowercase', 'uppercase')
  .map((kind): Transform => ({ kind }));
const anyTransform = fc.oneof(
  spelling,
  scale,
  table.map((made): Transform => ({ kind: 'map', table: made })),
);
const json = fc.jsonValue() as fc.Arbitrary<Json>; // of JSON texts

function out(transform: Transform, value: Json): Json {
  const converted = toAttio(transform, value);
  if ('problem' in converted) throw new Error(converted.problem);
  return converted.value;
}

describe('transforms', () => {
  it('are total: every value is taken or refused in words, and every value of Attio’s is shown', () => {
    fc.assert(
      fc.property(anyTransform, json, (transform, value) => {
        const converted = toAttio(transform, value);
        expect('problem' in converted ? converted.problem : '').toEqual(expect.any(String));
        expect(fromAttio(transform, value)).not.toBeUndefined();
      }),
    );
  });

  it('that can be inverted read back every word of a table as it was written', () => {
    fc.assert(
      fc.property(table, (made) => {
        const transform: Transform = { kind: 'map', table: made };
        expect(isInvertible(transform)).toBe(true);
        for (const ours of Object.keys(made)) {
          expect(fromAttio(transform, out(transform, ours))).toBe(ours);
          expect(out(transform, ours)).toBe(made[ours]);
        }
      }),
    );
  });

  it('that can be inverted read back every whole number as it was written, in what Attio keeps', () => {
    const whole = fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 });
    fc.assert(
      fc.property(scale, whole, (transform, number) => {
        expect(isInvertible(transform)).toBe(true);
        const written = out(transform, number);
        expect(decimalPlaces(Number(written))).toBeLessThanOrEqual(4);
        expect(fromAttio(transform, written)).toBe(number);
      }),
    );
  });

  it('that can be inverted write back every amount of Attio’s as it was read', () => {
    const amount = fc.integer({ min: -99_999_999_999, max: 99_999_999_999 }).map((number) => number / 10_000);
    fc.assert(
      fc.property(scale, amount, (transform, number) => {
        const shown = fromAttio(transform, number);
        expect(out(transform, shown)).toBe(number === 0 ? 0 : number);
      }),
    );
  });

  it('that cannot be inverted say so, and change nothing the second time', () => {
    fc.assert(
      fc.property(spelling, fc.string({ unit: 'grapheme' }), (transform, text) => {
        expect(isInvertible(transform)).toBe(false);
        const once = fromAttio(transform, text);
        expect(fromAttio(transform, once)).toBe(once);
      }),
    );
  });

  test.each<[Transform, Json, Json]>([
    [{ kind: 'trim' }, '  a b ', 'a b'],
    [{ kind: 'lowercase' }, 'ÄB', 'äb'],
    [{ kind: 'uppercase' }, 'äb', 'ÄB'],
    [{ kind: 'trim' }, 7, 7],
    [{ kind: 'map', table: { gold: 'Gold customer' } }, 'gold', 'Gold customer'],
    [{ kind: 'map', table: { yes: true, no: false } }, 'no', false],
    [{ kind: 'scale', by: 100 }, 1999, 19.99],
    [{ kind: 'scale', by: 100 }, '1999', 19.99],
    [{ kind: 'scale', by: 10_000 }, 1, 0.0001],
  ])('%j writes %j as %j', (transform, ours, theirs) => {
    expect(toAttio(transform, ours)).toEqual({ value: theirs });
  });

  test.each<[Transform, Json, Json]>([
    [{ kind: 'map', table: { gold: 'Gold customer' } }, 'GOLD customer ', 'gold'],
    [{ kind: 'map', table: { gold: 'Gold customer' } }, 'Lead', 'Lead'],
    [{ kind: 'map', table: { yes: true } }, 'true', 'true'],
    [{ kind: 'scale', by: 100 }, 1.1, 110],
    [{ kind: 'scale', by: 1_000 }, 'n/a', 'n/a'],
  ])('%j shows %j as %j', (transform, theirs, ours) => {
    expect(fromAttio(transform, theirs)).toEqual(ours);
  });

  test.each<[Transform, Json, RegExp]>([
    [
      { kind: 'map', table: { gold: 'Gold customer', tin: 'Tin' } },
      'golden',
      /^must be one of "gold", "tin"$/,
    ],
    [{ kind: 'map', table: { gold: 'x' } }, 'constructor', /^must be one of "gold"$/],
    [{ kind: 'map', table: { gold: 'x' } }, ['gold'], /^must be one of "gold"$/],
    [{ kind: 'scale', by: 100 }, 1.005, /^must be a number with at most 2 decimal places/],
    [{ kind: 'scale', by: 10_000 }, 0.5, /^must be a whole number/],
    [{ kind: 'scale', by: 100 }, 1e15, /^must be a number/],
    [{ kind: 'scale', by: 100 }, null, /^must be a number/],
    [{ kind: 'trim' }, '   ', /^is blank/],
  ])('%j refuses %j', (transform, ours, words) => {
    expect(toAttio(transform, ours)).toEqual({ problem: expect.stringMatching(words) });
  });
});
