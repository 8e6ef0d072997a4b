import { afterEach, describe, expect, test } from 'vitest';
import { CONFLICT_POLICIES } from '../../src/domain/conflict-policies.ts';
import { agreedAda, edit, heldBack, listed, onlyOpen, resolve, startWith } from '../support/conflicts.ts';
import { deal, patchDeal, putDeal } from '../support/deals.ts';
import { takeViolations } from '../support/exchanges.ts';
import { add, change, entries } from '../support/pipelines.ts';
import type { TestService } from '../support/service.ts';
import { attio, delivered, outage, recovered } from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

describe.each(CONFLICT_POLICIES)('under %s', (policy) => {
  const side = { 'last-write-wins': 'attio', 'attio-wins': 'attio', 'local-wins': 'local', manual: null }[
    policy
  ];
  const [ours, shown] = [side === 'local', side !== 'attio'];

  test('a deal and an entry go by it as well', async () => {
    await using service = await startWith({ policy });
    const person = await agreedAda(service);
    const { id } = (await putDeal(service, { externalId: 'order:1', name: 'Agreed', stage: 'Lead' })).body
      .data;
    await add(service, 'recruiting', { recordId: person, stage: 'Applied', value: { amount: 1 } });
    await delivered(service);
    const { recordId } = await deal(service, id);
    const [entry] = await entries(service, 'recruiting');
    if (entry === undefined) throw new Error('the entry is not there');
    await outage(service);
    await patchDeal(service, id, { name: 'Ours', value: { amount: 7 } });
    await change(service, 'recruiting', entry.id, { stage: 'Offer', value: { amount: 2 } });
    edit(service, recordId, { name: 'Theirs' }, 'deals');
    service.sandbox.sandbox.act({
      method: 'PATCH',
      path: `/lists/recruiting/entries/${entry.entryId}`,
      body: { data: { entry_values: { stage: 'Hired' } } },
    });
    await recovered(service);
    expect(attio(service, recordId, 'deals')).toMatchObject({ name: [ours ? 'Ours' : 'Theirs'], value: [7] });
    expect((await deal(service, id)).name).toBe(shown ? 'Ours' : 'Theirs');
    const [shownEntry] = await entries(service, 'recruiting');
    expect(shownEntry).toMatchObject({ stage: { title: shown ? 'Offer' : 'Hired' }, value: { amount: 2 } });
    const found = (await listed(service)).map(({ object, field, decided }) => ({ object, field, decided }));
    expect(found).toEqual(
      expect.arrayContaining([
        { object: 'deals', field: 'name', decided: side },
        { object: 'entry', field: 'stage', decided: side },
      ]),
    );
    expect(found).toHaveLength(2);
    expect(shownEntry?.sync).toMatchObject(
      side === null ? { status: 'pending', conflicts: 1 } : { status: 'synced' },
    );
  });

  test('a task goes by it, though its members bear no time', async () => {
    await using service = await startWith({ policy });
    const { id, taskId } = await taskInAttio(service);
    await outage(service);
    await service.call('PATCH', `/v1/tasks/${id}`, { body: { deadlineAt: '2026-12-24', isCompleted: true } });
    service.sandbox.sandbox.act({
      method: 'PATCH',
      path: `/tasks/${taskId}`,
      body: { data: { deadline_at: '2027-01-01T00:00:00.000Z' } },
    });
    await heldBack(service);
    await recovered(service);
    const inAttio = service.sandbox.sandbox.act({ method: 'GET', path: `/tasks/${taskId}` }) as Record<
      string,
      unknown
    >;
    const [mine, theirs] = ['2026-12-24T00:00:00.000Z', '2027-01-01T00:00:00.000Z'];
    expect(inAttio['is_completed']).toBe(true);
    expect(Date.parse(String(inAttio['deadline_at']))).toBe(Date.parse(ours ? mine : theirs));
    const { body } = await service.get<{ data: { deadlineAt: string } }>(`/v1/tasks/${id}`);
    expect(body.data.deadlineAt).toBe(shown ? mine : theirs);
    const reason = policy === 'last-write-wins' ? 'concurrent' : policy;
    expect(await listed(service)).toMatchObject([
      { object: 'task', field: 'deadlineAt', decided: side, reason },
    ]);
  });
});

/** A task that Attio has. */
async function taskInAttio(service: TestService): Promise<{ id: string; taskId: string }> {
  const body = { content: 'Call', deadlineAt: '2026-12-01' };
  const { id } = (await service.call<{ data: { id: string } }>('POST', '/v1/tasks', { body })).body.data;
  await delivered(service);
  const { taskId } = (await service.get<{ data: { taskId: string } }>(`/v1/tasks/${id}`)).body.data;
  return { id, taskId };
}

describe('an open conflict', () => {
  test('of an entry is settled by a third stage, in any case; one that the list lacks is refused', async () => {
    await using service = await startWith({
      objects: { 'lists/recruiting': { fields: { stage: 'manual' } } },
    });
    const recordId = await agreedAda(service);
    await add(service, 'recruiting', { recordId, stage: 'Applied' });
    await delivered(service);
    const [{ id, entryId } = { id: '', entryId: '' }] = await entries(service, 'recruiting');
    await outage(service);
    await change(service, 'recruiting', id, { stage: 'Offer' });
    const path = `/lists/recruiting/entries/${entryId}`;
    service.sandbox.sandbox.act({
      method: 'PATCH',
      path,
      body: { data: { entry_values: { stage: 'Hired' } } },
    });
    await recovered(service);
    const open = await onlyOpen(service);
    const wrong = await resolve(service, open.id, { resolution: 'merged', values: { stage: 'Intervew' } });
    expect([wrong.status, wrong.body.errors?.[0]?.path]).toEqual([422, '/values/stage']);
    expect(wrong.body.errors?.[0]?.message).toContain('Interview');
    const done = await resolve(service, open.id, { resolution: 'merged', values: { stage: 'interview' } });
    expect([done.status, done.body.sync]).toEqual([200, { status: 'synced', recordId: entryId }]);
    const [entry] = await entries(service, 'recruiting');
    expect(entry).toMatchObject({ stage: { title: 'Interview' }, sync: { status: 'synced' } });
  });

  test('of a task is settled by a value that the member takes', async () => {
    await using service = await startWith({ objects: { tasks: { policy: 'manual' } } });
    const { id, taskId } = await taskInAttio(service);
    await outage(service);
    await service.call('PATCH', `/v1/tasks/${id}`, { body: { deadlineAt: '2026-12-24' } });
    const path = `/tasks/${taskId}`;
    service.sandbox.sandbox.act({ method: 'PATCH', path, body: { data: { deadline_at: null } } });
    await recovered(service);
    const open = await onlyOpen(service);
    expect(open).toMatchObject({ object: 'task', field: 'deadlineAt', attio: null });
    for (const deadlineAt of ['soon', 7, '2026-99-99']) {
      const wrong = await resolve(service, open.id, { resolution: 'merged', values: { deadlineAt } });
      expect([wrong.status, wrong.body.errors?.[0]?.path]).toEqual([422, '/values/deadlineAt']);
    }
    const done = await resolve(service, open.id, {
      resolution: 'merged',
      values: { deadlineAt: '2026-12-31' },
    });
    expect(done.status).toBe(200);
    const { body } = await service.get<{ data: { deadlineAt: string; sync: object } }>(`/v1/tasks/${id}`);
    expect(body.data).toMatchObject({ deadlineAt: '2026-12-31T00:00:00.000Z', sync: { status: 'synced' } });
  });
});
