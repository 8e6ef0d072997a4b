import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePage } from '../../../src/attio/body.ts';

const item = fc.oneof(
  fc.record({ id: fc.object() }),
  fc.record({ id: fc.object(), values: fc.array(fc.record({ id: fc.object() })) }),
  fc.record({ id: fc.object(), text: fc.constantFrom('},{"id":{', ']}', '"data":[', '\\"},{"id":{') }),
  fc.jsonValue(),
);
const part = fc.integer({ min: 1, max: 60 });

describe('a long answer', () => {
  it('is read in parts as it would be at once', async () => {
    const answer = fc.record(
      { data: fc.array(item), other: fc.array(item), next: fc.jsonValue() },
      { requiredKeys: ['data'] },
    );
    await fc.assert(
      fc.asyncProperty(answer, fc.constantFrom(undefined, 2), part, async (value, indent, length) => {
        const text = JSON.stringify(value, null, indent);
        expect(await parsePage(text, length)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('lets others have a turn between two parts', async () => {
    const text = JSON.stringify({ data: Array.from({ length: 20 }, (_, index) => ({ id: { index } })) });
    let turns = 0;
    const count = () => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    await parsePage(text, 40);
    clearImmediate(next);
    expect(turns).toBeGreaterThan(3);
  });

  it.each([
    ['cut short', '{"data":[{"id":{}},{"id":{}},{"id":{}'],
    ['followed by something', '{"data":[{"id":{}},{"id":{}},{"id":{}}]} {'],
    ['broken between two', '{"data":[{"id":{}},{"id":{}},,{"id":{}},{"id":{}}]}'],
  ])('that is no JSON is none in parts, either: %s', async (_, text) => {
    expect(await parsePage(text, 5)).toBeUndefined();
  });
});
