import { describe, expect, test } from 'vitest';
import { PageLinks } from '../../../src/services/sync/page-links.ts';

const PAGES: readonly [number, string[]][] = [
  [0, ['a', 'b', 'c']],
  [2, ['c', 'd', 'e']],
  // Two were deleted meanwhile: nothing tells that none slipped by.
  [4, ['g', 'h', 'i']],
  [6, ['i', 'j', 'k']],
  [8, []],
];
const LINKED = [0, 2, 6];

function orders<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item) =>
    orders(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}

describe('the links of pages', () => {
  test('are those that share a record, in whatever order the pages come', () => {
    for (const order of orders(PAGES)) {
      const links = new PageLinks(2);
      for (const [offset, ids] of order) links.note(offset, ids);
      expect(PAGES.map(([offset]) => offset).filter((offset) => links.isLinked(offset))).toEqual(LINKED);
    }
  });

  test('are not there while one of the two is yet to come', () => {
    const links = new PageLinks(2);
    links.note(2, ['c', 'd']);
    expect(links.isLinked(2)).toBe(false);
    expect(links.isLinked(4)).toBe(false);
  });
});
