import { afterEach, describe, expect, test } from 'vitest';
import { CONFLICT_POLICIES, type ConflictPolicy } from '../../src/domain/conflict-policies.ts';
import {
  agreedAda,
  apart,
  EMAIL,
  edit,
  heldBack,
  listed,
  onlyOpen,
  resolve,
  startWith,
} from '../support/conflicts.ts';
import { deal, patchDeal, putDeal } from '../support/deals.ts';
import { takeViolations } from '../support/exchanges.ts';
import { add, change, entries } from '../support/pipelines.ts';
import type { TestService } from '../support/service.ts';
import { attio, contact, created, outage, put, putCompany, quiet, recovered } from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

/** What stands in Attio, what our side shows, and what is on record, when theirs came first and when ours did. */
const EXPECTED: Readonly<Record<ConflictPolicy, Readonly<Record<'theirs first' | 'ours first', string>>>> = {
  'last-write-wins': {
    'theirs first': 'Ours Ours local last-write-wins',
    'ours first': 'Theirs Theirs attio last-write-wins',
  },
  'attio-wins': {
    'theirs first': 'Theirs Theirs attio attio-wins',
    'ours first': 'Theirs Theirs attio attio-wins',
  },
  'local-wins': { 'theirs first': 'Ours Ours local local-wins', 'ours first': 'Ours Ours local local-wins' },
  manual: { 'theirs first': 'Theirs Ours null manual', 'ours first': 'Theirs Ours null manual' },
};

describe.each(CONFLICT_POLICIES)(
  'under %s, when both sides have changed a field while Attio was away',
  (policy) => {
    test.each(['theirs first', 'ours first'] as const)('%s', async (order) => {
      await using service = await startWith({ policy });
      const recordId = await apart(service);
      const theirs = () => edit(service, recordId, { job_title: 'Theirs' });
      if (order === 'theirs first') theirs();
      const { body } = await put(service, {
        email: EMAIL,
        jobTitle: 'Ours',
        attributes: { internal_comment: 'Ours' },
      });
      if (order === 'ours first') theirs();
      await recovered(service);
      const [one, ...others] = await listed(service);
      const { job_title, internal_comment } = attio(service, recordId);
      const { jobTitle } = await contact(service, body.data.id);
      expect(`${job_title} ${jobTitle} ${one?.decided} ${one?.reason}`).toBe(EXPECTED[policy][order]);
      expect(one).toMatchObject({ field: 'job_title', base: 'Agreed', local: 'Ours', attio: 'Theirs' });
      expect([internal_comment, others]).toEqual([['Ours'], []]);
    });
  },
);

test('the rule of a field goes before that of its object, and that before the common one', async () => {
  await using service = await startWith({
    policy: 'local-wins',
    objects: {
      people: {
        policy: 'attio-wins',
        fields: { job_title: 'manual', 'name.lastName': 'local-wins', name: 'attio-wins' },
      },
      companies: {},
    },
  });
  const recordId = await agreedAda(service);
  const companyId = created(service, 'companies', { domains: ['both.example'], name: 'Agreed' });
  await service.sync('companies');
  await outage(service);
  await put(service, {
    email: EMAIL,
    jobTitle: 'Ours',
    firstName: 'Ours',
    lastName: 'Ours',
    attributes: { internal_comment: 'Ours' },
  });
  await putCompany(service, { domain: 'both.example', name: 'Ours' });
  const theirs = [{ first_name: 'Theirs', last_name: 'Theirs', full_name: 'Theirs Theirs' }];
  edit(service, recordId, { job_title: 'Theirs', name: theirs, internal_comment: 'Theirs' });
  edit(service, companyId, { name: 'Theirs' }, 'companies');
  await recovered(service);
  expect(attio(service, recordId)).toMatchObject({
    job_title: ['Theirs'],
    name: [['Theirs', 'Ours']],
    internal_comment: ['Theirs'],
  });
  expect(attio(service, companyId, 'companies')['name']).toEqual(['Ours']);
  const decided = (await listed(service)).map(
    ({ object, field, decided: side }) => `${object} ${field} ${side}`,
  );
  expect(decided.sort()).toEqual([
    'companies name local',
    'people internal_comment attio',
    'people job_title null',
    'people name.firstName attio',
    'people name.lastName local',
  ]);
});

describe('within the tolerance', () => {
  test.each(['theirs first', 'ours first'])(
    "Attio's value stands, and both are on record: %s",
    async (order) => {
      await using service = await startWith({ toleranceMs: 60_000 });
      const recordId = await apart(service);
      if (order === 'theirs first') edit(service, recordId, { job_title: 'Theirs' });
      await put(service, { email: EMAIL, jobTitle: 'Ours' });
      if (order === 'ours first') edit(service, recordId, { job_title: 'Theirs' });
      await recovered(service);
      expect(attio(service, recordId)['job_title']).toEqual(['Theirs']);
      expect(await listed(service)).toMatchObject([
        { decided: 'attio', reason: 'concurrent', local: 'Ours', attio: 'Theirs' },
      ]);
    },
  );
});

describe('a field that was cleared in Attio', () => {
  /** Reads of the history of an attribute. */
  const histories = (service: TestService) =>
    service.sandbox.sandbox
      .requests()
      .requests.filter(({ path }) => /\/attributes\/[^/]+\/values(\?|$)/.test(path)).length;

  test.each([
    [
      'before the write, as its hint says',
      true,
      'before',
      'internal_comment',
      ['Ours'],
      'local',
      'last-write-wins',
      0,
    ],
    ['after the write, as its hint says', true, 'after', 'internal_comment', [], 'attio', 'last-write-wins', 0],
    [
      'before the write, as its history says',
      false,
      'before',
      'internal_comment',
      ['Ours'],
      'local',
      'last-write-wins',
      1,
    ],
    ['after the write, as its history says', false, 'after', 'internal_comment', [], 'attio', 'last-write-wins', 1],
    ['before the write, which nobody tells', false, 'before', 'description', [], 'attio', 'concurrent', 1],
    [
      'after the write, as its hint says, though it has no history',
      true,
      'after',
      'description',
      [],
      'attio',
      'last-write-wins',
      0,
    ],
    [
      'before the write, as its hint says, though it has no history',
      true,
      'before',
      'description',
      ['Ours'],
      'local',
      'last-write-wins',
      0,
    ],
  ] as const)('%s', async (_, subscribe, when, field, stands, decided, reason, reads) => {
    await using service = await startWith({ subscribe });
    const recordId = await agreedAda(service);
    edit(service, recordId, { description: 'Agreed' });
    await quiet(service);
    await service.sync('people');
    await outage(service);
    const { sandbox } = service.sandbox;
    sandbox.clearRequests();
    const clear = async () => {
      edit(service, recordId, { [field]: [] });
      await sandbox.settled();
    };
    if (when === 'before') await clear();
    await put(service, { email: EMAIL, attributes: { [field]: 'Ours' } });
    if (when === 'after') await clear();
    await heldBack(service);
    await recovered(service);
    expect(attio(service, recordId)[field]).toEqual(stands);
    expect(await listed(service)).toMatchObject([
      { field, decided, reason, base: 'Agreed', local: 'Ours', attio: null },
    ]);
    expect(histories(service)).toBe(reads);
  });

  test('is not asked about where the policy decides', async () => {
    await using service = await startWith({ policy: 'attio-wins' });
    const recordId = await apart(service);
    service.sandbox.sandbox.clearRequests();
    await put(service, { email: EMAIL, jobTitle: 'Ours' });
    edit(service, recordId, { job_title: [] });
    await heldBack(service);
    await recovered(service);
    expect([attio(service, recordId)['job_title'], histories(service)]).toEqual([[], 0]);
  });

  test('a value of a list that was taken away before the write is added again', async () => {
    await using service = await startWith({});
    const recordId = await apart(service);
    edit(service, recordId, { phone_numbers: ['+15550100009'] });
    await put(service, { email: EMAIL, phone: '+15550100001' });
    await heldBack(service);
    await recovered(service);
    expect(attio(service, recordId)['phone_numbers']).toEqual(['+15550100001', '+15550100009']);
    expect(await listed(service)).toMatchObject([{ decided: 'local', local: ['+15550100001'] }]);
  });
});

describe.each(CONFLICT_POLICIES)('under %s', (policy) => {
  const side = { 'last-write-wins': 'attio', 'attio-wins': 'attio', 'local-wins': 'local', manual: null }[
    policy
  ];
  const [ours, shown] = [side === 'local', side !== 'attio'];

  test('a deal and an entry go by it as well', async () => {
    await using service = await startWith({ policy });
    const person = await agreedAda(service);
    const made = await putDeal(service, { externalId: 'order:1', name: 'Agreed', stage: 'Lead' });
    const { id, recordId } = made.body.data;
    const entry = (
      await add(service, 'recruiting', { recordId: person, stage: 'Applied', value: { amount: 1 } })
    ).body.data;
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
    const made = await service.call<{ data: { id: string; taskId: string } }>('POST', '/v1/tasks', {
      body: { content: 'Call', deadlineAt: '2026-12-01' },
    });
    const { id, taskId } = made.body.data;
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

describe('an open conflict', () => {
  test('of an entry is settled by a third stage, in any case; one that the list lacks is refused', async () => {
    await using service = await startWith({
      objects: { 'lists/recruiting': { fields: { stage: 'manual' } } },
    });
    const recordId = await agreedAda(service);
    const { id, entryId } = (await add(service, 'recruiting', { recordId, stage: 'Applied' })).body.data;
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
    const made = await service.call<{ data: { id: string; taskId: string } }>('POST', '/v1/tasks', {
      body: { content: 'Call', deadlineAt: '2026-12-01' },
    });
    const { id, taskId } = made.body.data;
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
