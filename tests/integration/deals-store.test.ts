import { describe, expect, onTestFinished, test } from 'vitest';
import type { DealFacts, EntityRow } from '../../src/domain/entities.ts';
import { blankFacts, keysOf } from '../../src/domain/entities.ts';
import type { NewOutboxRow } from '../../src/domain/outbox.ts';
import { type Database, migrate, openDatabase } from '../../src/store/database.ts';
import { dropExpired } from '../../src/store/retention.ts';
import { MirrorStore } from '../../src/store/store.ts';
import { deal, startDeals } from '../support/deals.ts';
import { freshDatabase } from '../support/engines.ts';
import { until } from '../support/service.ts';
import { quiet } from '../support/writes.ts';

const [T0, T1] = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.000Z'];

async function open(): Promise<{ database: Database; store: MirrorStore }> {
  const fresh = await freshDatabase();
  const database = openDatabase(fresh.url);
  onTestFinished(async () => {
    await database.destroy();
    await fresh[Symbol.asyncDispose]();
  });
  await migrate(database);
  return { database, store: new MirrorStore(database) };
}

function row(id: string, facts: Partial<DealFacts>, more: Partial<EntityRow> = {}): EntityRow {
  const all = { ...(blankFacts('deals') as DealFacts), ...facts };
  return {
    kind: 'deals',
    id,
    recordId: id,
    externalId: null,
    webUrl: null,
    facts: all,
    keys: keysOf(all),
    version: 1,
    createdAt: T0,
    updatedAt: T0,
    deletedAt: null,
    mergedInto: null,
    syncFailure: null,
    ...more,
  };
}

const LEAD = { id: 's1', title: 'Lead' };
const euros = (amount: number) => ({ amount, currencyCode: 'EUR' });

describe('deals in the database', () => {
  test('are counted and added up by stage, the living alone', async () => {
    const { store } = await open();
    await store.entities.put([
      row('a', { stage: LEAD, value: euros(0.1) }),
      row('b', { stage: LEAD, value: euros(0.2) }),
      row('c', { stage: LEAD }),
      row('d', { stage: { id: 's2', title: 'Won' }, value: euros(10) }),
      row('e', { stage: { id: 's2', title: 'Won' }, value: { amount: 5, currencyCode: 'USD' } }),
      row('f', { stage: { id: null, title: 'Lost' } }),
      row('g', { stage: LEAD, value: euros(99) }, { deletedAt: T1 }),
      row('h', {}),
    ]);
    expect(await store.entities.stageTotals('deals')).toEqual([
      { stageId: 's1', title: 'Lead', count: 3, valueTotal: 0.3, currencyCode: 'EUR' },
      { stageId: null, title: 'Lost', count: 1, valueTotal: 0, currencyCode: null },
      { stageId: 's2', title: 'Won', count: 2, valueTotal: 15, currencyCode: null },
    ]);
  });

  test('are listed by the title or the id of their stage, page by page', async () => {
    const { store } = await open();
    await store.entities.put(['a', 'b', 'c'].map((id) => row(id, { stage: LEAD })));
    await store.entities.put([row('d', { stage: { id: 's2', title: 'Won' } })]);
    const ids = async (stage: string, after: string, limit: number) =>
      (await store.entities.listByStage('deals', stage, after, limit)).map(({ id }) => id);
    expect(await ids('Lead', '', 2)).toEqual(['a', 'b']);
    expect(await ids('s1', 'b', 2)).toEqual(['c']);
    // A deal moves on.
    await store.entities.put([row('a', { stage: { id: 's2', title: 'Won' } })]);
    expect([await ids('Lead', '', 9), await ids('Won', '', 9)]).toEqual([
      ['b', 'c'],
      ['a', 'd'],
    ]);
  });

  test('are found by their external id as it is', async () => {
    const { store } = await open();
    await store.entities.put([row('a', { externalId: 'Order:1' }), row('b', { externalId: 'order:1' })]);
    const found = await store.entities.findByKey('deals', 'Order:1');
    expect(found).toMatchObject([{ id: 'a', keys: ['Order:1'], externalId: null }]);
  });
});

test('a write waits for all that it was told to, whatever their order; nothing is left of that', async () => {
  const { database, store } = await open();
  const { outbox } = store;
  const write = (entityId: string, more: Partial<NewOutboxRow> = {}): NewOutboxRow => ({
    operation: 'upsert',
    kind: 'people',
    entityId,
    key: entityId,
    intent: {},
    base: {},
    externalIdBefore: undefined,
    acceptedAt: T0,
    afterId: null,
    batch: null,
    ...more,
  });
  const due = async () => (await outbox.due(T1, { inHand: new Set(), held: [] }, 10)).map(({ id }) => id);
  const [a, b, c] = [
    await outbox.add(write('a')),
    await outbox.add(write('b')),
    await outbox.add(write('c', { kind: 'companies' })),
  ];
  const last = await outbox.add(write('d', { kind: 'deals', afterId: a, alsoAfter: [b, c] }));
  for (const [id, outcome] of [
    [c, 'done'],
    [a, 'refused'],
    [b, 'dead'],
  ] as const) {
    expect(await due()).not.toContain(last);
    await outbox.settle(id, outcome, T0, null);
  }
  expect(await due()).toEqual([last]);
  await outbox.settle(last, 'done', T0, null);
  const far = { writes: T1, deliveries: T0, settledEvents: T0, keptEvents: T0, changes: T0, runs: T0 };
  await dropExpired(
    database,
    { ...far, conflicts: T0, keyedRequests: T0, archived: T0 },
    new AbortController().signal,
  );
  expect(await database.selectFrom('outbox_wait').selectAll().execute()).toEqual([]);
  expect(await database.selectFrom('outbox').select('id').execute()).toEqual([{ id: b }]);
});

test('deals that were mirrored before there were things of them become things', async () => {
  await using service = await startDeals({ sandbox: { people: 2, companies: 1, deals: 3 } });
  await service.sync('deals');
  await quiet(service);
  const list = async () =>
    (await service.get<{ data: { id: string; version: number }[] }>('/v1/deals')).body.data;
  const before = await list();
  expect(before).toHaveLength(3);
  await service.stop();
  const database = openDatabase(service.env['DATABASE_URL'] ?? '');
  await database.deleteFrom('entity_key').where('kind', '=', 'deals').execute();
  await database.deleteFrom('entity').where('kind', '=', 'deals').execute();
  await database.destroy();
  await service.start();
  const cursor = await service.latest();
  await until(async () => (await list()).length === 3);
  expect((await list()).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  expect(await deal(service, before[0]?.id ?? '')).toMatchObject({ name: expect.stringContaining('Deal') });
  expect((await service.changes(cursor)).data).toEqual([]);
});
