import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Conflict } from '../../../src/domain/conflicts.ts';
import { settleByWrite, takeBackDecision } from '../../../src/services/conflicts/deciding.ts';
import { mustStillBeOpen, passOnConflicts, recordConflicts } from '../../../src/services/conflicts/open.ts';
import type { PlannedConflict } from '../../../src/services/outbox/plan.ts';
import { type Database, migrate, openDatabase } from '../../../src/store/database.ts';
import { MirrorStore } from '../../../src/store/store.ts';

const AT = '2026-01-01T00:00:00.000Z';
let database: Database;
let stores: MirrorStore;

beforeEach(async () => {
  database = openDatabase('sqlite::memory:');
  await migrate(database);
  stores = new MirrorStore(database);
});
afterEach(async () => {
  await database.destroy();
});

const planned = (field: string, local: string, heldBy: string | null = null): PlannedConflict => {
  const values = { base: 'Agreed', local, attio: 'Theirs', wanted: local };
  return { field, ...values, decided: 'open', reason: 'manual', heldBy };
};
const subject = (entityId: string) => ({ object: 'people', entityId, recordId: `${entityId}-record` });

async function open(entityId: string, field = 'job_title', local = 'Ours'): Promise<Conflict> {
  await recordConflicts(stores, subject(entityId), { conflicts: [planned(field, local)], agreed: [] }, AT);
  const found = (await stores.conflicts.openOf('people', [entityId])).get(entityId) ?? [];
  const one = found.find((each) => each.field === field);
  if (one === undefined) throw new Error('it was not opened');
  return one;
}

async function all(): Promise<string[]> {
  const { rows } = await stores.conflicts.list(null, 0, 100);
  return rows.map(({ entityId, field, local, status, reason }) =>
    [entityId, field, local, status, reason].join(' '),
  );
}

describe('open conflicts', () => {
  it('are one of each field of a thing, however often they are met', async () => {
    const first = await open('a');
    expect((await open('a', 'job_title', 'Ours again')).id).toBe(first.id);
    await open('a', 'description');
    await open('b');
    expect(await all()).toEqual([
      'a job_title Ours again open manual',
      'a description Ours open manual',
      'b job_title Ours open manual',
    ]);
    expect(await stores.conflicts.openAmong('people', ['a', 'b', 'c'])).toEqual(
      new Map([
        ['a', 2],
        ['b', 1],
      ]),
    );
    expect(await stores.conflicts.openAmong('companies', ['a'])).toEqual(new Map());
  });

  it('of a thing that was merged away are those of the survivor, unless that has one of the field', async () => {
    await open('dead');
    await open('dead', 'description', 'Of the dead');
    await open('survivor', 'description', 'Of the survivor');
    const to = { entityId: 'survivor', recordId: 'survivor-record', read: null };
    await passOnConflicts(stores, 'people', 'dead', to, AT);
    expect(await all()).toEqual([
      'survivor job_title Ours open manual',
      'dead description Of the dead resolved merged_in_attio',
      'survivor description Of the survivor open manual',
    ]);
  });

  it('that were settled since a write was held against them hold it up no more: it is looked at again', async () => {
    const { id } = await open('a');
    await mustStillBeOpen(stores, [planned('job_title', 'Ours', id), planned('description', 'Ours')]);
    await stores.conflicts.close(Number(id), { decided: 'attio', reason: 'resolved', at: AT });
    await expect(mustStillBeOpen(stores, [planned('job_title', 'Ours', id)])).rejects.toMatchObject({
      kind: 'unavailable',
      isolated: true,
    });
  });
});

describe('a decision', () => {
  const decide = (id: string, more = {}) =>
    stores.conflicts.close(Number(id), { decided: 'local', reason: 'resolved', at: AT, ...more });

  it('is one: the second finds it closed', async () => {
    const { id } = await open('a');
    expect([await decide(id), await decide(id)]).toEqual([true, false]);
  });

  it('that cannot be written is taken back, and made good by the write when it is replayed', async () => {
    const { id } = await open('a');
    await decide(id, { decided: 'merged', merged: null });
    await takeBackDecision(stores, { conflictId: Number(id) });
    expect(await stores.conflicts.get(Number(id))).toMatchObject({
      status: 'open',
      decided: null,
      reason: 'refused',
    });
    await settleByWrite(stores, { conflictId: Number(id) }, AT);
    expect(await stores.conflicts.get(Number(id))).toMatchObject({
      status: 'resolved',
      decided: 'merged',
      merged: null,
    });
  });

  it('is left as it is when a newer conflict of the field waits', async () => {
    const { id } = await open('a');
    await decide(id);
    const newer = await open('a', 'job_title', 'Newer');
    await takeBackDecision(stores, { conflictId: Number(id) });
    expect((await stores.conflicts.get(Number(id)))?.status).toBe('resolved');
    expect((await stores.conflicts.openOf('people', ['a'])).get('a')?.map((one) => one.id)).toEqual([
      newer.id,
    ]);
  });

  it('of no conflict is nothing', async () => {
    await takeBackDecision(stores, { conflictId: null });
    await settleByWrite(stores, { conflictId: 99 }, AT);
    expect(await all()).toEqual([]);
  });
});
