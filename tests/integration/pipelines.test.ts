import { describe, expect, it } from 'vitest';
import type { Answer, TestService } from '../support/service.ts';
import {
  delivered,
  letters,
  outage,
  person,
  put,
  quiet,
  recovered,
  type SyncJson,
  startWriting,
} from '../support/writes.ts';

interface EntryJson {
  readonly id: string;
  readonly entryId: string | null;
  readonly list: string;
  readonly object: string;
  readonly recordId: string | null;
  readonly stage: { readonly id: string | null; readonly title: string } | null;
  readonly value: { readonly amount: number; readonly currencyCode: string } | null;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly version: number;
  readonly sync: SyncJson;
}

interface WrittenEntry {
  readonly data: EntryJson;
  readonly sync: SyncJson;
  readonly detail?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

function add(service: TestService, list: string, body: unknown, query = ''): Promise<Answer<WrittenEntry>> {
  return service.call<WrittenEntry>('POST', `/v1/pipelines/${list}/entries${query}`, { body });
}

function change(
  service: TestService,
  list: string,
  id: string,
  body: unknown,
): Promise<Answer<WrittenEntry>> {
  return service.call<WrittenEntry>('PATCH', `/v1/pipelines/${list}/entries/${id}`, { body });
}

async function entries(service: TestService, list: string, query = ''): Promise<EntryJson[]> {
  return (await service.get<{ data: EntryJson[] }>(`/v1/pipelines/${list}/entries${query}`)).body.data;
}

/** Entries of a list in Attio: parent, stage and value. */
function attioEntries(
  service: TestService,
  slug: string,
): { parent: string; stage: unknown; value: unknown }[] {
  const list = service.sandbox.sandbox.world.list(slug);
  const found = service.sandbox.sandbox.act({
    method: 'POST',
    path: `/lists/${list.id}/entries/query`,
    body: { sorts: [{ attribute: 'created_at', direction: 'asc' }] },
  }) as { parent_record_id: string; entry_values: Record<string, Record<string, unknown>[]> }[];
  return found.slice(1).map(({ parent_record_id: parent, entry_values: values }) => ({
    parent,
    stage: (values['stage']?.[0]?.['status'] as { title: string } | undefined)?.title ?? null,
    value: values['value']?.[0]?.['currency_value'] ?? null,
  }));
}

function entryRequests(service: TestService, method: string): number {
  return service.sandbox.sandbox
    .requests()
    .requests.filter((one) => one.method === method && /\/lists\/[^/]+\/entries$/.test(one.path)).length;
}

async function stages(service: TestService, list: string) {
  const { body } = await service.get<{
    data: {
      list: { slug: string };
      stages: { id: string; title: string; count: number; valueTotal: number; currencyCode: string }[];
    };
  }>(`/v1/pipelines/${list}`);
  return body.data.stages;
}

describe('an entry', () => {
  it('is put in by e-mail address, with a stage in any case and a value, and is in Attio', async () => {
    await using service = await startWriting();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    const answer = await add(service, 'recruiting', {
      email: 'Ada@engines.example',
      stage: 'screening',
      value: { amount: 1250.5 },
      attributes: { tags: ['senior', 'Remote'], start_date: '2026-12-01' },
    });
    expect(answer.status).toBe(200);
    expect(answer.body.data).toMatchObject({
      list: 'recruiting',
      object: 'people',
      recordId,
      stage: { title: 'Screening' },
      value: { amount: 1250.5, currencyCode: 'USD' },
      attributes: { start_date: '2026-12-01' },
    });
    expect(answer.body.sync).toEqual({ status: 'synced', recordId: answer.body.data.entryId });
    expect(attioEntries(service, 'recruiting')).toEqual([
      { parent: recordId, stage: 'Screening', value: 1250.5 },
    ]);
    await quiet(service);
    expect(await entries(service, 'recruiting')).toEqual([
      { ...answer.body.data, version: expect.any(Number) },
    ]);
  });

  it('is one, however often and at once the person is put in', async () => {
    await using service = await startWriting();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    await service.sync('people');
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        add(
          service,
          'recruiting',
          index % 2 === 0
            ? { recordId, stage: 'Applied' }
            : { email: 'ada@engines.example', stage: 'Applied' },
        ),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.data.id)).size).toBe(1);
    await quiet(service);
    expect(attioEntries(service, 'recruiting')).toHaveLength(1);
    expect(await entries(service, 'recruiting')).toHaveLength(1);
  });

  it('is the one that somebody made in Attio meanwhile', async () => {
    await using service = await startWriting({ subscribe: false });
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    service.sandbox.sandbox.act({
      method: 'POST',
      path: '/lists/recruiting/entries',
      body: {
        data: {
          parent_record_id: recordId,
          parent_object: 'people',
          entry_values: { value: 7, tags: ['Remote'] },
        },
      },
    });
    const answer = await add(service, 'recruiting', {
      recordId,
      stage: 'Offer',
      attributes: { tags: ['Senior'] },
    });
    expect(answer.body.data).toMatchObject({ stage: { title: 'Offer' }, value: { amount: 7 } });
    expect(answer.body.data.attributes['tags']).toHaveLength(2);
    expect(attioEntries(service, 'recruiting')).toEqual([{ parent: recordId, stage: 'Offer', value: 7 }]);
  });

  it('is a second one when asked for', async () => {
    await using service = await startWriting();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    const first = await add(service, 'recruiting', { recordId, stage: 'Applied' });
    const second = await add(service, 'recruiting', { recordId, stage: 'Offer', allowDuplicate: true });
    expect(second.body.data.id).not.toBe(first.body.data.id);
    await quiet(service);
    expect(attioEntries(service, 'recruiting').map(({ stage }) => stage)).toEqual(['Applied', 'Offer']);
    expect(await entries(service, 'recruiting')).toHaveLength(2);
  });

  it('moves, changes and is cleared by PATCH; what is left out stays', async () => {
    await using service = await startWriting();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    const { id, entryId } = (
      await add(service, 'recruiting', { recordId, stage: 'Applied', value: { amount: 10 } })
    ).body.data;
    const moved = await change(service, 'recruiting', id, { stage: 'Hired' });
    expect(moved.body.data).toMatchObject({ id, stage: { title: 'Hired' }, value: { amount: 10 } });
    const cleared = await change(service, 'recruiting', entryId ?? '', { value: null });
    expect(cleared.body.data).toMatchObject({ id, stage: { title: 'Hired' }, value: null });
    expect(attioEntries(service, 'recruiting')).toEqual([{ parent: recordId, stage: 'Hired', value: null }]);
  });

  it('is read by stage, and adds to its totals', async () => {
    await using service = await startWriting();
    for (const [index, stage] of ['Applied', 'Applied', 'Offer'].entries()) {
      const recordId = person(service, { email_addresses: [`p${index}@engines.example`] });
      await add(service, 'recruiting', { recordId, stage, value: { amount: 100.25 * (index + 1) } });
    }
    expect(await entries(service, 'recruiting', '?stage=applied')).toHaveLength(2);
    expect(await entries(service, 'recruiting', '?stage=Hired')).toEqual([]);
    const totals = await stages(service, 'recruiting');
    expect(totals.map(({ title, count, valueTotal }) => [title, count, valueTotal])).toEqual([
      ['Applied', 2, 300.75],
      ['Screening', 0, 0],
      ['Interview', 0, 0],
      ['Offer', 1, 300.75],
      ['Hired', 0, 0],
    ]);
    expect(new Set(totals.map(({ currencyCode }) => currencyCode))).toEqual(new Set(['USD']));
    const page = await service.get<{ data: EntryJson[]; nextCursor: string }>(
      '/v1/pipelines/recruiting/entries?limit=2',
    );
    const rest = await entries(service, 'recruiting', `?limit=2&cursor=${page.body.nextCursor}`);
    expect(new Set([...page.body.data, ...rest].map(({ id }) => id)).size).toBe(3);
  });

  it('waits for a contact that is yet to be made', async () => {
    await using service = await startWriting();
    await put(service, { email: 'first@engines.example' });
    await stages(service, 'recruiting');
    await outage(service);
    await put(service, { email: 'new@engines.example', firstName: 'New' });
    const answer = await add(service, 'recruiting', { email: 'new@engines.example', stage: 'Applied' });
    expect([answer.status, answer.body.detail]).toEqual([202, undefined]);
    expect(answer.body.data).toMatchObject({ recordId: null, stage: { title: 'Applied' } });
    await recovered(service);
    await quiet(service);
    const [entry] = await entries(service, 'recruiting');
    expect(entry).toMatchObject({ id: answer.body.data.id, sync: { status: 'synced' } });
    expect(entry?.recordId).not.toBeNull();
    expect(attioEntries(service, 'recruiting')).toHaveLength(1);
    expect(await letters(service)).toEqual([]);
  });

  it('is taken and shown after a restart during an outage', async () => {
    await using service = await startWriting();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    await add(service, 'recruiting', { recordId, stage: 'Applied', value: { amount: 5 } });
    await quiet(service);
    await service.stop();
    service.sandbox.sandbox.addFault({ kind: 'disconnect' });
    await service.start();
    expect(await entries(service, 'recruiting', '?stage=applied')).toHaveLength(1);
    expect((await stages(service, 'recruiting'))[0]).toMatchObject({ title: 'Applied', count: 1 });
    const moved = await add(service, 'recruiting', { recordId, stage: 'offer' });
    expect([moved.status, moved.body.data.stage?.title]).toEqual([202, 'Offer']);
    await recovered(service);
    await quiet(service);
    expect(attioEntries(service, 'recruiting')).toEqual([{ parent: recordId, stage: 'Offer', value: 5 }]);
  });

  it('is made once when the answer is lost', async () => {
    await using service = await startWriting();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    await service.sync('people');
    service.sandbox.sandbox.addFault({
      kind: 'lost-answer',
      match: { method: 'PUT', path: '/lists/*/entries' },
      count: 1,
    });
    service.sandbox.sandbox.addFault({
      kind: 'lost-answer',
      match: { method: 'POST', path: '/lists/*/entries' },
      count: 1,
    });
    await add(service, 'recruiting', { recordId, stage: 'Applied' });
    await delivered(service);
    await add(service, 'recruiting', { recordId, stage: 'Offer', allowDuplicate: true });
    await delivered(service);
    await quiet(service);
    expect(attioEntries(service, 'recruiting').map(({ stage }) => stage)).toEqual(['Applied', 'Offer']);
    expect(await entries(service, 'recruiting')).toHaveLength(2);
    expect(entryRequests(service, 'PUT')).toBe(1);
    expect(entryRequests(service, 'POST')).toBe(1);
  });

  it('keeps what a person has changed while a write was held back, with both values on record', async () => {
    await using service = await startWriting();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    const { id, entryId } = (
      await add(service, 'recruiting', { recordId, stage: 'Applied', value: { amount: 1 } })
    ).body.data;
    await quiet(service);
    await outage(service);
    expect((await change(service, 'recruiting', id, { stage: 'Hired', value: { amount: 2 } })).status).toBe(
      202,
    );
    service.sandbox.sandbox.act({
      method: 'PATCH',
      path: `/lists/recruiting/entries/${entryId}`,
      body: { data: { entry_values: { stage: 'Offer' } } },
      actor: 'robin@example.com',
    });
    await recovered(service);
    await quiet(service);
    expect(attioEntries(service, 'recruiting')).toEqual([{ parent: recordId, stage: 'Offer', value: 2 }]);
    const [entry] = await entries(service, 'recruiting');
    expect(entry).toMatchObject({ stage: { title: 'Offer' }, value: { amount: 2 } });
    const { body } = await service.get<{ data: { field: string; decided: string; object: string }[] }>(
      '/v1/conflicts',
    );
    expect(body.data).toMatchObject([{ object: 'entry', field: 'stage', decided: 'attio' }]);
  });

  it('that was deleted in Attio is gone', async () => {
    await using service = await startWriting({ subscribe: false });
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    const { id, entryId } = (await add(service, 'recruiting', { recordId, stage: 'Applied' })).body.data;
    service.sandbox.sandbox.act({ method: 'DELETE', path: `/lists/recruiting/entries/${entryId}` });
    const answer = await change(service, 'recruiting', id, { stage: 'Offer' });
    expect(answer.status).toBe(422);
    expect(answer.body.detail).toContain('not_found');
    expect((await change(service, 'recruiting', id, { stage: 'Offer' })).status).toBe(410);
    expect((await service.get(`/v1/pipelines/recruiting/entries/${id}`)).status).toBe(410);
    // Put in again, it is a new one.
    const again = await add(service, 'recruiting', { recordId, stage: 'Applied' });
    expect(again.status).toBe(200);
    expect(again.body.data.id).not.toBe(id);
  });
});

describe('a bad request', () => {
  it('is refused naming what is wrong, and writes nothing', async () => {
    await using service = await startWriting();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    const company = service.sandbox.sandbox.createRecord({
      object: 'companies',
      values: { name: 'Engines' },
    });
    const companyId = (company['id'] as { record_id: string }).record_id;
    await service.sync('people');
    const cases: [unknown, number, RegExp][] = [
      [{ recordId, stage: 'Screning' }, 422, /Did you mean "Screening"\? There are: "Applied"/],
      [{ recordId, stage: 'Unheard of' }, 422, /There are: "Applied", "Screening"/],
      [{ recordId, stage: 5 }, 400, /stage must be the title/],
      [{ recordId, stage: '' }, 400, /stage is blank/],
      [{ stage: 'Applied' }, 400, /recordId is missing/],
      [{ recordId, email: 'ada@engines.example', stage: 'Applied' }, 400, /send one of the two/],
      [{ email: 'nobody@engines.example', stage: 'Applied' }, 422, /nobody in Attio/],
      [{ recordId: companyId, stage: 'Applied' }, 422, /this list takes people/],
      [{ recordId: '00000000-0000-4000-8000-000000000001', stage: 'Applied' }, 422, /no record of people/],
      [{ recordId, stage: 'Applied', value: { amount: 'much' } }, 400, /value/],
      [{ recordId, stage: 'Applied', value: { amount: 1.23456 } }, 400, /decimal places/],
      [{ recordId, stage: 'Applied', value: { amount: 1, currency: 'EUR' } }, 400, /value/],
      [{ recordId, stage: 'Applied', attributes: { shoe_size: 4 } }, 400, /no attribute of the list/],
      [{ recordId, stage: 'Applied', attributes: { tags: ['Junior'] } }, 422, /is no option/],
      [{ recordId, stage: 'Applied', attributes: { stage: 'Offer' } }, 400, /given twice/],
      [{ recordId, stage: 'Applied', extra: 1 }, 400, /extra is not known here/],
      ['x', 400, /must be an object/],
    ];
    for (const [body, status, words] of cases) {
      const answer = await add(service, 'recruiting', body);
      expect([JSON.stringify(body), answer.status, answer.body.detail]).toEqual([
        JSON.stringify(body),
        status,
        expect.stringMatching(words),
      ]);
    }
    expect((await add(service, 'recruting', { recordId, stage: 'Applied' })).status).toBe(404);
    expect((await add(service, 'recruting', { recordId, stage: 'Applied' })).body.detail).toContain(
      'recruiting',
    );
    expect((await change(service, 'recruiting', recordId, { stage: 'Applied' })).status).toBe(404);
    expect((await change(service, 'recruiting', recordId, {})).status).toBe(400);
    expect(attioEntries(service, 'recruiting')).toEqual([]);
    expect(entryRequests(service, 'PUT') + entryRequests(service, 'POST')).toBe(0);
  });

  it('of an archived stage is refused; one that was made just now is taken', async () => {
    await using service = await startWriting();
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    const { sandbox } = service.sandbox;
    await add(service, 'recruiting', { recordId, stage: 'Applied' });
    sandbox.act({
      method: 'PATCH',
      path: '/lists/recruiting/attributes/stage/statuses/Offer',
      body: { data: { is_archived: true } },
    });
    sandbox.act({
      method: 'POST',
      path: '/lists/recruiting/attributes/stage/statuses',
      body: { data: { title: 'On hold' } },
    });
    const fresh = await add(service, 'recruiting', { recordId, stage: 'on hold' });
    expect(fresh.body.data.stage?.title).toBe('On hold');
    const archived = await add(service, 'recruiting', { recordId, stage: 'Offer' });
    expect(archived.status).toBe(422);
    expect(archived.body.detail).toContain('archived');
  });
});

describe('the deals', () => {
  it("are the object's own pipeline", async () => {
    await using service = await startWriting();
    await service.sync('all');
    const made = await service.call<{ data: { id: string; recordId: string } }>('PUT', '/v1/deals', {
      body: { externalId: 'order:1', name: 'Engine', stage: 'lead', value: { amount: 100 } },
    });
    expect(made.status).toBe(200);
    const { id, recordId } = made.body.data;
    const before = await stages(service, 'deals');
    expect(before.find(({ title }) => title === 'Lead')).toMatchObject({ currencyCode: 'USD' });
    const moved = await add(service, 'deals', { recordId, stage: 'in progress', value: { amount: 250 } });
    expect(moved.body.data).toMatchObject({ id, object: 'deals', recordId, stage: { title: 'In Progress' } });
    const after = await stages(service, 'deals');
    const count = (all: typeof after, name: string) => all.find(({ title }) => title === name)?.count ?? 0;
    expect(count(after, 'Lead')).toBe(count(before, 'Lead') - 1);
    expect(count(after, 'In Progress')).toBe(count(before, 'In Progress') + 1);
    expect((await entries(service, 'deals', '?stage=In progress')).map((entry) => entry.id)).toContain(id);
    expect((await change(service, 'deals', id, { stage: 'Nowhere' })).status).toBe(422);
    expect((await add(service, 'deals', { email: 'ada@engines.example', stage: 'Lead' })).status).toBe(422);
  });
});
