import { expect, test } from 'vitest';
import { ENGINE, freshDatabase } from '../support/engines.ts';
import { follow } from '../support/followers.ts';

/** The same with 100,000 changes: `npm run bench -- changes`. */
test('ten followers of four writers, of whom some abort and some commit late, each end with what the table has', async () => {
  await using database = await freshDatabase();
  const found = await follow(database.url, { changes: 5_000, writers: 4, followers: 10, seed: 1 });
  expect(found.faults).toEqual([]);
  expect(found.changes).toBeGreaterThanOrEqual(5_000);
  expect(found.aborted).toBeGreaterThan(5);
  // A sequence does not go back when a transaction does: readers have to go on over the hole.
  if (ENGINE === 'postgres') expect(found.holes).toBeGreaterThan(found.aborted);
});
