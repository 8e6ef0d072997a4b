import { expect, onTestFinished, test } from 'vitest';
import type { NewConflict } from '../../src/domain/conflicts.ts';
import { type Database, migrate, openDatabase } from '../../src/store/database.ts';
import { InboxStore } from '../../src/store/inbox.ts';
import { dropExpired } from '../../src/store/retention.ts';
import { MirrorStore } from '../../src/store/store.ts';
import { freshDatabase } from '../support/engines.ts';

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

const [T1, T2, T3, T4] = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'] as const;

test('a hint is remembered from its receipt on, and counts for who had not heard of it', async () => {
  const inbox = new InboxStore(await open());
  const hint = async (receivedAt: string, subjectId: string, attributeId: string) => {
    const event = {
      type: 'record.updated',
      workspaceId: null,
      payload: '{}',
      subjectId,
      attributeId,
    };
    await inbox.accept([{ dedupeKey: null, receivedAt, events: [event], quarantined: [] }], T1);
  };
  await hint(T1, 'ada', 'title');
  await hint(T2, 'ada', 'title');
  await hint(T3, 'ada', 'other');
  await hint(T3, 'bela', 'title');
  await inbox.accept(
    [
      {
        dedupeKey: null,
        receivedAt: T4,
        events: [{ type: 'record.updated', workspaceId: null, payload: '{}' }],
        quarantined: [],
      },
    ],
    T1,
  );
  // Nobody has looked yet: it is the last that tells.
  expect(await inbox.hintedAt('ada', 'title', T4)).toBe(T2);
  expect(await inbox.hintedAt('ada', 'none', T1)).toBeNull();
  const rows = await inbox.pending(T4, 0, new Set(), 10);
  await inbox.settle([{ id: rows[0]?.id ?? 0, outcome: 'done' }], T2);
  await inbox.settle([{ id: rows[1]?.id ?? 0, outcome: 'done' }], T3);
  // What was looked into before is what was agreed on, not what came after.
  expect(await inbox.hintedAt('ada', 'title', T2)).toBe(T2);
  expect(await inbox.hintedAt('ada', 'title', T3)).toBeNull();
  expect(await inbox.hintedAt('bela', 'title', T4)).toBe(T3);
});

test('conflicts are kept while they are open, and from their settling on', async () => {
  const database = await open();
  const { conflicts } = new MirrorStore(database);
  const conflict = (field: string, more: Partial<NewConflict>): NewConflict => {
    const subject = { object: 'people', entityId: 'ada', recordId: 'ada' };
    const values = { base: null, local: 'Ours', attio: 'Theirs', wanted: ['Ours'] };
    const opened = { decided: null, status: 'open', reason: 'manual', at: T1 } as const;
    return { ...subject, field, ...values, ...opened, ...more };
  };
  await conflicts.append([
    conflict('decided early', { decided: 'attio', status: 'resolved' }),
    conflict('open', {}),
    conflict('settled late', {}),
    conflict('settled early', {}),
  ]);
  // One at most is open of each field.
  await expect(conflicts.append([conflict('open', {})])).rejects.toThrow();
  const byField = new Map(
    (await conflicts.openOf('people', ['ada'])).get('ada')?.map((one) => [one.field, one.id]),
  );
  const close = (field: string, at: string) =>
    conflicts.close(Number(byField.get(field)), {
      decided: 'merged',
      reason: 'resolved',
      at,
      merged: 'Both',
    });
  expect([await close('settled late', T4), await close('settled early', T2)]).toEqual([true, true]);
  expect([await close('settled late', T4), await conflicts.countOpen()]).toEqual([false, 1]);
  const cutoffs = [
    'deliveries',
    'settledEvents',
    'keptEvents',
    'changes',
    'runs',
    'writes',
    'conflicts',
    'keyedRequests',
  ];
  await dropExpired(
    database,
    Object.fromEntries(cutoffs.map((name) => [name, T3])) as unknown as Parameters<typeof dropExpired>[1], // all of them
    new AbortController().signal,
  );
  const { rows } = await conflicts.list(null, 0, 10);
  expect(rows).toMatchObject([
    { field: 'open', status: 'open', decided: null, resolvedAt: null, merged: undefined, wanted: ['Ours'] },
    { field: 'settled late', status: 'resolved', decided: 'merged', resolvedAt: T4, merged: 'Both' },
  ]);
});
