import { describe, expect, onTestFinished, test } from 'vitest';
import type { Item } from '../../src/domain/items.ts';
import { migrate, openDatabase } from '../../src/store/database.ts';
import { MirrorStore } from '../../src/store/store.ts';
import { freshDatabase } from '../support/engines.ts';
import { task, write } from '../support/stored-items.ts';

const AT = '2026-01-01T00:00:00.000Z';

async function open() {
  const fresh = await freshDatabase();
  const database = openDatabase(fresh.url);
  onTestFinished(async () => {
    await database.destroy();
    await fresh[Symbol.asyncDispose]();
  });
  await migrate(database);
  return { store: new MirrorStore(database), rows: fresh.rows };
}

const idsOf = (items: readonly Item[]) => items.map((item) => item.id);

describe('what waits to be made', () => {
  test('is found by as many records as a page of tasks may be about, each item once, the oldest first', async () => {
    const { store } = await open();
    await store.items.put([
      task('late', ['record-2999'], { createdAt: '2026-01-03T00:00:00.000Z' }),
      task('early', ['record-0', 'record-700', 'record-1400'], { createdAt: '2026-01-02T00:00:00.000Z' }),
      task('first', ['record-2500']),
      task('of another', ['record-3000']),
      task('about nothing', []),
      task('made', ['record-0'], { attioId: 'attio-1' }),
      task('gone', ['record-0'], { deletedAt: AT }),
    ]);
    const records = Array.from({ length: 6_000 }, (_, index) => {
      return { recordId: `record-${index % 3_000}`, entityId: null };
    });
    expect(idsOf(await store.items.unlinked('tasks', records))).toEqual(['first', 'early', 'late']);
    expect(idsOf(await store.items.unlinked('notes', records))).toEqual([]);
    expect(idsOf(await store.items.unlinkedAboutNothing('tasks'))).toEqual(['about nothing']);
  });

  test('is found by our id of a thing that has no record yet', async () => {
    const { store } = await open();
    const links = [{ object: 'people', recordId: null, entityId: 'ours' }];
    await store.items.put([task('a', [], { links }), task('b', ['record-b'])]);
    const both = [
      { recordId: null, entityId: 'ours' },
      { recordId: 'record-b', entityId: 'theirs' },
    ];
    expect(idsOf(await store.items.unlinked('tasks', both.slice(0, 1)))).toEqual(['a']);
    expect(idsOf(await store.items.unlinked('tasks', both)).toSorted()).toEqual(['a', 'b']);
    expect(await store.items.unlinked('tasks', [{ recordId: null, entityId: null }])).toEqual([]);
    expect(await store.items.unlinked('tasks', [])).toEqual([]);
  });
});

test('what is on its way for many things is forgotten at once, and nothing of others', async () => {
  const { store, rows } = await open();
  const ids = Array.from({ length: 1_200 }, (_, index) => `task-${index}`);
  const pending: number[] = [];
  await store.transaction(async ({ outbox, items }) => {
    await items.put(['other', ...ids].map((id) => task(id, ['record-1'])));
    for (const id of ids) pending.push(await outbox.add(write(id)));
    await outbox.add(write('other'));
    await outbox.add({ ...write('task-0'), kind: 'notes' });
    const refused = await outbox.add(write('task-7'));
    await outbox.settle(refused, 'refused', AT, { code: 'no', detail: 'Quotes it.' });
  });
  expect(await store.outbox.cancelOf('tasks', ids, AT)).toEqual(pending);
  expect(await store.outbox.cancelOf('tasks', [], AT)).toEqual([]);
  await store.items.removeAll('tasks', ids);
  expect(await rows("select kind, entity_id from outbox where status = 'pending' order by id")).toEqual([
    { kind: 'tasks', entity_id: 'other' },
    { kind: 'notes', entity_id: 'task-0' },
  ]);
  expect(await rows('select id from outbox where error_json is not null')).toEqual([]);
  expect(await rows('select id from item')).toEqual([{ id: 'other' }]);
  expect(await rows('select item_id from item_link')).toEqual([{ item_id: 'other' }]);
});
