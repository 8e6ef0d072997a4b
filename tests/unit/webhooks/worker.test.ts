import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StorageUnavailableError } from '../../../src/domain/storage.ts';
import { ServiceError } from '../../../src/services/errors.ts';
import { type Database, migrate, openDatabase } from '../../../src/store/database.ts';
import { DeadLettersStore } from '../../../src/store/dead-letters.ts';
import { InboxStore } from '../../../src/store/inbox.ts';
import type { InboxEvents, SettledEvent } from '../../../src/webhooks/ports.ts';
import { type WebhookHandler, WebhookRouter } from '../../../src/webhooks/router.ts';
import { InboxWorker } from '../../../src/webhooks/worker.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

const WORKSPACE = randomUUID();
const HOUR_MS = 3_600_000;

let database: Database;
let inbox: InboxStore;
let clock: ManualClock;
let workspace: { workspaceId: string | null; maySync: boolean };
let pauses: number[];
let followed: number[];
let follow: () => Promise<void>;
let store: () => Promise<void>;
let worker: InboxWorker | null = null;

beforeEach(async () => {
  database = openDatabase('sqlite::memory:');
  await migrate(database);
  inbox = new InboxStore(database);
  clock = new ManualClock();
  workspace = { workspaceId: WORKSPACE, maySync: true };
  pauses = [];
  followed = [];
  follow = async () => {};
  store = async () => {};
});

afterEach(async () => {
  await worker?.stop();
  worker = null;
  await database.destroy();
});

function start(handler: WebhookHandler, ...more: WebhookHandler[]): InboxWorker {
  const router = new WebhookRouter();
  for (const each of [handler, ...more]) router.on('record.updated', each);
  const events: InboxEvents = {
    deliveryAccepted() {},
    eventSettled() {},
    eventRetried() {},
    eventBuried() {},
    inboxPaused: (waitMs) => pauses.push(waitMs),
  };
  const settled = {
    async add(row: SettledEvent) {
      await store();
      await inbox.settle([row], new Date(clock.now()).toISOString());
    },
  };
  const options = { window: 100, maxAttempts: 4, giveUpAfterMs: 72 * HOUR_MS, rescanMs: HOUR_MS };
  const followUps = {
    async add(id: number) {
      await follow();
      followed.push(id);
    },
  };
  worker = new InboxWorker({
    inbox,
    settled,
    router,
    followUps,
    workspace,
    isInCharge: () => true,
    holdBackMs: () => 0,
    clock,
    random: () => 0.5,
    events,
    options,
  });
  worker.start();
  return worker;
}

async function receive(
  workspaceId: string = WORKSPACE,
  subjectId: string | null = null,
  text?: string,
): Promise<void> {
  const id = { workspace_id: workspaceId, object_id: randomUUID(), record_id: randomUUID() };
  const payload = text ?? JSON.stringify({ event_type: 'record.updated', id, actor: null });
  const receivedAt = new Date(clock.now()).toISOString();
  const events = [{ type: 'record.updated', workspaceId, payload, subjectId }];
  await inbox.accept([{ dedupeKey: null, receivedAt, events, quarantined: [] }], '2000-01-01');
  worker?.wake();
  await settle();
}

async function letters(): Promise<{ reason: string; attempts: number; detail: string }[]> {
  return (await new DeadLettersStore(database).list(null, 0, 100)).rows;
}

describe('an event', () => {
  test('whose handler fails is retried with growing waits, and ends as a dead letter', async () => {
    const attemptedAt: number[] = [];
    const startedAt = clock.now();
    start(async () => {
      attemptedAt.push(clock.now() - startedAt);
      throw new Error('no such column');
    });
    await receive();
    await clock.advance(60_000);
    expect(attemptedAt).toEqual([0, 1_000, 3_000, 7_000]);
    expect(await letters()).toMatchObject([
      { reason: 'attempts_exhausted', attempts: 4, detail: 'no such column' },
    ]);
    expect((await inbox.stats()).pending).toBe(0);
  });

  test('that is dead can be taken back to work', async () => {
    let broken = true;
    start(async () => {
      if (broken) throw new Error('broken');
      return 'done';
    });
    await receive();
    await clock.advance(60_000);
    const [letter] = (await new DeadLettersStore(database).list(null, 0, 1)).rows;
    broken = false;
    await inbox.revive(letter?.eventId ?? 0, Number(letter?.id), new Date(clock.now()).toISOString());
    worker?.wakeAll();
    await settle();
    expect(await letters()).toEqual([]);
    expect((await inbox.stats()).pending).toBe(0);
  });

  test('is retried also while others keep the worker busy', async () => {
    let attempts = 0;
    let first = true;
    start(async () => {
      if (first) {
        first = false;
        attempts += 1;
        throw new Error('once');
      }
      attempts += 1;
      return 'done';
    });
    await receive();
    for (let turn = 0; turn < 20; turn += 1) {
      await clock.advance(100);
      await receive();
    }
    expect(attempts).toBe(22);
    expect((await inbox.stats()).pending).toBe(0);
  });

  test('is settled after the one before it about the same thing, and not while an outage keeps that one', async () => {
    const reads: PromiseWithResolvers<'done'>[] = [];
    start(() => {
      reads.push(Promise.withResolvers());
      return reads.at(-1)?.promise ?? Promise.reject(new Error('unreachable'));
    });
    for (const subjectId of ['ada', 'ada', 'bela', 'ada']) await receive(WORKSPACE, subjectId);
    const settledIds = async () =>
      (await database.selectFrom('inbox').select('id').where('status', '=', 'done').execute()).map(
        ({ id }) => id,
      );
    // All are worked on at once.
    expect(reads).toHaveLength(4);
    for (const later of [1, 2, 3]) reads[later]?.resolve('done');
    await settle();
    expect(await settledIds()).toEqual([3]);
    reads[0]?.reject(new StorageUnavailableError('away'));
    await settle();
    expect([await settledIds(), pauses]).toEqual([[3], [1_000]]);
    await clock.advance(1_000);
    expect(reads).toHaveLength(7);
    for (const read of reads.slice(4).toReversed()) read.resolve('done');
    await settle();
    expect(await settledIds()).toEqual([1, 2, 3, 4]);
    expect(followed).toEqual([3, 1, 2, 4]);
  });

  test('is not settled when the one before it turns out not to be, after it had its turn', async () => {
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    start(async () => 'done');
    store = () => first.promise;
    await receive(WORKSPACE, 'ada');
    follow = () => second.promise;
    await receive(WORKSPACE, 'ada');
    first.reject(new StorageUnavailableError('away'));
    await settle();
    store = async () => {};
    second.resolve();
    await settle();
    expect([(await inbox.stats()).pending, pauses]).toEqual([2, [1_000]]);
    follow = async () => {};
    await clock.advance(1_000);
    expect([(await inbox.stats()).pending, followed.slice(-2)]).toEqual([0, [1, 2]]);
  });

  test('that cannot be read does not hold up the next one about the same thing', async () => {
    const { promise, resolve } = Promise.withResolvers<'done'>();
    start(() => promise);
    await receive(WORKSPACE, 'ada', '{}');
    await receive(WORKSPACE, 'ada');
    resolve('done');
    await settle();
    expect([(await inbox.stats()).pending, followed]).toEqual([0, [2]]);
  });

  test('reaches every handler, although one of them fails', async () => {
    let reached = 0;
    start(
      async () => {
        throw new Error('broken');
      },
      async () => {
        reached += 1;
        return 'done';
      },
    );
    await receive();
    expect(reached).toBe(1);
    expect((await inbox.stats()).pending).toBe(1);
  });

  test('is followed by what depends on it once its effect is committed, and not when it has none', async () => {
    let outcome: 'done' | 'ignored' | 'kept' = 'ignored';
    let broken = false;
    start(async () => {
      if (broken) throw new Error('broken');
      return outcome;
    });
    await receive();
    outcome = 'kept';
    await receive();
    [outcome, broken] = ['done', true];
    await receive();
    expect(followed).toEqual([]);
    broken = false;
    await clock.advance(1_000);
    expect(followed).toEqual([3]);
  });

  test('is not settled before what follows it is stored', async () => {
    follow = async () => {
      throw new StorageUnavailableError('disk full');
    };
    start(async () => 'done');
    await receive();
    expect((await inbox.stats()).pending).toBe(1);
    follow = async () => {};
    await clock.advance(2_000);
    expect([followed, (await inbox.stats()).pending]).toEqual([[1], 0]);
  });

  test('of another workspace becomes a dead letter', async () => {
    start(async () => 'done');
    await receive(randomUUID());
    expect(await letters()).toMatchObject([{ reason: 'foreign_workspace' }]);
  });
});

describe('during an outage', () => {
  const outage = () => new ServiceError('unavailable', 'Attio is away', { retryAfterSeconds: 5 });

  test('events wait, no attempt is counted, and nothing is asked until the pause is over', async () => {
    let asked = 0;
    start(async () => {
      asked += 1;
      throw outage();
    });
    for (let event = 0; event < 10; event += 1) await receive();
    const askedAtOnce = asked;
    await clock.advance(4_000);
    expect(asked).toBe(askedAtOnce);
    await clock.advance(10 * 60_000);
    expect((await inbox.stats()).pending).toBe(10);
    expect(await letters()).toEqual([]);
    // The pauses grow from the five seconds that were asked for to half a minute.
    expect(pauses.length).toBeLessThan(30);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(37_500);
  });

  test('also one of the database, no attempt is counted', async () => {
    start(async () => {
      throw new StorageUnavailableError('disk full');
    });
    await receive();
    await clock.advance(10 * 60_000);
    expect((await inbox.stats()).pending).toBe(1);
    expect(await letters()).toEqual([]);
  });

  test('an event that only its own request holds up makes room for others, and comes back', async () => {
    let refused = true;
    let handled = 0;
    start(async () => {
      if (refused) {
        refused = false;
        throw new ServiceError('unavailable', 'no scope for this object', { isolated: true });
      }
      handled += 1;
      return 'done';
    });
    await receive();
    await receive();
    expect([handled, pauses.length]).toEqual([1, 0]);
    await clock.advance(5_000);
    expect([handled, (await inbox.stats()).pending]).toEqual([2, 0]);
  });

  test('its end lets the waiting work go at once', async () => {
    let away = true;
    start(async () => {
      if (away) throw outage();
      return 'done';
    });
    await receive();
    away = false;
    worker?.resume();
    await settle();
    expect((await inbox.stats()).pending).toBe(0);
  });

  test('an event that it holds up for three days is given up', async () => {
    start(async () => {
      throw outage();
    });
    await receive();
    await clock.advance(73 * HOUR_MS);
    expect(await letters()).toMatchObject([{ reason: 'outage_too_long' }]);
  });
});

test('nothing is taken in hand before the token is known to be of this workspace', async () => {
  let handled = 0;
  workspace.maySync = false;
  start(async () => {
    handled += 1;
    return 'done';
  });
  await receive();
  expect(handled).toBe(0);
  workspace.maySync = true;
  worker?.wake();
  await settle();
  expect(handled).toBe(1);
});
