import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { pagesByCursor, pagesByOffset } from '../../../src/attio/pagination.ts';

function source(total: number) {
  const items = Array.from({ length: total }, (_, index) => index);
  return vi.fn(async ({ offset, limit }: { offset: number; limit: number }) => ({
    items: items.slice(offset, offset + limit),
  }));
}

const count = (page: { items: readonly unknown[] }) => page.items.length;

describe('pages by offset', () => {
  it('bring every item once, in order, and ask no more than they must', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(50),
        fc.integer({ min: 1, max: 12 }),
        fc.nat(20),
        async (total, limit, offset) => {
          const load = source(total);
          const found: number[] = [];
          for await (const page of pagesByOffset({ offset, limit, load, count })) {
            expect(page.offset).toBe(offset + found.length);
            found.push(...page.items);
          }
          expect(found).toEqual(
            Array.from({ length: Math.max(0, total - offset) }, (_, index) => offset + index),
          );
          expect(load).toHaveBeenCalledTimes(Math.floor(found.length / limit) + 1);
        },
      ),
    );
  });

  it('load a page only when it is asked for', async () => {
    const load = source(100);
    for await (const page of pagesByOffset({ offset: 0, limit: 10, load, count })) {
      if (page.offset === 20) break;
    }
    expect(load).toHaveBeenCalledTimes(3);
  });

  it('end with the reason of the signal', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const run = async () => {
      for await (const page of pagesByOffset({ offset: 0, limit: 1, load: source(9), count, signal })) {
        if (page.offset === 3) controller.abort('enough');
      }
    };
    await expect(run()).rejects.toBe('enough');
  });
});

describe('pages by cursor', () => {
  const pages: Record<string, { items: string[]; next: string | null }> = {
    start: { items: ['a', 'b'], next: 'c1' },
    c1: { items: [], next: 'c2' },
    c2: { items: ['c'], next: null },
  };
  const load = async (cursor: string | null) => pages[cursor ?? 'start'] ?? { items: [], next: cursor };
  const next = (page: { next: string | null }) => page.next;

  it('follow the cursor to its end, over empty pages', async () => {
    const found: string[] = [];
    for await (const page of pagesByCursor({ cursor: null, load, next })) found.push(...page.items);
    expect(found).toEqual(['a', 'b', 'c']);
  });

  it('can be taken up again in the middle', async () => {
    const found: string[] = [];
    for await (const page of pagesByCursor({ cursor: 'c1', load, next })) found.push(...page.items);
    expect(found).toEqual(['c']);
  });

  it('do not go round in circles', async () => {
    const run = async () => {
      for await (const _ of pagesByCursor({ cursor: 'lost', load, next }));
    };
    await expect(run()).rejects.toThrow('cursor');
  });

  it('end with the reason of the signal', async () => {
    const run = async () => {
      const signal = AbortSignal.abort('enough');
      for await (const _ of pagesByCursor({ cursor: null, load, next, signal }));
    };
    await expect(run()).rejects.toBe('enough');
  });
});
