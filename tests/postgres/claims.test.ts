import { expect, test } from 'vitest';
import { type Owner, takeRows } from '../../src/store/claims.ts';
import { InboxStore } from '../../src/store/inbox.ts';
import { InstancesStore } from '../../src/store/instances.ts';
import { takeEvents } from '../../src/store/subjects.ts';
import { openFresh } from '../support/opened-database.ts';

const AT = '2026-01-01T00:00:00.000Z';

test('an instance that loses what it has found to others looks on, while there is more', async () => {
  const { database: db } = await openFresh('postgres');
  const instances = new InstancesStore(db);
  for (const id of ['winner', 'loser']) await instances.register(id, 60_000);
  const event = { type: 'record.updated', workspaceId: null, payload: '{}' };
  const delivery = { dedupeKey: null, receivedAt: AT, events: [event, event, event], quarantined: [] };
  await new InboxStore(db, null).accept([delivery], AT, false);
  const all = await db.selectFrom('inbox').select(['id', 'claimed_by']).orderBy('id').execute();
  const won = await new InboxStore(db, { id: 'winner' }).pending(AT, 0, new Set(), 2);
  expect(won).toHaveLength(2);
  // What it has found each time is what the other one has taken by then.
  let looks = 0;
  const find = async () => {
    looks += 1;
    return looks <= 8 ? all.slice(0, 2) : all.slice(2);
  };
  const claim = (owner: Owner, ids: readonly number[]): Promise<typeof all> => takeEvents(db, owner, ids);
  const taken = await takeRows({ id: 'loser' }, find, claim);
  expect(taken.map(({ id }) => Number(id))).toEqual(all.slice(2).map(({ id }) => Number(id)));
});
