import { describe, expect, onTestFinished, test } from 'vitest';
import type { NewChange } from '../../src/domain/changes.ts';
import type { EntityRow } from '../../src/domain/entities.ts';
import type { MirroredRecord } from '../../src/domain/records.ts';
import { type Database, migrate, openDatabase, transaction } from '../../src/store/database.ts';
import { DeadLettersStore } from '../../src/store/dead-letters.ts';
import { InboxStore } from '../../src/store/inbox.ts';
import { dropExpired } from '../../src/store/retention.ts';
import { MirrorStore } from '../../src/store/store.ts';
import { freshDatabase } from '../support/engines.ts';

const AT = '2026-01-01T00:00:00.000Z';
/** In the order of their bytes: neither that of a dictionary nor that of JavaScript's code units. */
const IDS = ['-', '0', 'B', 'Z', '_', 'a', 'b', 'é', '\u{FF5E}', '\u{1F600}'];

async function open(): Promise<Database> {
  const fresh = await freshDatabase();
  const database = openDatabase(fresh.url);
  onTestFinished(async () => {
    await database.destroy();
    await fresh[Symbol.asyncDispose]();
  });
  await migrate(database);
  return database;
}

function entity(id: string, more: Partial<EntityRow> = {}): EntityRow {
  return {
    kind: 'companies',
    id,
    recordId: id,
    externalId: null,
    webUrl: null,
    facts: { name: id, domains: [`${id}.example.com`], attributes: {} },
    keys: [`${id}.example.com`],
    version: 1,
    createdAt: AT,
    updatedAt: AT,
    deletedAt: null,
    mergedInto: null,
    syncFailure: null,
    ...more,
  };
}

function record(recordId: string, more: Partial<MirroredRecord> = {}): MirroredRecord {
  const values = { name: [{ value: recordId }] };
  const fixed = {
    object: 'people',
    createdAt: AT,
    webUrl: null,
    deletedAt: null,
    mergedInto: null,
    hidden: false,
  };
  return { ...fixed, recordId, values, hash: 'h', readAt: AT, ...more };
}

function change(id: string): NewChange {
  return { type: 'record.created', object: 'people', id, source: 'attio', changed: [], at: AT, data: {} };
}

describe('order', () => {
  test('of ids is that of their bytes, page by page', async () => {
    const store = new MirrorStore(await open());
    await store.entities.put(IDS.toReversed().map((id) => entity(id)));
    await store.records.upsert(IDS.toReversed().map((id) => record(id)));
    const things: string[] = [];
    const records: string[] = [];
    for (let turn = 0; turn < IDS.length; turn += 1) {
      things.push(...(await store.entities.list('companies', things.at(-1) ?? '', 1)).map((row) => row.id));
      records.push(...(await store.records.liveIds('people', `${AT}z`, records.at(-1) ?? '', 1)));
    }
    expect(things).toEqual(IDS);
    expect(records).toEqual(IDS);
  });

  test('of instants decides which read is newer, to the last digit', async () => {
    const store = new MirrorStore(await open());
    const readAt = '2026-01-01T00:00:00.000000002Z';
    await store.records.upsert([record('a', { readAt })]);
    await store.records.upsert([record('a', { readAt: readAt.replace('2Z', '1Z'), hash: 'older' })]);
    expect((await store.records.states('people', ['a'])).get('a')?.hash).toBe('h');
    await store.records.touch('people', ['a'], readAt.replace('2Z', '3Z'));
    await store.records.upsert([record('a', { readAt, hash: 'older' })]);
    expect((await store.records.states('people', ['a'])).get('a')?.hash).toBe('h');
  });
});

describe('transactions', () => {
  test('come one after the other: what one has read is still so when it writes', async () => {
    const store = new MirrorStore(await open());
    await store.entities.put([entity('a')]);
    const grow = () =>
      store.transaction(async ({ entities }) => {
        const row = await entities.find('companies', 'a');
        await entities.put([entity('a', { version: (row?.version ?? 0) + 1 })]);
      });
    await Promise.all(Array.from({ length: 50 }, grow));
    expect((await store.entities.find('companies', 'a'))?.version).toBe(51);
  });

  test('number their changes in the order of their commits, and a follower misses none', async () => {
    const store = new MirrorStore(await open());
    let writing = true;
    const write = (id: string) =>
      store.transaction(async ({ changes }) => {
        await changes.append([change(`${id}.1`)]);
        if (id.endsWith('7')) throw new Error('rolled back');
        await changes.append([change(`${id}.2`)]);
      });
    const followed: number[] = [];
    const look = async () => {
      const rows = await store.changes.after(followed.at(-1) ?? 0, 7);
      followed.push(...rows.map((row) => row.seq));
      return rows.length > 0;
    };
    const follow = async () => {
      while (writing) {
        await look();
        // On SQLite nothing of a look waits, and others would have no turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (let more = true; more; ) more = await look();
    };
    const follower = follow();
    const done = await Promise.allSettled(Array.from({ length: 60 }, (_, index) => write(`${index}`)));
    writing = false;
    await follower;
    expect(done.filter((one) => one.status === 'rejected')).toHaveLength(6);
    const all = (await store.changes.after(0, 1_000)).map((row) => row.seq);
    expect(all).toHaveLength(2 * 54);
    expect(followed).toEqual(all);
    // What was rolled back may have left holes: they are nobody's gap.
    expect(await store.changes.bounds()).toEqual({ prunedThrough: 0, newest: all.at(-1) });
  });

  test('leave nothing behind when they fail', async () => {
    const database = await open();
    const store = new MirrorStore(database);
    const failing = transaction(database, async (tx) => {
      await tx.updateTable('change_feed').set({ pruned_through: 7 }).execute();
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    expect((await store.changes.bounds()).prunedThrough).toBe(0);
  });
});

test('words of SQL mean the same: texts alike in any case, and lists of nothing', async () => {
  const database = await open();
  await new MirrorStore(database).entities.put(['Ä-a', 'Ä-A', 'ä-a'].map((id) => entity(id)));
  const things = database.selectFrom('entity').select('id').orderBy('id');
  const ids = async (query: typeof things) => (await query.execute()).map((row) => row.id);
  expect(await ids(things.where('id', 'like', 'Ä-a'))).toEqual(['Ä-A', 'Ä-a']);
  expect(await ids(things.where('id', 'not like', 'Ä-%'))).toEqual(['ä-a']);
  expect(await ids(things.where('id', 'in', []))).toEqual([]);
  expect(await ids(things.where('version', 'in', []))).toEqual([]);
  expect(await ids(things.where('id', 'not in', []))).toHaveLength(3);
});

describe('the inbox', () => {
  const delivery = (dedupeKey: string | null, receivedAt: string, type = 'record.updated') => ({
    dedupeKey,
    receivedAt,
    events: [{ type, workspaceId: null, payload: '{"a":"\\u0000\\ud800"}' }],
    quarantined: [],
  });

  test('takes a message once, also among twins, until it is forgotten', async () => {
    const inbox = new InboxStore(await open());
    const accepted = async (key: string | null, at: string, since: string) =>
      (await inbox.accept([delivery(key, at), delivery(key, at)], since)).results.map(
        ({ accepted }) => accepted,
      );
    expect(await accepted('k', '2026-01-02', '2026-01-01')).toEqual([1, 0]);
    expect(await accepted('k', '2026-01-03', '2026-01-01')).toEqual([0, 0]);
    expect(await accepted('k', '2026-01-09', '2026-01-08')).toEqual([1, 0]);
    expect(await accepted(null, '2026-01-09', '2026-01-08')).toEqual([1, 1]);
    expect(await inbox.stats()).toEqual({ pending: 4, oldestReceivedAt: '2026-01-02' });
  });

  test('gives what is due, in the order of arrival, and takes what became of it', async () => {
    const database = await open();
    const inbox = new InboxStore(database);
    const letters = new DeadLettersStore(database);
    await inbox.accept(
      Array.from({ length: 4 }, () => delivery(null, AT)),
      AT,
    );
    const [one = 0, two = 0, three = 0, four = 0] = (await inbox.pending(AT, 0, new Set(), 10)).map(
      (row) => row.id,
    );
    expect([one, two, three, four].toSorted((a, b) => a - b)).toEqual([one, two, three, four]);
    await inbox.settle([{ id: one, outcome: 'done' }], AT);
    await inbox.retryLater(two, 1, '2026-01-02', 'later');
    const letter = {
      kind: 'inbox',
      reason: 'r',
      detail: 'd',
      eventType: 't',
      outboxId: null,
      bodyBase64: null,
    } as const;
    await inbox.bury(three, AT, { ...letter, eventId: three, attempts: 3, createdAt: AT });
    expect((await inbox.pending(AT, 0, new Set(), 10)).map((row) => row.id)).toEqual([four]);
    expect(await inbox.nextDueAt(AT)).toBe('2026-01-02');
    expect(await letters.counts()).toEqual({ inbox: 1, outbox: 0, notify: 0, automation: 0 });
    const { rows } = await letters.list('inbox', 0, 10);
    expect(rows).toMatchObject([{ eventId: three, attempts: 3 }]);
    await inbox.revive(three, Number(rows[0]?.id), AT);
    expect((await inbox.pending(AT, 0, new Set([four]), 10)).map((row) => row.id)).toEqual([three]);
    expect(await letters.newestId()).toBe(0);
  });

  test('keeps events whatever characters they hold', async () => {
    const database = await open();
    const inbox = new InboxStore(database);
    await inbox.accept([delivery('k', AT, 'with \0 and \ud800')], AT);
    const [row] = await inbox.pending(AT, 0, new Set(), 1);
    expect(JSON.parse(row?.payload ?? '')).toEqual({ a: '\0\ud800' });
    await inbox.retryLater(row?.id ?? 0, 1, AT, 'an error that says \0 and \udfff');
    expect(await inbox.pending(AT, 0, new Set(), 1)).toMatchObject([{ id: row?.id, attempts: 1 }]);
  });
});

test('what has outlived its use goes, the feed from its start', async () => {
  const database = await open();
  const store = new MirrorStore(database);
  const changes = [change('old'), { ...change('new'), at: '2026-02-01' }];
  await store.transaction((stores) => stores.changes.append(changes));
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
  const [kept] = await store.changes.after(0, 10);
  expect(kept?.id).toBe('new');
  expect(await store.changes.bounds()).toEqual({ prunedThrough: (kept?.seq ?? 0) - 1, newest: kept?.seq });
  expect(await store.records.countLive('people')).toBe(0);
});
