import { expect, it } from 'vitest';
import { RecordCache } from '../../../src/cache/record-cache.ts';

const ID = 'bf071e1f-6035-429d-b874-d83ea64ea13b';

it('holds records of a bounded number of objects, and forgets each under every name it holds it by', async () => {
  const cache = new RecordCache({ ttlMs: 60_000, now: () => 0, random: () => 0, onRead: () => {} });
  const keys = Array.from({ length: 5_000 }, (_, index) => cache.keyOf(`object-${index}`, ID));
  const held = keys.filter((key) => key !== null);
  expect(held).toHaveLength(200);
  expect(cache.keyOf('object-0', ID)).toBe(held[0]);
  for (const key of held) await cache.read(key, async () => ({ key }), never);
  cache.invalidateSubject(ID);
  expect(held.filter((key) => cache.peek(key) !== null)).toEqual([]);
});

function never(): boolean {
  return false;
}
