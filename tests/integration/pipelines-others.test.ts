import { afterEach, describe, expect, test } from 'vitest';
import { list as listOf, post } from '../support/activity.ts';
import { DEAL, deal, putDeal, startDeals } from '../support/deals.ts';
import { takeViolations } from '../support/exchanges.ts';
import { addList, tell } from '../support/items.ts';
import { add, attioEntries, change, entries, stages } from '../support/pipelines.ts';
import { type TestService, until } from '../support/service.ts';
import { attio, person, quiet, startWriting } from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

describe('a list that is not mirrored', () => {
  test('is refused by every route of its pipeline, and for comments, naming where to add it', async () => {
    await using service = await startWriting({ env: { SYNC_LISTS: 'partnerships' } });
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    const path = '/v1/pipelines/recruiting';
    const body = { recordId, stage: 'Applied' };
    const answers = [
      await service.get<Problem>(path),
      await service.get<Problem>(`${path}/entries`),
      await service.get<Problem>(`${path}/entries/${recordId}`),
      await service.call<Problem>('POST', `${path}/entries`, { body }),
      await service.call<Problem>('PATCH', `${path}/entries/${recordId}`, { body: { stage: 'Offer' } }),
    ];
    for (const answer of answers) {
      expect([answer.status, answer.body.detail]).toEqual([
        404,
        'the list "recruiting" is not mirrored here: SYNC_LISTS names partnerships. Add it there and start the service again.',
      ]);
    }
    const comment = { content: 'Good', authorEmail: 'robin@example.com', entryId: recordId };
    for (const [list, words] of [
      ['recruiting', /recruiting.*SYNC_LISTS/],
      ['recruting', /Did you mean "recruiting"\? It has .*\.$/],
    ] as const) {
      const { status, body: problem } = await post(service, 'comments', { ...comment, list });
      expect([status, (problem as unknown as Problem).errors]).toEqual([
        422,
        [{ path: '/list', message: expect.stringMatching(words) }],
      ]);
    }
    expect((await service.get('/v1/pipelines/partnerships')).status).toBe(200);
    expect((await service.get('/v1/pipelines/deals')).status).toBe(200);
    expect(attioEntries(service, 'recruiting')).toEqual([]);
  });
});

describe('attributes of a deal in its pipeline', () => {
  test('are written by slug, and checked', async () => {
    await using service = await startDeals();
    const { sandbox } = service.sandbox;
    const attribute = (slug: string, type: string, config = {}) =>
      sandbox.act({
        method: 'POST',
        path: '/objects/deals/attributes',
        body: {
          data: {
            api_slug: slug,
            title: slug,
            description: '',
            type,
            is_required: false,
            is_unique: false,
            is_multiselect: false,
            config,
          },
        },
      });
    attribute('priority', 'select');
    attribute('seats', 'number');
    const options = '/objects/deals/attributes/priority/options';
    sandbox.act({ method: 'POST', path: options, body: { data: { title: 'High' } } });
    await quiet(service);
    const { id, recordId } = (await putDeal(service, DEAL)).body.data;
    const put = await add(service, 'deals', {
      recordId,
      stage: 'in progress',
      attributes: { priority: 'high', name: 'Bigger engine' },
    });
    expect([put.status, put.body.detail]).toEqual([200, undefined]);
    expect(put.body.data).toMatchObject({
      stage: { title: 'In Progress' },
      attributes: { priority: { title: 'High' } },
    });
    expect((await change(service, 'deals', id, { attributes: { seats: 4 } })).status).toBe(200);
    expect(attio(service, recordId, 'deals')).toMatchObject({
      name: ['Bigger engine'],
      priority: ['High'],
      seats: [4],
    });
    expect(await deal(service, id)).toMatchObject({ name: 'Bigger engine', stage: { title: 'In Progress' } });
    const cases: [unknown, number, string, RegExp][] = [
      [{ priority: 'hihg' }, 422, '/attributes/priority', /is no option.*Did you mean "High"/],
      [{ seats: 'many' }, 400, '/attributes/seats', /must be a number/],
      [{ colour: 'red' }, 400, '/attributes/colour', /is no attribute/],
      [{ stage: 'Lost' }, 400, '/attributes/stage', /own place beside attributes: send it as stage/],
      [{ value: 4 }, 400, '/attributes/value', /own place beside attributes: send it as value/],
      [{ external_id: 'order:2' }, 400, '/attributes/external_id', /is what finds the deal/],
    ];
    for (const [attributes, status, path, words] of cases) {
      const { status: was, body } = await change(service, 'deals', id, { attributes });
      expect([JSON.stringify(attributes), was, body.errors]).toEqual([
        JSON.stringify(attributes),
        status,
        [{ path, message: expect.stringMatching(words) }],
      ]);
    }
  });
});

describe('a stage', () => {
  test('is wanted of a record that is not in the list yet, and of no other', async () => {
    await using service = await startWriting();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    const without = await add(service, 'recruiting', { recordId, value: { amount: 4 } });
    expect([without.status, without.body.errors]).toEqual([
      400,
      [{ path: '/stage', message: expect.stringMatching(/^is missing.*There are: "Applied", "Screening"/) }],
    ]);
    expect((await add(service, 'recruiting', { recordId, stage: 'Offer' })).status).toBe(200);
    const again = await add(service, 'recruiting', { recordId, value: { amount: 4 } });
    expect([again.status, again.body.data.stage?.title]).toEqual([200, 'Offer']);
    const second = { recordId, allowDuplicate: true };
    expect((await add(service, 'recruiting', second)).status).toBe(400);
    await quiet(service);
    expect(attioEntries(service, 'recruiting')).toEqual([{ parent: recordId, stage: 'Offer', value: 4 }]);
  });

  test('that the list does not have is not wanted', async () => {
    await using service = await startWriting();
    addList(service, 'guests');
    await quiet(service);
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    expect((await add(service, 'guests', { recordId })).status).toBe(200);
    const staged = await add(service, 'guests', { recordId, stage: 'Applied' });
    expect([staged.status, staged.body.detail]).toEqual([
      400,
      expect.stringContaining('it has no stage attribute'),
    ]);
    expect(await stages(service, 'guests')).toEqual([]);
  });

  test('that was archived is shown while something is in it, and nothing is put into it', async () => {
    await using service = await startWriting();
    const [one, other] = ['ada', 'bob'].map((name) =>
      person(service, { email_addresses: [`${name}@engines.example`] }),
    );
    await add(service, 'recruiting', { recordId: one, stage: 'Offer', value: { amount: 7 } });
    await add(service, 'recruiting', { recordId: other, stage: 'Applied' });
    await archive(service, 'Offer', 'recruiting');
    await archive(service, 'Hired', 'recruiting');
    const shown = await stages(service, 'recruiting');
    expect(shown.map((stage) => [stage.title, stage.count, isArchived(stage)])).toEqual([
      ['Applied', 1, false],
      ['Screening', 0, false],
      ['Interview', 0, false],
      ['Offer', 1, true],
    ]);
    expect(shown[3]).toMatchObject({ valueTotal: 7, archived: true });
    expect(await entries(service, 'recruiting', '?stage=offer')).toHaveLength(1);
    expect((await add(service, 'recruiting', { recordId: other, stage: 'Offer' })).status).toBe(422);
  });

  test('of deals that was archived is shown as well', async () => {
    await using service = await startDeals();
    await putDeal(service, { ...DEAL, stage: 'Lost' });
    await quiet(service);
    await archive(service, 'Lost', 'deals');
    const lost = (await stages(service, 'deals')).find(({ title }) => title === 'Lost');
    expect(lost).toMatchObject({ count: 1, archived: true });
    expect(await entries(service, 'deals', '?stage=lost')).toHaveLength(1);
    expect((await putDeal(service, { ...DEAL, externalId: 'order:2', stage: 'Lost' })).status).toBe(422);
  });
});

describe('what is told of a bad request', () => {
  test('says what is wrong, and where', async () => {
    await using service = await startDeals();
    const { id } = (await putDeal(service, DEAL)).body.data;
    const amount = (value: unknown) => service.call<Problem>('PATCH', `/v1/deals/${id}`, { body: { value } });
    const entry = (value: unknown) =>
      service.call<Problem>('PATCH', `/v1/pipelines/deals/entries/${id}`, { body: { value } });
    const range = /from -1,000,000,000,000,000 to 1,000,000,000,000,000/;
    const cases: [string, Promise<{ status: number; body: Problem }>, number, string, RegExp][] = [
      ['decimals', amount({ amount: 1.23456 }), 400, '/value/amount', /at most 4 decimal places/],
      ['decimals of an entry', entry({ amount: 1.23456 }), 400, '/value/amount', /at most 4 decimal places/],
      ['decimals in text', amount({ amount: '1.23456' }), 400, '/value/amount', /at most 4 decimal places/],
      ['too much', amount({ amount: 9007199254740991 }), 400, '/value/amount', range],
      ['too much of an entry', entry({ amount: 9007199254740991 }), 400, '/value/amount', range],
      ['no number', amount({ amount: 'much' }), 400, '/value/amount', /must be a number, such as 1250.5/],
      ['no amount', amount({}), 400, '/value/amount', /is missing/],
      ['no object', amount(5), 400, '/value', /must be \{"amount":…\}/],
      ['currency', amount({ amount: 1, currencyCode: 'EUR' }), 400, '/value', /is kept in USD/],
      [
        'author',
        service.call('POST', '/v1/comments', { body: { recordId: id, content: 'x' } }),
        400,
        '/authorEmail',
        /is missing: it says which member of the workspace comments/,
      ],
    ];
    for (const [what, answer, status, path, words] of cases) {
      const { status: was, body } = await answer;
      expect([what, was, body.errors]).toEqual([
        what,
        status,
        [{ path, message: expect.stringMatching(words) }],
      ]);
    }
    expect((await amount({ amount: '1250.5' })).status).toBe(200);
    expect((await service.get('/v1/comments?entryId=zzz')).status).toBe(400);
    const nearest = await service.call<Problem>('PATCH', `/v1/deals/${id}`, { body: { stage: 'Wno' } });
    expect(nearest.body.detail).toContain('Did you mean "Won 🎉"?');
  });

  test('a task is without assignees when they are cleared', async () => {
    await using service = await startWriting();
    const made = await post(service, 'tasks', { content: 'Call', assigneeEmails: ['robin@example.com'] });
    const path = `/v1/tasks/${made.body.data.id}`;
    expect((await service.call('PATCH', path, { body: { assigneeEmails: null } })).status).toBe(200);
    expect((await listOf(service, 'tasks'))[0]?.assignees).toEqual([]);
  });
});

interface Problem {
  readonly detail: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

function isArchived(stage: object): boolean {
  return 'archived' in stage;
}

/** Archives a stage, of which Attio tells. */
async function archive(service: TestService, title: string, of: 'deals' | 'recruiting'): Promise<void> {
  const { world } = service.sandbox.sandbox;
  const isDeals = of === 'deals';
  const path = `${isDeals ? '/objects' : '/lists'}/${of}/attributes/stage/statuses/${title}`;
  service.sandbox.sandbox.act({ method: 'PATCH', path, body: { data: { is_archived: true } } });
  const asked = () => statusRequests(service);
  const before = asked();
  if (isDeals) await tell(service, 'object-attribute.updated', { object_id: world.object(of).id });
  else await tell(service, 'list-attribute.updated', { list_id: world.list(of).id });
  await until(async () => asked() > before);
  await quiet(service);
}

function statusRequests(service: TestService): number {
  return service.sandbox.sandbox.requests().requests.filter(({ path }) => path.includes('/statuses')).length;
}
