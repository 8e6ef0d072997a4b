import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { type CompiledQuery, Kysely } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { removeItemsOf } from '../../../src/services/items/removal.ts';
import { ChangeDeliveriesStore } from '../../../src/store/change-deliveries.ts';
import { ChangeWebhooksStore } from '../../../src/store/change-webhooks.ts';
import { migrate } from '../../../src/store/database.ts';
import { NodeSqliteDialect } from '../../../src/store/node-sqlite.ts';
import type { Schema } from '../../../src/store/schema.ts';
import { MirrorStore } from '../../../src/store/store.ts';
import { task, write } from '../../support/stored-items.ts';

const AT = '2026-01-01T00:00:00.000Z';
/** What only grows: no statement on the way of a request may read all of it. */
const GROWING =
  /^SCAN (outbox|change|change_delivery|delivery|item|item_link|conflict|entity|echo)\b(?!.* INDEX outbox_pending)/;

let directory: string;
let database: Kysely<Schema>;
let store: MirrorStore;
let deliveries: ChangeDeliveriesStore;
let webhooks: ChangeWebhooksStore;
let plans: DatabaseSync;
const asked: CompiledQuery[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'attio-bridge-'));
  const path = join(directory, 'test.db');
  database = new Kysely<Schema>({
    dialect: new NodeSqliteDialect(path),
    log: ({ query }) => {
      asked.push(query);
    },
  });
  await migrate(database);
  store = new MirrorStore(database);
  deliveries = new ChangeDeliveriesStore(database);
  webhooks = new ChangeWebhooksStore(database);
  plans = new DatabaseSync(path);
});

afterAll(async () => {
  plans.close();
  await database.destroy();
  await rm(directory, { recursive: true, force: true });
});

beforeEach(() => {
  asked.length = 0;
});

/** How SQLite goes about what was asked since the test began. */
function steps(): string[] {
  const statements = asked.filter(({ sql }) => /^(select|update|delete) /.test(sql));
  expect(statements).not.toEqual([]);
  return statements.flatMap(({ sql, parameters }) =>
    plans
      .prepare(`explain query plan ${sql}`)
      .all(...(parameters as SQLInputValue[])) // as they were bound
      .map((row) => String(row['detail'])),
  );
}

describe('by index, whatever else is kept:', () => {
  const entries = { kind: 'entries', listId: 'l' } as const;
  const notes = { kind: 'notes', listId: null } as const;
  const ANY = { inHand: new Set<number>(), held: [] };

  test.each<[string, () => Promise<unknown>]>([
    ['what is due', () => store.outbox.due(AT, ANY, 10)],
    ['what is pending of things', () => store.outbox.pendingOf('people', ['a', 'b'])],
    ['what is cancelled of things', () => store.outbox.cancelOf('people', ['a', 'b'], AT)],
    ['what becomes of another thing', () => store.outbox.redirect('people', 'a', 'b')],
    ['the last failure of a thing', () => store.outbox.lastFailureOf('people', 'a')],
    ['whether a thing is to be deleted', () => store.outbox.isToBeDeleted('people', 'a', 0)],
    [
      'what is erased of a thing',
      () => store.erasure.erase({ object: 'people', entityIds: ['a', 'b'], recordIds: ['r'], keys: [] }),
    ],
    ['what is to be pushed', () => deliveries.due('w', AT, new Set(), 10)],
    ['when something is to be pushed', () => deliveries.nextDueAt('w', AT)],
    ['how much is laid out to be pushed', () => deliveries.countPending('w')],
    ['whether there are changes to be laid out', () => webhooks.look('w')],
    ['how an address fares', () => webhooks.list()],
    ['what is remembered of our writes', () => store.echoes.of('people', ['r', 's'])],
    ['whether a record is being written', () => store.echoes.pendingAmong('people', ['r', 's'])],
    ['whether an item is being written', () => store.echoes.pendingAmong('tasks', ['a', 'b'])],
    ['whether anything of a kind is being written', () => store.echoes.isPending('people')],
    ['what is erased of items', () => store.erasure.eraseItems('notes', ['a', 'b'])],
  ])('%s', async (_, ask) => {
    await ask();
    expect(steps().filter((step) => GROWING.test(step))).toEqual([]);
  });

  test('what waits to be made, without those that are made', async () => {
    await store.items.unlinked('tasks', [{ recordId: 'r', entityId: null }]);
    await store.items.unlinkedAboutNothing('tasks');
    const ofItems = steps().filter((step) => /\bitem\b/.test(step));
    expect(ofItems).toEqual(Array(2).fill('SEARCH item USING INDEX item_unlinked (kind=?)'));
  });

  test('what a full sync has not seen, without the rows of what it has', async () => {
    await store.items.liveIds(notes, AT, '', 10);
    await store.items.liveIds(entries, AT, '', 10);
    expect(steps()).toEqual([
      'SEARCH item USING COVERING INDEX item_live (kind=? AND attio_id>?)',
      'SEARCH item USING INDEX item_live_list (list_id=? AND kind=? AND attio_id>?)',
    ]);
  });

  test('the letters of what is cancelled', async () => {
    const id = await store.outbox.add(write('a'));
    asked.length = 0;
    expect(await store.outbox.cancelOf('tasks', ['a'], AT)).toEqual([id]);
    expect(steps()).toContain('SEARCH dead_letter USING INDEX dead_letter_outbox (outbox_id=?)');
  });
});

test('erasing what hangs on a thing takes hardly more statements for many items than for few', async () => {
  const statements: number[] = [];
  for (const count of [3, 90]) {
    const ids = Array.from({ length: count }, (_, index) => `${count}-${index}`);
    await store.items.put(ids.map((id) => task(id, [`record-${count}`], { attioId: id })));
    for (const id of ids) await store.outbox.add(write(id));
    asked.length = 0;
    const removed = { recordIds: [`record-${count}`], entityIds: [] };
    await store.transaction((stores) => removeItemsOf(stores, removed, true, AT));
    statements.push(asked.length);
  }
  // Rows are inserted in few statements of few sizes.
  expect(statements[1]).toBeLessThan((statements[0] ?? 0) + 5);
});
