import { describe, expect, it } from 'vitest';
import { SignatureWatch } from '../../../src/webhooks/signature-watch.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function watching(fails = false) {
  const clock = new ManualClock('2026-01-01T00:00:00.000Z');
  const written: { acceptedAt: string | null; refusedAt: string | null }[] = [];
  const notes = {
    async noteSignatures(seen: { acceptedAt: string | null; refusedAt: string | null }) {
      written.push(seen);
      if (fails) throw new Error('no database');
    },
  };
  return { clock, written, watch: new SignatureWatch({ notes, clock }) };
}

const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();

describe('the watch over signatures', () => {
  it('writes the first at once, and then the latest of each once in five seconds', async () => {
    const { clock, written, watch } = watching();
    for (let second = 0; second < 12; second += 1) {
      for (let delivery = 0; delivery < 50; delivery += 1) watch.accepted();
      if (second === 2) watch.refused();
      await clock.advance(1_000);
    }
    expect(written).toEqual([
      { acceptedAt: at(0), refusedAt: null },
      { acceptedAt: at(4), refusedAt: at(2) },
      { acceptedAt: at(9), refusedAt: null },
    ]);
    await watch.close();
    expect(written).toHaveLength(4);
    expect(written.at(-1)).toEqual({ acceptedAt: at(11), refusedAt: null });
  });

  it('writes nothing where nothing comes, and begins anew after a pause', async () => {
    const { clock, written, watch } = watching();
    watch.refused();
    await clock.advance(60_000);
    expect(written).toHaveLength(1);
    watch.accepted();
    expect(written.at(-1)).toEqual({ acceptedAt: at(60), refusedAt: null });
    await watch.close();
  });

  it('goes on without a database', async () => {
    const { clock, written, watch } = watching(true);
    watch.refused();
    await clock.advance(6_000);
    watch.refused();
    await watch.close();
    expect(written).toHaveLength(2);
  });
});
