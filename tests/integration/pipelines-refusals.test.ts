import { describe, expect, it } from 'vitest';
import { add, attioEntries, change, entries, entryRequests, stages } from '../support/pipelines.ts';
import { person, startWriting } from '../support/writes.ts';

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
