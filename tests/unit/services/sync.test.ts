import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StorageUnavailableError } from '../../../src/domain/storage.ts';
import { NO_COUNTS, type SyncRun } from '../../../src/domain/sync-runs.ts';
import { ServiceError } from '../../../src/services/errors.ts';
import type { SyncEvents } from '../../../src/services/ports.ts';
import { SyncService } from '../../../src/services/sync.ts';
import { type Database, migrate, openDatabase } from '../../../src/store/database.ts';
import { SyncRunsStore } from '../../../src/store/sync-runs.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

let database: Database;
let runs: SyncRunsStore;
let clock: ManualClock;
let passes: string[];

const events: SyncEvents = {
  recordsSettled() {},
  runStarted() {},
  runProgressed() {},
  runFinished() {},
  workspaceMismatch() {},
  tokenRefused() {},
  unexpected() {},
};

beforeEach(async () => {
  database = openDatabase('sqlite::memory:');
  await migrate(database);
  runs = new SyncRunsStore(database);
  clock = new ManualClock();
  passes = [];
});

afterEach(() => database.destroy());

async function unknownList(): Promise<never> {
  throw new ServiceError('not_found', 'there is none');
}

function service(store: SyncRunsStore = runs): SyncService {
  let ids = 0;
  return new SyncService({
    objects: ['people', 'companies'],
    lists: { get: unknownList, isMirrored: () => true, mirrored: async () => [] },
    activity: [],
    runs: store,
    fullSync: { complete: async (run) => void passes.push(run.object) },
    clock,
    newId: () => {
      ids += 1;
      return `run-${ids}`;
    },
    events,
    workspace: { assertMaySync() {}, whenMaySync: async () => {} },
    outagePatienceMs: 1_000,
    onEnded() {},
  });
}

function leftBehind(object: string): SyncRun {
  return {
    ...NO_COUNTS,
    runId: `old-${object}`,
    object,
    status: 'running',
    startedAt: new Date(clock.now()).toISOString(),
    finishedAt: null,
    error: null,
    force: false,
    parentRunId: null,
  };
}

describe('a run', () => {
  test('whose end cannot be stored is not left running', async () => {
    let failures = 2;
    class FailingRuns extends SyncRunsStore {
      override async finish(...args: Parameters<SyncRunsStore['finish']>): Promise<boolean> {
        failures -= 1;
        if (failures >= 0) throw new Error('database is locked');
        return super.finish(...args);
      }
    }
    const sync = service(new FailingRuns(database));
    const { runId } = await sync.start('people', { force: false });
    await settle();
    expect((await sync.get(runId)).status).toBe('running');
    await clock.advance(5_000);
    expect((await sync.get(runId)).status).toBe('succeeded');
  });

  test('that the database says runs, and nobody works on, is taken up by the next call', async () => {
    await runs.start(leftBehind('people'));
    const sync = service();
    expect(await sync.start('people', { force: false })).toEqual({
      runId: 'old-people',
      alreadyRunning: true,
    });
    await settle();
    expect((await sync.get('old-people')).status).toBe('succeeded');
  });

  test('of all ends although a run was left behind', async () => {
    await runs.start(leftBehind('people'));
    const sync = service();
    const { runId } = await sync.start('all', { force: false });
    await clock.advance(1_000);
    expect(await sync.get(runId)).toMatchObject({ status: 'succeeded', runs: [{ status: 'succeeded' }, {}] });
    // The one left behind, and a pass of its own after it.
    expect(passes).toEqual(['people', 'people', 'companies']);
  });

  test('that was cut off is resumed under its id, parts before the whole', async () => {
    await runs.start(leftBehind('all'));
    await runs.start({ ...leftBehind('people'), parentRunId: 'old-all' });
    const sync = service();
    await sync.resumeAll();
    await clock.advance(1_000);
    expect(await sync.get('old-all')).toMatchObject({ status: 'succeeded' });
    expect(passes).toEqual(['people', 'companies']);
  });

  describe('during an outage of the database', () => {
    class AwayRuns extends SyncRunsStore {
      away = true;
      /** Starts that are stored, and whose answer is lost. */
      lostStarts = 0;
      override async get(...args: Parameters<SyncRunsStore['get']>) {
        return this.#unless(this.away, () => super.get(...args));
      }
      override async children(...args: Parameters<SyncRunsStore['children']>) {
        return this.#unless(this.away, () => super.children(...args));
      }
      override async start(...args: Parameters<SyncRunsStore['start']>) {
        const started = await super.start(...args);
        this.lostStarts -= 1;
        return this.#unless(this.lostStarts >= 0, async () => started);
      }
      #unless<T>(outage: boolean, ask: () => Promise<T>): Promise<T> {
        return outage ? Promise.reject(new StorageUnavailableError('away')) : ask();
      }
    }

    test('waits and goes on, also from a part whose start was stored without our learning of it', async () => {
      await runs.start(leftBehind('all'));
      const store = new AwayRuns(database);
      const sync = service(store);
      await sync.resumeAll();
      await clock.advance(500);
      store.away = false;
      store.lostStarts = 1;
      expect(passes).toEqual([]);
      await clock.advance(5_000);
      expect(await sync.get('old-all')).toMatchObject({ status: 'succeeded' });
      expect(passes).toEqual(['people', 'companies']);
    });

    test('fails when it lasts longer than the patience, and says why', async () => {
      await runs.start(leftBehind('people'));
      const store = new AwayRuns(database);
      const sync = service(store);
      await sync.resumeAll();
      await clock.advance(10_000);
      store.away = false;
      await clock.advance(5_000);
      expect(await sync.get('old-people')).toMatchObject({ status: 'failed', error: 'away' });
    });
  });
});
