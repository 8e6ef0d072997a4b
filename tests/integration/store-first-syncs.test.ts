import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { ItemKind } from '../../src/domain/items.ts';
import { NO_COUNTS } from '../../src/domain/sync-runs.ts';
import { migrate, openDatabase } from '../../src/store/database.ts';
import { ItemsStore } from '../../src/store/items.ts';
import { changeWebhooks } from '../../src/store/migrations/011-change-webhooks.ts';
import { SyncRunsStore } from '../../src/store/sync-runs.ts';
import { freshDatabase } from '../support/engines.ts';
import { task } from '../support/stored-items.ts';

const AT = '2026-01-01T00:00:00.000Z';

function item(id: string, kind: ItemKind, listId: string) {
  return task(id, [], { kind, listId, attioId: id, isCompleted: null });
}

test('what was synced before there were pushes counts as synced', async () => {
  await using fresh = await freshDatabase();
  const database = openDatabase(fresh.url);
  await migrate(database);
  for (const table of ['change_webhook', 'change_delivery', 'first_sync']) {
    await database.schema.dropTable(table).execute();
  }
  await database.schema.alterTable('dead_letter').dropColumn('delivery_id').execute();
  const runs = new SyncRunsStore(database);
  for (const [object, status] of [
    ['people', 'succeeded'],
    ['people', 'failed'],
    ['deals', 'failed'],
    ['lists/recruiting', 'succeeded'],
    ['all', 'succeeded'],
  ] as const) {
    const runId = `${object} ${status}`;
    await runs.start({
      ...NO_COUNTS,
      runId,
      object,
      status,
      startedAt: AT,
      finishedAt: AT,
      error: null,
      force: false,
      parentRunId: null,
    });
  }
  await new ItemsStore(database).put([
    item('one', 'entries', 'list-1'),
    item('two', 'entries', 'list-1'),
    item('three', 'comments', 'list-2'),
  ]);
  await changeWebhooks.up(database as never); // a migration knows no tables
  const { rows } = await sql<{ scope: string }>`select scope from first_sync order by scope`.execute(
    database,
  );
  expect(rows.map(({ scope }) => scope)).toEqual(['lists/list-1', 'people']);
  await database.destroy();
});
