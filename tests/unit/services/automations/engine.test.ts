import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { StorageUnavailableError } from '../../../../src/domain/storage.ts';
import { on } from '../../../../src/services/automations/automation.ts';
import { ServiceError } from '../../../../src/services/errors.ts';
import { settle } from '../../../support/manual-clock.ts';
import { EngineBench, type Run } from './support.ts';

const HOUR_MS = 3_600_000;

function forever(): Promise<void> {
  return new Promise(() => {});
}

const fails: Run = async () => {
  throw new Error('broken');
};

describe('an automation', () => {
  test('runs once for each event of its types, and for no other', async () => {
    await using bench = await EngineBench.make();
    const ran: number[] = [];
    await bench.start({ counting: async ({ event }) => void ran.push(event.id) });
    await bench.event();
    await bench.event();
    await bench.event(undefined, 2);
    await bench.engine.add(9, { type: 'record.created', workspaceId: null, ids: {}, raw: {} });
    await settle();
    expect(ran).toEqual([1, 2]);
    expect(await bench.pending()).toBe(0);
    expect(bench.told).toEqual(['counting done 1', 'counting done 1']);
  });

  test('that throws is run again with growing waits, and ends as a dead letter', async () => {
    await using bench = await EngineBench.make();
    const ranAt: number[] = [];
    const startedAt = bench.clock.now();
    await bench.start({
      broken: async ({ attempt }) => {
        ranAt.push(bench.clock.now() - startedAt);
        throw new Error(`attempt ${attempt}`);
      },
    });
    await bench.event();
    await bench.clock.advance(60_000);
    expect(ranAt).toEqual([0, 1_000, 3_000]);
    expect(await bench.letters()).toMatchObject([
      {
        kind: 'automation',
        automation: 'broken',
        reason: 'attempts_exhausted',
        detail: 'attempt 3',
        eventId: 1,
        eventType: 'record.updated',
        attempts: 3,
      },
    ]);
    expect(await bench.pending()).toBe(0);
    expect(bench.told.at(-1)).toBe('broken attempts_exhausted');
  });

  test('that throws stops no other, nor itself for other things', async () => {
    await using bench = await EngineBench.make();
    const [bad, good] = [randomUUID(), randomUUID()];
    const ran: string[] = [];
    const note = (name: string): Run => {
      return async ({ event }) => void ran.push(`${name} ${event.ids['record_id'] === bad ? 'bad' : 'good'}`);
    };
    await bench.start({
      picky: async (context) => {
        if (context.event.ids['record_id'] === bad) throw new Error('no');
        await note('picky')(context);
      },
      other: note('other'),
    });
    await bench.event(bad);
    await bench.event(good);
    expect(ran.toSorted()).toEqual(['other bad', 'other good', 'picky good']);
  });

  test('that hangs is cut off, told so, and counted; others go on', async () => {
    await using bench = await EngineBench.make();
    let aborted = 0;
    let others = 0;
    await bench.start({
      hanging: async ({ signal }) => {
        signal.addEventListener('abort', () => {
          aborted += 1;
        });
        await forever();
      },
      other: async () => {
        others += 1;
      },
    });
    for (let event = 0; event < 10; event += 1) await bench.event();
    expect([others, aborted]).toEqual([10, 0]);
    await bench.clock.advance(30_000);
    expect(aborted).toBe(2);
    expect(bench.told.filter((line) => line === 'hanging timed_out 1')).toHaveLength(2);
    await bench.clock.advance(20 * 60_000);
    expect(await bench.letters()).toHaveLength(10);
    expect((await bench.letters())[0]?.detail).toBe('the run had not ended after 30 s');
  });

  test('has no more runs at once than its window', async () => {
    await using bench = await EngineBench.make();
    const ends: (() => void)[] = [];
    await bench.start({ slow: () => new Promise<void>((resolve) => ends.push(resolve)) });
    for (let event = 0; event < 5; event += 1) await bench.event();
    expect(ends).toHaveLength(2);
    ends[0]?.();
    await settle();
    expect(ends).toHaveLength(3);
    for (let end = 1; end < 5; end += 1) {
      ends[end]?.();
      await settle();
    }
    expect(await bench.pending()).toBe(0);
  });

  test('runs for one thing in the order of its events, also past a failure', async () => {
    await using bench = await EngineBench.make();
    const recordId = randomUUID();
    const ran: string[] = [];
    let broken = true;
    await bench.start({
      ordered: async ({ event, attempt }) => {
        ran.push(`${event.id}.${attempt}`);
        if (event.id === 1 && broken) throw new Error('not yet');
      },
    });
    await bench.event(recordId);
    await bench.event(recordId);
    await bench.event();
    expect(ran).toEqual(['1.1', '3.1']);
    broken = false;
    await bench.clock.advance(1_000);
    expect(ran).toEqual(['1.1', '3.1', '1.2', '2.1']);
  });

  test('has keys for its effects that stay the same in every run', async () => {
    await using bench = await EngineBench.make();
    const keys: string[][] = [];
    const run: Run = async ({ idempotencyKey, lastingKey, attempt }) => {
      keys.push([idempotencyKey('a'), idempotencyKey('b'), lastingKey('a')]);
      if (attempt === 1) throw new Error('again');
    };
    await bench.start({ one: run });
    await bench.event();
    await bench.clock.advance(1_000);
    await bench.event();
    await bench.clock.advance(1_000);
    const [first, second, third] = keys;
    expect(second).toEqual(first);
    expect(third?.[0]).not.toBe(first?.[0]);
    expect(third?.[2]).toBe(first?.[2]);
    expect(new Set(first).size).toBe(3);
  });
});

describe('an outage', () => {
  test('of Attio is nobody’s attempt, and its end lets the work go at once', async () => {
    await using bench = await EngineBench.make();
    let away = true;
    let others = 0;
    await bench.start({
      asking: async () => {
        if (away) throw new ServiceError('unavailable', 'Attio is away');
      },
      other: async () => {
        others += 1;
      },
    });
    for (let event = 0; event < 5; event += 1) await bench.event();
    await bench.clock.advance(HOUR_MS);
    expect(others).toBe(5);
    expect([await bench.pending(), await bench.letters()]).toEqual([5, []]);
    expect(new Set(bench.pauses)).toEqual(new Set(['asking']));
    away = false;
    bench.engine.resume();
    await settle();
    expect(await bench.pending()).toBe(0);
    expect(bench.told.filter((line) => line.startsWith('asking done'))).toEqual(
      Array.from({ length: 5 }, () => 'asking done 1'),
    );
  });

  test('of the database, met while reading what the event is about, is one, too', async () => {
    await using bench = await EngineBench.make();
    bench.read = async () => {
      throw new StorageUnavailableError('disk full');
    };
    await bench.start({ reading: async () => {} });
    await bench.event();
    await bench.clock.advance(HOUR_MS);
    expect([await bench.pending(), await bench.letters()]).toEqual([1, []]);
  });

  test('of one thing alone makes room for the others', async () => {
    await using bench = await EngineBench.make();
    let refused = true;
    await bench.start({
      isolated: async ({ event }) => {
        if (event.id === 1 && refused) throw new ServiceError('unavailable', 'no scope', { isolated: true });
      },
    });
    await bench.event();
    await bench.event();
    expect([bench.pauses, await bench.pending()]).toEqual([[], 1]);
    refused = false;
    await bench.clock.advance(5_000);
    expect(await bench.pending()).toBe(0);
  });

  test('that lasts for three days ends as a dead letter', async () => {
    await using bench = await EngineBench.make();
    await bench.start({
      asking: async () => {
        throw new ServiceError('unavailable', 'Attio is away');
      },
    });
    await bench.event();
    await bench.clock.advance(73 * HOUR_MS);
    expect(await bench.letters()).toMatchObject([{ reason: 'outage_too_long', attempts: 0 }]);
  });
});

describe('a dead letter', () => {
  test('is taken back to work, and then gone', async () => {
    await using bench = await EngineBench.make();
    let broken = true;
    await bench.start({
      mended: async () => {
        if (broken) throw new Error('broken');
      },
    });
    await bench.event();
    await bench.clock.advance(60_000);
    const [letter] = await bench.letters();
    if (letter === undefined) throw new Error('no letter');
    broken = false;
    await bench.engine.revive(letter);
    await settle();
    expect([await bench.letters(), await bench.pending()]).toEqual([[], 0]);
    await expect(bench.engine.revive(letter)).rejects.toMatchObject({ kind: 'refused' });
  });

  test('is what becomes of jobs whose automation is gone; they wait for its return', async () => {
    await using bench = await EngineBench.make();
    bench.mayWork = false;
    await bench.start({ former: async () => {}, staying: async () => {} });
    await bench.event();
    await bench.stop();
    await bench.start({ staying: async () => {} });
    expect(await bench.letters()).toMatchObject([
      {
        automation: 'former',
        reason: 'unknown_automation',
        detail: 'there is no automation "former" any more',
      },
    ]);
    const [letter] = await bench.letters();
    if (letter === undefined) throw new Error('no letter');
    await expect(bench.engine.revive(letter)).rejects.toThrow('register it');
    expect(await bench.letters()).toHaveLength(1);
    await bench.stop();
    bench.mayWork = true;
    await bench.start({ former: async () => {}, staying: async () => {} });
    await bench.engine.revive(letter);
    await settle();
    expect([await bench.letters(), await bench.pending()]).toEqual([[], 0]);
  });

  test('is what more than may wait becomes; the event goes on', async () => {
    await using bench = await EngineBench.make();
    bench.mayWork = false;
    bench.maxPending = 2;
    await bench.start({ slow: async () => {} });
    for (let event = 0; event < 3; event += 1) await bench.event();
    await bench.event(undefined, 3);
    expect(await bench.pending()).toBe(2);
    expect(await bench.letters()).toMatchObject([{ reason: 'too_many_waiting', eventId: 3, attempts: 0 }]);
  });
});

describe('a stop', () => {
  test('gives a run a little time to end, and what does not comes back at the next start', async () => {
    await using bench = await EngineBench.make();
    const ran: string[] = [];
    await bench.start({
      quick: async ({ event }) => {
        await bench.clock.sleep(1_000);
        ran.push(`quick ${event.id}`);
      },
      hanging: async ({ attempt }) => {
        ran.push(`hanging ${attempt}`);
        if (ran.length < 3) await forever();
      },
    });
    await bench.event();
    const stopping = bench.stop();
    await bench.clock.advance(2_000);
    await stopping;
    expect([ran, await bench.pending()]).toEqual([['hanging 1', 'quick 1'], 1]);
    await bench.start({ quick: fails, hanging: async ({ attempt }) => void ran.push(`hanging ${attempt}`) });
    await settle();
    expect([ran.at(-1), await bench.pending()]).toEqual(['hanging 1', 0]);
  });

  test('that nobody hears of leaves a run to be made again, once its time is over', async () => {
    await using bench = await EngineBench.make();
    bench.mayWork = false;
    let ran = 0;
    await bench.start({
      killed: async () => {
        ran += 1;
      },
    });
    await bench.event();
    // Another process took the job, and was killed.
    const [job] = await bench.jobs.due('killed', bench.now(), new Set(), 1);
    const until = new Date(bench.clock.now() + 60_000).toISOString();
    expect(await bench.jobs.take(job?.id ?? 0, bench.now(), until)).toBe(true);
    expect(await bench.jobs.take(job?.id ?? 0, bench.now(), until)).toBe(false);
    bench.mayWork = true;
    bench.engine.wake();
    await bench.clock.advance(59_000);
    expect(ran).toBe(0);
    await bench.clock.advance(1_000);
    expect(ran).toBe(1);
  });
});

test('names are checked when the engine is built', async () => {
  await using bench = await EngineBench.make();
  const named = (name: string) => on('record.updated', { name, run: async () => {} });
  expect(() => bench.build([named('Two Words')])).toThrow('kebab-case');
  expect(() => bench.build([named('twin'), named('twin')])).toThrow('two automations are called "twin"');
});
