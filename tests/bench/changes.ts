/**
 * Does a follower of the change feed ever miss anything? Ten follow while four write, each with connections of its own;
 * each follower's fold of the feed has to be what the table has. Reference: one follower alone, on the feed at rest.
 */
import { freshDatabase } from '../support/engines.ts';
import { follow } from '../support/followers.ts';
import { defineBench } from './support/bench.ts';
import { digits } from './support/statistics.ts';

export const changes = defineBench({
  name: 'changes',
  question: 'changes read per second by followers of the feed, while it is written',
  sizes: { changes: [100_000, 10_000], writers: [4, 4], followers: [10, 10], seed: [1, 1] },
  async run({ sizes, engines, say }) {
    const found: { engine: string; followed: Awaited<ReturnType<typeof follow>> }[] = [];
    for (const engine of engines) {
      say(`changes: ${sizes.followers} followers and ${sizes.writers} writers, ${engine}`);
      await using database = await freshDatabase(engine);
      found.push({ engine, followed: await follow(database.url, sizes) });
    }
    return {
      lines: found.map(({ engine, followed }) => {
        const alone = followed.changes / followed.aloneSeconds;
        const together = (followed.changes * sizes.followers) / followed.followSeconds;
        return {
          what: `${sizes.followers} followers while ${sizes.writers} write, ${engine}`,
          figure: `${digits(together)}/s in all, ${followed.faults.length === 0 ? 'none missed' : 'SOME MISSED'}`,
          reference: `one alone, at rest ${digits(alone)}/s`,
          ratio: together / alone,
          target: 'none missed',
          isReached: followed.faults.length === 0,
        };
      }),
      notes: found.map(({ engine, followed: { changes: written, aborted, holes, writeSeconds } }) => {
        const rate = digits(written / writeSeconds);
        return `${engine}: ${written} changes written at ${rate}/s; ${aborted} transactions rolled back, ${holes} holes in the numbers`;
      }),
      wrong: found.flatMap(({ engine, followed }) => followed.faults.map((fault) => `${engine}: ${fault}`)),
      samples: found,
    };
  },
});
