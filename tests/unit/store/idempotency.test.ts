import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { migrate, openDatabase } from '../../../src/store/database.ts';
import { IdempotencyStore } from '../../../src/store/idempotency.ts';
import { dropExpired } from '../../../src/store/retention.ts';

const AT = '2026-01-02T00:00:00.000Z';
const DAY_BEFORE = '2026-01-01T00:00:00.000Z';
const REPLY = { status: 202, contentType: 'application/json; charset=utf-8', body: '{"data":{"id":"a-1"}}' };

async function setUp() {
  const directory = await mkdtemp(join(tmpdir(), 'attio-bridge-'));
  const database = openDatabase(`sqlite:${join(directory, 'test.db')}`);
  onTestFinished(async () => {
    await database.destroy();
    await rm(directory, { recursive: true, force: true });
  });
  await migrate(database);
  const store = new IdempotencyStore(database);
  const begin = (scope: string, { fingerprint = 'f', at = AT, keptSince = DAY_BEFORE } = {}) =>
    store.begin({ scope, fingerprint, at, keptSince });
  return { database, store, begin };
}

describe('a request with a key', () => {
  test('begins once, runs, and has its reply', async () => {
    const { store, begin } = await setUp();
    expect(await begin('s')).toBeNull();
    expect(await begin('s', { fingerprint: 'other' })).toEqual({ fingerprint: 'f', reply: null });
    await store.finish('s', REPLY);
    expect(await begin('s')).toEqual({ fingerprint: 'f', reply: REPLY });
    expect(await begin('another')).toBeNull();
  });

  test('begins once of many at the same time', async () => {
    const { begin } = await setUp();
    const began = await Promise.all(Array.from({ length: 20 }, () => begin('s')));
    expect(began.filter((known) => known === null)).toHaveLength(1);
    expect(began.filter((known) => known !== null)).toEqual(
      Array(19).fill({ fingerprint: 'f', reply: null }),
    );
  });

  test('may have a reply without a body', async () => {
    const { store, begin } = await setUp();
    await begin('s');
    await store.finish('s', { status: 204, contentType: null, body: '' });
    expect((await begin('s'))?.reply).toEqual({ status: 204, contentType: null, body: '' });
  });

  test('that was released is new; one that has ended is not released any more', async () => {
    const { store, begin } = await setUp();
    await begin('s');
    await store.release('s');
    expect(await begin('s', { fingerprint: 'g' })).toBeNull();
    await store.finish('s', REPLY);
    await store.release('s');
    await store.finish('s', { ...REPLY, body: 'late' });
    expect(await begin('s')).toEqual({ fingerprint: 'g', reply: REPLY });
  });

  test('is forgotten when it is too old, in whichever state', async () => {
    const { store, begin } = await setUp();
    await begin('ended');
    await store.finish('ended', REPLY);
    await begin('runs');
    const justInTime = { keptSince: AT };
    expect(await begin('ended', justInTime)).toEqual({ fingerprint: 'f', reply: REPLY });
    const later = { at: '2026-01-03T00:00:00.001Z', keptSince: '2026-01-02T00:00:00.001Z', fingerprint: 'g' };
    for (const scope of ['ended', 'runs']) {
      expect(await begin(scope, later)).toBeNull();
      expect(await begin(scope, later)).toEqual({ fingerprint: 'g', reply: null });
    }
  });
});

test('what a crash has cut off is forgotten at the start, what has begun since is not', async () => {
  const { store, begin } = await setUp();
  await begin('ended');
  await store.finish('ended', REPLY);
  await begin('cut off');
  await begin('new', { at: '2026-01-02T00:00:01.000Z' });
  await store.clearRunning('2026-01-02T00:00:01.000Z');
  expect(await begin('ended')).toEqual({ fingerprint: 'f', reply: REPLY });
  expect(await begin('new')).toEqual({ fingerprint: 'f', reply: null });
  expect(await begin('cut off')).toBeNull();
});

test('replies that mention an erased id go, the others stay', async () => {
  const { store, begin } = await setUp();
  for (const id of ['a-1', 'a-2', 'a-3']) {
    await begin(id);
    await store.finish(id, { ...REPLY, body: `{"data":{"id":"${id}"}}` });
  }
  await begin('runs');
  await store.eraseMentioning([]);
  await store.eraseMentioning(['a-1', 'a-3', 'a-9']);
  expect(await begin('a-1')).toBeNull();
  expect((await begin('a-2'))?.reply?.body).toContain('a-2');
  expect(await begin('a-3')).toBeNull();
  expect(await begin('runs')).toEqual({ fingerprint: 'f', reply: null });
});

test('housekeeping drops what is too old', async () => {
  const { database, store, begin } = await setUp();
  await begin('old', { at: '2026-01-01T23:59:59.999Z' });
  await begin('kept');
  await store.finish('kept', REPLY);
  const cutoffs = {
    deliveries: AT,
    settledEvents: AT,
    keptEvents: AT,
    changes: AT,
    runs: AT,
    writes: AT,
    conflicts: AT,
  };
  const dropped = await dropExpired(
    database,
    { ...cutoffs, keyedRequests: AT, archived: AT },
    new AbortController().signal,
  );
  expect(dropped).toBe(1);
  const rows = await database.selectFrom('idempotency').select('scope').execute();
  expect(rows).toEqual([{ scope: 'kept' }]);
});
