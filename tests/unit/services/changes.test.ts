import { describe, expect, test } from 'vitest';
import type { Change } from '../../../src/domain/changes.ts';
import { ChangesService } from '../../../src/services/changes.ts';
import type { ChangeStore } from '../../../src/services/ports.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const QUERY = { limit: 2, waitMs: 0, signal: new AbortController().signal };

/** A feed of ten, of which a part may be dropped between any two looks. */
class Feed implements ChangeStore {
  prunedThrough = 0;
  /** Called before the rows are read. */
  beforeRows = () => {};

  async append() {}
  async noteFullSync() {}

  async after(seq: number, limit: number): Promise<Change[]> {
    this.beforeRows();
    const seqs = Array.from({ length: 10 }, (_, index) => index + 1);
    return seqs
      .filter((one) => one > Math.max(seq, this.prunedThrough))
      .slice(0, limit)
      .map((one) => ({ seq: one }) as Change); // nothing else is looked at
  }

  async bounds() {
    return { prunedThrough: this.prunedThrough, newest: 10 };
  }

  async latest() {
    return 10;
  }
}

function build() {
  const feed = new Feed();
  return { feed, changes: new ChangesService({ changes: feed, clock: new ManualClock() }) };
}

describe('a reader', () => {
  test('reads on from where it was', async () => {
    const { changes } = build();
    const { rows, next } = await changes.read({ ...QUERY, after: 3 });
    expect([rows.map(({ seq }) => seq), next]).toEqual([[4, 5], 5]);
  });

  test('is told when what it has not read was dropped while it was reading', async () => {
    const { feed, changes } = build();
    feed.beforeRows = () => {
      feed.prunedThrough = 6;
    };
    await expect(changes.read({ ...QUERY, after: 3 })).rejects.toMatchObject({ kind: 'cursor_expired' });
  });

  test('of the oldest that are kept is given the oldest that are kept then', async () => {
    const { feed, changes } = build();
    feed.beforeRows = () => {
      feed.prunedThrough = 6;
    };
    const { rows, next } = await changes.read({ ...QUERY, after: null });
    expect([rows.map(({ seq }) => seq), next]).toEqual([[7, 8], 8]);
  });
});
