import { describe, expect, onTestFinished, test } from 'vitest';
import type { NewAutomationJob } from '../../src/domain/automations.ts';
import type { NewDeadLetter } from '../../src/domain/dead-letters.ts';
import { AutomationJobsStore } from '../../src/store/automation-jobs.ts';
import { type Database, migrate, openDatabase } from '../../src/store/database.ts';
import { DeadLettersStore } from '../../src/store/dead-letters.ts';
import { ErasureStore } from '../../src/store/erasure.ts';
import { dropExpired } from '../../src/store/retention.ts';
import { freshDatabase } from '../support/engines.ts';

const [T0, T1, T2] = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.000Z', '2026-01-01T00:00:02.000Z'];
const NONE: ReadonlySet<number> = new Set();

async function open(): Promise<{ database: Database; jobs: AutomationJobsStore; letters: DeadLettersStore }> {
  const fresh = await freshDatabase();
  const database = openDatabase(fresh.url);
  onTestFinished(async () => {
    await database.destroy();
    await fresh[Symbol.asyncDispose]();
  });
  await migrate(database);
  return { database, jobs: new AutomationJobsStore(database), letters: new DeadLettersStore(database) };
}

function job(eventId: number, thing: string, more: Partial<NewAutomationJob> = {}): NewAutomationJob {
  const payload = JSON.stringify({ event_type: 'record.updated', id: { record_id: thing } });
  return {
    automation: 'one',
    eventId,
    eventType: 'record.updated',
    payload,
    thing,
    createdAt: T0,
    ...more,
  };
}

function letter(eventId: number, detail = 'No.'): NewDeadLetter {
  return {
    kind: 'automation',
    automation: 'one',
    reason: 'attempts_exhausted',
    detail,
    eventId,
    outboxId: null,
    eventType: 'record.updated',
    bodyBase64: null,
    attempts: 3,
    createdAt: T1,
  };
}

async function due(jobs: AutomationJobsStore, now = T1, inHand = NONE, limit = 10): Promise<number[]> {
  return (await jobs.due('one', now, inHand, limit)).map(({ eventId }) => eventId);
}

async function idOf(jobs: AutomationJobsStore, eventId: number): Promise<number> {
  const found = (await jobs.due('one', '2030-01-01', NONE, 100)).find((one) => one.eventId === eventId);
  return found?.id ?? 0;
}

describe('what automations have to do', () => {
  test('is stored once for each automation and event', async () => {
    const { jobs } = await open();
    await jobs.add([job(1, 'a'), job(2, 'b'), job(1, 'a', { automation: 'two' })]);
    await jobs.add([job(1, 'a'), job(3, 'c')]);
    await jobs.addDead([{ job: job(3, 'c'), letter: letter(3) }]);
    expect(await jobs.pending()).toEqual(
      new Map([
        ['one', 3],
        ['two', 1],
      ]),
    );
  });

  test('is due one by one for each thing, in the order of the events', async () => {
    const { jobs } = await open();
    // Stored in another order than the events came in.
    await jobs.add([job(2, 'a'), job(1, 'a'), job(3, 'b'), job(1, 'a', { automation: 'two' })]);
    expect(await due(jobs)).toEqual([1, 3]);
    expect(await due(jobs, T1, new Set([await idOf(jobs, 1)]))).toEqual([3]);
    await jobs.retryLater(await idOf(jobs, 1), 1, T2);
    expect([await due(jobs), await jobs.nextDueAt('one', T1)]).toEqual([[3], T2]);
    await jobs.done(await idOf(jobs, 1), T1);
    expect(await due(jobs)).toEqual([2, 3]);
  });

  test('is taken by one, however many try at once', async () => {
    const { jobs } = await open();
    await jobs.add([job(1, 'a')]);
    const id = await idOf(jobs, 1);
    const tries = await Promise.all(Array.from({ length: 10 }, () => jobs.take(id, T1, T2)));
    expect(tries.filter((taken) => taken)).toHaveLength(1);
    expect([await due(jobs, T1), await due(jobs, T2)]).toEqual([[], [1]]);
    expect(await jobs.take(id, T2, '2026-01-02')).toBe(true);
  });

  test('that is dead comes back with its letter, once', async () => {
    const { jobs, letters } = await open();
    await jobs.add([job(1, 'a')]);
    const id = await idOf(jobs, 1);
    await jobs.bury([{ id: id, letter: letter(1) }]);
    await jobs.bury([{ id: id, letter: letter(1) }]);
    const [one, ...others] = (await letters.list('automation', 0, 10)).rows;
    expect([one?.automation, others, await due(jobs)]).toEqual(['one', [], []]);
    expect(await letters.counts()).toMatchObject({ inbox: 0, automation: 1 });
    const revive = () => jobs.revive('one', 1, Number(one?.id), T2);
    expect([await revive(), await revive()]).toEqual([true, false]);
    expect([await due(jobs, T2), (await letters.list(null, 0, 10)).rows]).toEqual([[1], []]);
  });

  test('is dropped when it is done and old; what waits and what is dead stays', async () => {
    const { database, jobs, letters } = await open();
    await jobs.add([job(1, 'a'), job(2, 'b'), job(3, 'c'), job(4, 'd')]);
    await jobs.done(await idOf(jobs, 1), T1);
    await jobs.done(await idOf(jobs, 2), '2026-02-01');
    await jobs.bury([{ id: await idOf(jobs, 3), letter: letter(3) }]);
    const cutoff = '2026-01-15';
    const cutoffs = {
      deliveries: cutoff,
      settledEvents: cutoff,
      keptEvents: cutoff,
      changes: cutoff,
      runs: cutoff,
      writes: cutoff,
      conflicts: cutoff,
      keyedRequests: cutoff,
      archived: cutoff,
    };
    expect(await dropExpired(database, cutoffs, new AbortController().signal)).toBe(1);
    expect(await due(jobs)).toEqual([4]);
    const [dead] = (await letters.list('automation', 0, 10)).rows;
    expect(await jobs.revive('one', 3, Number(dead?.id), T2)).toBe(true);
  });
});

test('an erasure takes the words of failed runs for the person, and of those that quote them', async () => {
  const { database, jobs, letters } = await open();
  await jobs.add([job(1, 'record-of-ada'), job(2, 'b'), job(3, 'c')]);
  await jobs.bury([{ id: await idOf(jobs, 1), letter: letter(1, 'Lovelace is unknown') }]);
  await jobs.bury([{ id: await idOf(jobs, 2), letter: letter(2, 'cannot write to Ada@gone.example') }]);
  await jobs.bury([{ id: await idOf(jobs, 3), letter: letter(3, 'something else') }]);
  await new ErasureStore(database).erase({
    object: 'people',
    entityIds: ['ada'],
    recordIds: ['record-of-ada'],
    keys: ['ada@gone.example'],
  });
  const removed = 'removed with the values of a person';
  const details = (await letters.list('automation', 0, 10)).rows.map(({ detail }) => detail);
  expect(details).toEqual([removed, removed, 'something else']);
});
