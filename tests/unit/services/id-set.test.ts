import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { IdSet } from '../../../src/services/sync/id-set.ts';

const ordered = (index: number) => `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;

describe('a set of ids', () => {
  test.each([
    ['random', () => randomUUID()],
    ['in order', ordered],
  ])('has what was added, and nothing else, also when it grows (%s)', (_, idOf) => {
    const ids = Array.from({ length: 20_000 }, (_, index) => idOf(index));
    const [added, others] = [ids.slice(0, 15_000), ids.slice(15_000)];
    const set = new IdSet();
    expect(added.every((id) => set.add(id))).toBe(true);
    expect(added.some((id) => set.add(id))).toBe(false);
    expect(set.size).toBe(15_000);
    expect(added.every((id) => set.has(id))).toBe(true);
    expect(others.some((id) => set.has(id))).toBe(false);
  });

  test('tells apart ids that are no UUIDs, or spelt otherwise', () => {
    const zero = '00000000-0000-0000-0000-000000000000';
    const upper = '0F0F0F0F-0000-4000-8000-000000000001';
    const set = new IdSet();
    for (const id of ['', 'r1', zero, upper, `${zero.slice(0, -1)}g`, zero.replaceAll('-', '0')]) {
      expect(set.has(id)).toBe(false);
      expect(set.add(id)).toBe(true);
      expect(set.has(id)).toBe(true);
      expect(set.add(id)).toBe(false);
    }
    expect(set.has(upper.toLowerCase())).toBe(false);
    expect(set.size).toBe(6);
  });
});
