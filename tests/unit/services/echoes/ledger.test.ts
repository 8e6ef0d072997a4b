import { describe, expect, test } from 'vitest';
import { CREATION, type EchoLine, type EventFacts } from '../../../../src/domain/echoes.ts';
import { PacedBatcher } from '../../../../src/queue/paced-batcher.ts';
import { EchoLedger } from '../../../../src/services/echoes/ledger.ts';
import { contentHash } from '../../../../src/services/echoes/lines.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const ADA = { kind: 'people', attioId: 'ada' };
const TITLE = 'the-id-of-job-title';

function build() {
  const clock = new ManualClock();
  const lines: EchoLine[] = [];
  const met: string[] = [];
  let isPending = false;
  let isMirrored = true;
  let asked = 0;
  const states = async () => new Map(isMirrored ? [['ada', { deletedAt: null } as never]] : []); // all that is looked at
  const ledger = new EchoLedger({
    store: {
      async put(more) {
        lines.push(...more);
      },
      async of(kind, ids) {
        asked += 1;
        return lines.filter((line) => line.kind === kind && ids.includes(line.attioId));
      },
      pendingAmong: async (_kind, ids) => new Set(isPending ? ids : []),
      isPending: async () => isPending,
    },
    records: { states },
    items: { states },
    batcher: (run) => new PacedBatcher({ run, clock, intervalMs: 0, maxBatch: 100, maxWaiting: 1_000 }),
    clock,
    events: { echoMet: (kind, outcome) => met.push(`${kind} ${outcome}`) },
    times: { gatherMs: 400, expectedMs: 60_000 },
  });
  return {
    clock,
    ledger,
    met,
    asked: () => asked,
    pending(value: boolean) {
      isPending = value;
    },
    mirrored(value: boolean) {
      isMirrored = value;
    },
    wrote(aspect: string, content: string | null) {
      const at = new Date(clock.now()).toISOString();
      const index = lines.findIndex((line) => line.aspect === aspect);
      if (index >= 0) lines.splice(index, 1);
      lines.push({ ...ADA, aspect, hash: contentHash(ADA, aspect, content), writtenAt: at });
    },
    event(aspect: string | null, actorType = 'api-token'): EventFacts {
      return { aspect, actorType, receivedAt: clock.now() };
    },
  };
}

describe('the ledger of echoes', () => {
  test('counts an event whose read shows what we wrote, and one whose read does not', async () => {
    const { ledger, met, wrote, event } = build();
    wrote(TITLE, 'Analyst');
    const own = event(TITLE);
    const person = event(TITLE, 'workspace-member');
    expect(await ledger.meet(ADA, own)).toMatchObject({ isNoNews: false, patienceMs: 400 });
    expect(await ledger.meet(ADA, person)).toMatchObject({ isNoNews: false, patienceMs: 0 });
    await ledger.judge(ADA, own, await ledger.meet(ADA, own), async () => 'Analyst');
    await ledger.judge(ADA, person, await ledger.meet(ADA, person), async () => 'Engineer');
    expect(met).toEqual(['people suppressed', 'people near_miss']);
  });

  test('holds a read against what a later write of ours has left meanwhile', async () => {
    const { ledger, met, wrote, event } = build();
    wrote(TITLE, 'Analyst');
    const echo = event(TITLE);
    const first = await ledger.meet(ADA, echo);
    wrote(TITLE, 'Engineer');
    await ledger.judge(ADA, echo, first, async () => 'Engineer');
    expect(met).toEqual(['people suppressed']);
  });

  test('knows an echo that came before its write was settled', async () => {
    const { ledger, met, wrote, pending, event } = build();
    pending(true);
    const early = event(TITLE);
    const waiting = await ledger.meet(ADA, early);
    expect(waiting).toEqual({ isNoNews: false, patienceMs: 400, line: null });
    wrote(TITLE, 'Analyst');
    pending(false);
    await ledger.judge(ADA, early, waiting, async () => 'Analyst');
    expect(met).toEqual(['people suppressed']);
  });

  test('counts one that comes later than echoes are expected, and has it read like any other', async () => {
    const { clock, ledger, met, wrote, event } = build();
    wrote(TITLE, 'Analyst');
    await clock.advance(60_001);
    const late = event(TITLE);
    const read = await ledger.meet(ADA, late);
    expect(read).toMatchObject({ isNoNews: false, patienceMs: 0 });
    await ledger.judge(ADA, late, read, async () => 'Analyst');
    expect(met).toEqual(['people expired']);
  });

  test('counts nothing of what we have not written, nor of what cannot be told, and asks no more for it', async () => {
    const { ledger, met, asked, wrote, event } = build();
    const strange = event(TITLE);
    await ledger.judge(ADA, strange, await ledger.meet(ADA, strange), async () => 'Analyst');
    const vague = event(null);
    await ledger.judge(ADA, vague, await ledger.meet(ADA, vague), async () => 'Analyst');
    expect(asked()).toBe(1);
    wrote(TITLE, 'Analyst');
    await ledger.judge(ADA, strange, await ledger.meet(ADA, strange), async () => undefined);
    expect(met).toEqual([]);
  });

  test('takes it as no news that we have made what is mirrored, and else has it read', async () => {
    const { ledger, met, wrote, mirrored, event } = build();
    wrote(CREATION, null);
    expect(await ledger.meet(ADA, event(CREATION))).toMatchObject({ isNoNews: true });
    expect(met).toEqual(['people suppressed']);
    mirrored(false);
    expect(await ledger.meet(ADA, event(CREATION))).toMatchObject({ isNoNews: false, patienceMs: 0 });
    expect(met).toHaveLength(1);
  });

  test('waits a moment for the write that may have made a thing', async () => {
    const { clock, ledger, wrote, pending, event } = build();
    pending(true);
    const meeting = ledger.meet(ADA, event(CREATION));
    await clock.advance(150);
    wrote(CREATION, null);
    await clock.advance(100);
    expect(await meeting).toMatchObject({ isNoNews: true });
  });

  test('but no longer than that', async () => {
    const { clock, ledger, pending, event } = build();
    pending(true);
    const meeting = ledger.meet(ADA, event(CREATION));
    await clock.advance(400);
    expect(await meeting).toEqual({ isNoNews: false, patienceMs: 0, line: null });
  });

  test('lets go of what waits when it is closed', async () => {
    const { clock, ledger, pending, event } = build();
    pending(true);
    const meeting = ledger.meet(ADA, event(CREATION));
    meeting.catch(() => {});
    await clock.advance(10);
    ledger.close();
    await expect(meeting).rejects.toThrow('closing');
  });
});
