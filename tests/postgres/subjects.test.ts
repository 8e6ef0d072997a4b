import { expect, test } from 'vitest';
import { InboxStore } from '../../src/store/inbox.ts';
import { InstancesStore } from '../../src/store/instances.ts';
import { settledOutOfOrder } from '../bench/support/events.ts';
import { openFresh } from '../support/opened-database.ts';
import { until } from '../support/service.ts';
import { Several } from '../support/several.ts';

const AT = '2026-01-01T00:00:00.000Z';

async function twoOnOne() {
  const { database: db } = await openFresh('postgres');
  const instances = new InstancesStore(db);
  const [one, two] = ['one', 'two'].map((id) => new InboxStore(db, { id })) as [InboxStore, InboxStore];
  for (const id of ['one', 'two']) await instances.register(id, 60_000);
  /** Of a delivery about these; `null`: by nobody. */
  const accept = async (by: InboxStore, subjects: readonly string[], take = true) => {
    const events = subjects.map((subjectId) => ({
      type: 'record.updated',
      workspaceId: null,
      payload: JSON.stringify(subjectId),
      subjectId,
    }));
    return by.accept([{ dedupeKey: null, receivedAt: AT, events, quarantined: [] }], AT, take);
  };
  const take = async (by: InboxStore, limit = 10, afterId = 0) =>
    (await by.pending(AT, afterId, new Set(), limit)).map(
      ({ id, payload }) => `${JSON.parse(payload)} ${id}`,
    );
  return { one, two, instances, accept, take };
}

test('an event about what another instance has in hand is left to that one', async () => {
  const { one, two, accept, take } = await twoOnOne();
  expect((await accept(one, ['ada'])).isLeft).toBe(false);
  expect((await accept(two, ['ada', 'bela'])).isLeft).toBe(true);
  expect(await take(two)).toEqual(['bela 3']);
  expect(await take(one)).toEqual(['ada 1', 'ada 2']);
  // Nothing about it is in hand any more.
  await one.settle(
    [1, 2].map((id) => ({ id, outcome: 'done' })),
    AT,
  );
  expect((await accept(two, ['ada'])).isLeft).toBe(false);
});

test('an event about what an earlier one waits for is taken by nobody before that', async () => {
  const { one, two, accept, take } = await twoOnOne();
  await accept(one, ['ada', 'bela'], false);
  expect((await accept(two, ['ada', 'cleo'])).isLeft).toBe(true);
  // A look that goes on from where the last one ended does not see the earlier one.
  expect(await take(one, 10, 2)).toEqual([]);
  expect(await take(two, 10, 2)).toEqual(['cleo 4']);
  expect(await take(two)).toEqual(['ada 1', 'bela 2', 'ada 3', 'cleo 4']);
});

test('of a backlog the events about one thing are one instance’s, also where there is no room for all', async () => {
  const { one, two, accept, take } = await twoOnOne();
  await accept(one, ['ada', 'bela', 'ada', 'cleo', 'ada'], false);
  expect(await take(one, 1)).toEqual(['ada 1']);
  expect(await take(two)).toEqual(['bela 2', 'cleo 4']);
  await one.settle([{ id: 1, outcome: 'done' }], AT);
  expect(await take(two)).toEqual(['bela 2', 'ada 3', 'cleo 4', 'ada 5']);
});

test('what an instance that is gone had in hand about a thing is one other’s', async () => {
  const { one, two, instances, accept, take } = await twoOnOne();
  await accept(one, ['ada', 'ada']);
  await accept(two, ['ada']);
  expect(await take(two)).toEqual([]);
  await instances.release('one', AT);
  expect(await take(two)).toEqual(['ada 1', 'ada 2', 'ada 3']);
});

test('events about one record that come to two instances in turn are settled by one, in their order', async () => {
  await using several = await Several.start(2, {
    sandbox: { people: 3, companies: 0, deals: 0, latencyMs: 100 },
    subscribe: false,
  });
  const { first, second } = several;
  await first.sync('people');
  const { rows } = first.database;
  const [person] = (await first.get<{ data: { recordId: string }[] }>('/v1/contacts?limit=1')).body.data;
  const { recordId = '' } = person ?? {};
  for (let count = 0; count < 20; count += 1) {
    first.sandbox.sandbox.edit({ object: 'people', recordId, values: { job_title: `Edit ${count}` } });
    const service = count % 2 === 0 ? first : second;
    expect((await service.deliver(service.event('record.updated', 'people', recordId))).status).toBe(202);
    const inHand = await rows(
      "select distinct claimed_by from inbox where status = 'pending' and claimed_by is not null",
    );
    expect(inHand.length).toBeLessThanOrEqual(1);
  }
  await until(async () => (await first.pending()) === 0);
  expect(await settledOutOfOrder(first.database)).toBe(0);
  const shown = await second.get<{ data: { jobTitle: string } }>(`/v1/contacts/${recordId}`);
  expect(shown.body.data.jobTitle).toBe('Edit 19');
});
