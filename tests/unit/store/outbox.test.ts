import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NewOutboxRow } from '../../../src/domain/outbox.ts';
import { type Database, migrate, openDatabase } from '../../../src/store/database.ts';
import { DeadLettersStore } from '../../../src/store/dead-letters.ts';
import { OutboxStore } from '../../../src/store/outbox.ts';

const [T0, T1, T2] = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.000Z', '2026-01-01T00:00:02.000Z'];
const NONE: ReadonlySet<number> = new Set();

let database: Database;
let outbox: OutboxStore;

beforeEach(async () => {
  database = openDatabase('sqlite::memory:');
  await migrate(database);
  outbox = new OutboxStore(database);
});

afterEach(() => database.destroy());

function row(entityId: string, more: Partial<NewOutboxRow> = {}): NewOutboxRow {
  return {
    operation: 'upsert',
    kind: 'people',
    entityId,
    key: `${entityId}@a.example`,
    intent: { job_title: 'Secret' },
    base: { job_title: 'Older secret' },
    externalIdBefore: 'x1',
    acceptedAt: T0,
    afterId: null,
    batch: null,
    ...more,
  };
}

async function due(now: string = T1, inHand: ReadonlySet<number> = NONE, limit = 10): Promise<number[]> {
  return (await outbox.due(now, { inHand, held: [] }, limit)).map(({ id }) => id);
}

async function die(id: number): Promise<number> {
  await outbox.settle(id, 'dead', T1, { code: 'no', detail: 'No.' });
  const common = { kind: 'outbox', reason: 'no', detail: 'No.', eventId: null, bodyBase64: null } as const;
  await outbox.bury({ ...common, outboxId: id, eventType: 'people.upsert', attempts: 1, createdAt: T1 });
  const [letter] = (await new DeadLettersStore(database).list('outbox', 0, 10)).rows;
  return Number(letter?.id);
}

describe('what is due', () => {
  test('is the first of each thing, the oldest first', async () => {
    const [a1, b1, a2] = [await outbox.add(row('a')), await outbox.add(row('b')), await outbox.add(row('a'))];
    expect(await due()).toEqual([a1, b1]);
    await outbox.settle(a1, 'done', T1, null);
    expect(await due()).toEqual([b1, a2]);
  });

  test('of a company with the id of a person is something else', async () => {
    const ids = [await outbox.add(row('a')), await outbox.add(row('a', { kind: 'companies' }))];
    expect(await due()).toEqual(ids);
  });

  test('is not what is in hand, nor what stands behind it', async () => {
    const [a1] = [await outbox.add(row('a')), await outbox.add(row('a'))];
    const b1 = await outbox.add(row('b'));
    expect(await due(T1, new Set([a1]))).toEqual([b1]);
    expect(await due(T1, new Set([a1]), 1)).toEqual([b1]);
  });

  test('is not what waits for its retry, nor what stands behind it', async () => {
    const [a1, a2] = [await outbox.add(row('a')), await outbox.add(row('a'))];
    const b1 = await outbox.add(row('b'));
    await outbox.retryLater(a1, 1, T2);
    expect([await due(T1), await outbox.nextDueAt(T1)]).toEqual([[b1], T2]);
    expect(await due(T2)).toEqual([a1, b1]);
    await outbox.settle(a1, 'refused', T2, null);
    expect(await due(T2)).toEqual([a2, b1]);
  });

  test.each(['done', 'dead', 'refused', 'cancelled'] as const)(
    'is what waits for another thing when that is %s',
    async (outcome) => {
      const company = await outbox.add(row('c', { kind: 'companies' }));
      const contact = await outbox.add(row('a', { afterId: company }));
      expect(await due()).toEqual([company]);
      await outbox.retryLater(company, 1, T2);
      expect(await due()).toEqual([]);
      await outbox.settle(company, outcome, T1, null);
      expect(await due()).toEqual([contact]);
    },
  );
});

describe('a row', () => {
  test('is read as it was added', async () => {
    const batch = { id: 'b1', index: 3 };
    const id = await outbox.add(row('a', { batch, externalIdBefore: undefined }));
    expect(await outbox.get(id)).toEqual({
      ...row('a', { batch, externalIdBefore: undefined }),
      id,
      sentAt: null,
      conflictId: null,
      attempts: 0,
      status: 'pending',
    });
    expect((await outbox.pendingOf('people', ['a', 'b'])).get('a')).toHaveLength(1);
    expect(await outbox.stats()).toEqual({ pending: 1, oldestAcceptedAt: T0 });
  });

  test('is settled once, and holds no values then', async () => {
    const id = await outbox.add(row('a'));
    expect(await outbox.settle(id, 'done', T1, null)).toBe(true);
    expect(await outbox.settle(id, 'dead', T1, null)).toBe(false);
    await outbox.retryLater(id, 5, T2);
    expect(await outbox.get(id)).toMatchObject({
      status: 'done',
      intent: {},
      base: {},
      key: null,
      attempts: 0,
    });
    expect(JSON.stringify(await database.selectFrom('outbox').selectAll().execute())).not.toMatch(/ecret|x1/);
    expect((await outbox.pendingOf('people', ['a'])).size).toBe(0);
    expect(await outbox.stats()).toEqual({ pending: 0, oldestAcceptedAt: null });
  });

  test('that is dead keeps its values, and is taken back as new, without its letter', async () => {
    const id = await outbox.add(row('a'));
    await outbox.retryLater(id, 7, T2);
    const letter = await die(id);
    expect(await outbox.get(id)).toMatchObject({ status: 'dead', intent: { job_title: 'Secret' } });
    expect(await outbox.revive(id, letter, T2)).toBe(true);
    expect(await outbox.get(id)).toMatchObject({ status: 'pending', attempts: 0, acceptedAt: T2 });
    expect((await new DeadLettersStore(database).list('outbox', 0, 10)).rows).toEqual([]);
    expect(await outbox.revive(id, letter, T2)).toBe(false);
    expect(await due(T2)).toEqual([id]);
  });

  test('keeps another external id for its end, while it has one', async () => {
    const id = await outbox.add(row('a'));
    await outbox.setExternalIdBefore(id, 'x0');
    expect((await outbox.get(id))?.externalIdBefore).toBe('x0');
    await outbox.settle(id, 'done', T1, null);
    await outbox.setExternalIdBefore(id, 'x9');
    expect((await outbox.get(id))?.externalIdBefore).toBeUndefined();
  });
});

describe('the rows of a thing', () => {
  test('become those of another, when they are not settled', async () => {
    const [one, two, dead] = [
      await outbox.add(row('a')),
      await outbox.add(row('a')),
      await outbox.add(row('a')),
    ];
    const other = await outbox.add(row('a', { kind: 'companies' }));
    await outbox.settle(one, 'done', T1, null);
    await die(dead);
    await outbox.redirect('people', 'a', 'b');
    const owners = await Promise.all(
      [one, two, dead, other].map(async (id) => (await outbox.get(id))?.entityId),
    );
    expect(owners).toEqual(['a', 'b', 'b', 'a']);
  });

  test('are cancelled with their letters, and hold no values then', async () => {
    const [one, dead] = [await outbox.add(row('a')), await outbox.add(row('a'))];
    const other = await outbox.add(row('b', { intent: {}, base: {}, externalIdBefore: undefined }));
    await die(dead);
    expect(await outbox.cancelOf('people', ['a'], T2)).toEqual([one]);
    expect(await outbox.settle(one, 'done', T2, null)).toBe(false);
    expect((await new DeadLettersStore(database).list('outbox', 0, 10)).rows).toEqual([]);
    expect(JSON.stringify(await database.selectFrom('outbox').selectAll().execute())).not.toMatch(/ecret|x1/);
    expect(await due()).toEqual([other]);
  });

  test('say whether the record is to be deleted', async () => {
    expect(await outbox.isToBeDeleted('people', 'a', 0)).toBe(false);
    const id = await outbox.add(row('a', { operation: 'delete' }));
    await outbox.settle(id, 'done', T1, null);
    expect(await outbox.isToBeDeleted('people', 'a', 0)).toBe(true);
    expect(await outbox.isToBeDeleted('people', 'a', id)).toBe(false);
    expect(await outbox.isToBeDeleted('companies', 'a', 0)).toBe(false);
  });
});
