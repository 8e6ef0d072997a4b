import { expect, test } from 'vitest';
import { inAttio, list, post, startCounting } from '../support/activity.ts';
import { act } from '../support/items.ts';
import { add, attioEntries, change, entries } from '../support/pipelines.ts';
import { prepareService, type TestService } from '../support/service.ts';
import {
  conflicts,
  delivered,
  impatient,
  letters,
  outage,
  person,
  quiet,
  recovered,
  SMALL,
  startWriting,
} from '../support/writes.ts';

/** Writes of one entry or task that follow each other: ours are no changes of a person's. */

function somebody(service: TestService, index = 0): string {
  return person(service, { email_addresses: [`nobody-${index}@engines.example`] });
}

function patchTask(service: TestService, id: string, body: unknown, query = '?wait=false') {
  return service.call('PATCH', `/v1/tasks/${id}${query}`, { body });
}

function taskInAttio(service: TestService, taskId: string | null | undefined) {
  return act<{ deadline_at: string; is_completed: boolean }>(service, 'GET', `/tasks/${taskId}`);
}

test('the last of ten changes of an entry that are sent behind each other is what Attio ends with', async () => {
  await using service = await startWriting();
  const recordId = somebody(service);
  const { id } = (await add(service, 'recruiting', { recordId, stage: 'Applied' })).body.data;
  const cursor = await service.latest();
  for (let step = 1; step <= 10; step += 1) {
    const stage = step % 2 === 0 ? 'Offer' : 'Interview';
    const body = { stage, value: { amount: 100 + step } };
    const answer = await service.call('PATCH', `/v1/pipelines/recruiting/entries/${id}?wait=false`, { body });
    expect(answer.status).toBe(202);
  }
  await quiet(service);
  expect(attioEntries(service, 'recruiting')).toEqual([{ parent: recordId, stage: 'Offer', value: 110 }]);
  expect(await conflicts(service)).toEqual([]);
  // What Attio had at each time, never what was still on its way.
  const told = (await service.changes(cursor)).data.map(({ data }) => data as { value?: { amount: number } });
  const amounts = told.map(({ value }) => value?.amount);
  expect(amounts).toEqual(amounts.toSorted());
  expect(amounts.at(-1)).toBe(110);
  expect(amounts[0]).toBe(101);
});

test('twenty changes at once that are all answered agree with Attio', async () => {
  await using service = await startWriting();
  const { id } = (await add(service, 'recruiting', { recordId: somebody(service), stage: 'Applied' })).body
    .data;
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => change(service, 'recruiting', id, { value: { amount: index } })),
  );
  expect(new Set(answers.map(({ status }) => status)).difference(new Set([200, 202]))).toEqual(new Set());
  await quiet(service);
  const [entry] = await entries(service, 'recruiting');
  expect(attioEntries(service, 'recruiting')[0]?.value).toBe(entry?.value?.amount);
  expect(await conflicts(service)).toEqual([]);
});

test('changes of a task, and of an entry, that wait for Attio arrive in their order', async () => {
  await using service = await startWriting();
  const recordId = somebody(service);
  const { id } = (await add(service, 'recruiting', { recordId, stage: 'Applied' })).body.data;
  const task = (await post(service, 'tasks', { content: 'Call' })).body.data;
  await quiet(service);
  await outage(service);
  for (let day = 1; day <= 4; day += 1) {
    await change(service, 'recruiting', id, { value: { amount: day } });
    await patchTask(service, task.id, {
      deadlineAt: `2027-01-0${day}T09:00:00Z`,
      isCompleted: day % 2 === 0,
    });
  }
  await recovered(service);
  await quiet(service);
  expect(attioEntries(service, 'recruiting')[0]?.value).toBe(4);
  expect(taskInAttio(service, task.taskId)).toMatchObject({ is_completed: true });
  expect(Date.parse(taskInAttio(service, task.taskId).deadline_at)).toBe(Date.parse('2027-01-04T09:00:00Z'));
  expect(await conflicts(service)).toEqual([]);
});

test('what is asked of a task before it is made is asked of it then', async () => {
  await using service = await startWriting();
  await outage(service);
  const task = (await post(service, 'tasks', { content: 'Call', deadlineAt: '2027-01-01T09:00:00Z' })).body
    .data;
  await patchTask(service, task.id, { isCompleted: true });
  await patchTask(service, task.id, { deadlineAt: null });
  await recovered(service);
  await quiet(service);
  const { taskId } = (await list(service, 'tasks')).find(({ id }) => id === task.id) ?? {};
  expect(taskInAttio(service, taskId)).toMatchObject({ is_completed: true, deadline_at: null });
  expect(await conflicts(service)).toEqual([]);
});

test('an entry that Attio has refused is made by the next request that asks for it', async () => {
  await using service = await startWriting();
  const recordId = somebody(service);
  await service.sync('people');
  const refusal = {
    kind: 'status',
    status: 400,
    match: { method: 'PUT', path: '/lists/*/entries' },
  } as const;
  service.sandbox.sandbox.addFault(refusal);
  // Two at once: the second is behind the first.
  const refused = await Promise.all([
    add(service, 'recruiting', { recordId, stage: 'Applied' }),
    add(service, 'recruiting', { recordId, stage: 'Offer' }),
  ]);
  expect(refused.map(({ status }) => status)).toEqual([422, 422]);
  expect(await entries(service, 'recruiting')).toEqual([]);
  // Nobody waits: the entry stays, and says why it is not in Attio.
  await add(service, 'recruiting', { recordId, stage: 'Applied' }, '?wait=false');
  await delivered(service);
  const [failed] = await entries(service, 'recruiting');
  expect(failed?.sync.status).toBe('failed');
  const patched = await change(service, 'recruiting', failed?.id ?? '', { stage: 'Offer' });
  expect([patched.status, patched.body.detail]).toEqual([
    422,
    expect.stringContaining('never made in Attio'),
  ]);
  // Refused once more, it says so again.
  expect((await add(service, 'recruiting', { recordId, stage: 'Offer' })).status).toBe(422);
  expect((await entries(service, 'recruiting'))[0]?.sync.status).toBe('failed');
  service.sandbox.sandbox.clearFaults();
  const made = await add(service, 'recruiting', { recordId, stage: 'Hired' });
  expect([made.status, made.body.sync.status]).toEqual([200, 'synced']);
  await quiet(service);
  expect(attioEntries(service, 'recruiting')).toEqual([{ parent: recordId, stage: 'Hired', value: null }]);
  expect((await entries(service, 'recruiting')).map(({ id }) => id)).toEqual([failed?.id]);
  // What had failed can still be replayed: it is asked for now.
  const [letter] = await letters(service);
  expect((await service.call('POST', `/v1/dead-letters/${letter?.id}/replay`)).status).toBe(200);
  await quiet(service);
  expect(attioEntries(service, 'recruiting')).toEqual([{ parent: recordId, stage: 'Applied', value: null }]);
});

test('one note for each of many records, all answers late: each is recognised as its own', async () => {
  await using service = await startCounting({ subscribe: false });
  const people = Array.from({ length: 5 }, (_, index) => somebody(service, index));
  await service.sync('people');
  for (const kind of ['latency', 'latency'] as const) {
    service.sandbox.sandbox.addFault({ kind, ms: 1_500, match: { method: 'POST', path: '/notes' } });
    service.sandbox.sandbox.addFault({ kind, ms: 1_500, match: { method: 'PUT', path: '/lists/*/entries' } });
  }
  const cursor = await service.latest();
  const note = { title: 'Follow up', content: 'Same words' };
  await Promise.all(
    people.flatMap((recordId) => [
      service.call('POST', '/v1/notes?wait=false', { body: { ...note, recordId } }),
      add(service, 'recruiting', { recordId, stage: 'Applied' }, '?wait=false'),
    ]),
  );
  // One page with all of them, before an answer has come.
  while (inAttio(service, 'notes') < 5 || attioEntries(service, 'recruiting').length < 5)
    await service.get('/health');
  await service.sync('notes');
  await service.sync('lists/recruiting');
  await delivered(service);
  const made = (await service.changes(cursor)).data.filter(({ type }) =>
    /^(note|entry)\.created$/.test(type),
  );
  const [notes, all] = [await list(service, 'notes'), await entries(service, 'recruiting')];
  for (const one of [...notes, ...all]) {
    const ofOne = made.filter(({ id }) => id === one.id);
    const records = ofOne.map(({ data }) => data as { records?: { recordId: string }[] });
    for (const { records: about } of records) expect(about?.[0]?.recordId).toBe(one.recordId);
  }
  for (const recordId of people) {
    expect(notes.filter((one) => one.recordId === recordId && one.title === note.title)).toHaveLength(1);
    expect(all.filter((one) => one.recordId === recordId)).toHaveLength(1);
  }
});

test('what is about a record of a named object is taken while Attio has never answered, and judged by Attio', async () => {
  await using service = await prepareService({ sandbox: SMALL, configure: impatient });
  const recordId = somebody(service);
  service.sandbox.sandbox.addFault({ kind: 'disconnect' });
  await service.start();
  const body = { recordId, title: 'Early', content: 'Before the first answer' };
  expect((await post(service, 'notes', body)).status).toBe(202);
  const nobody = { ...body, recordId: '00000000-0000-4000-8000-00000000000f' };
  expect((await post(service, 'notes', nobody)).status).toBe(202);
  const linkedRecords = [{ object: 'people', recordId }];
  expect((await post(service, 'tasks', { content: 'Call', linkedRecords })).status).toBe(202);
  service.sandbox.sandbox.clearFaults();
  await quiet(service);
  const notes = await list(service, 'notes', `?recordId=${recordId}`);
  expect(notes.filter(({ title }) => title === 'Early')).toMatchObject([{ sync: { status: 'synced' } }]);
  expect(await letters(service)).toMatchObject([{ kind: 'outbox' }]);
  const [task] = await list(service, 'tasks', `?recordId=${recordId}`);
  expect(task?.sync.status).toBe('synced');
});
