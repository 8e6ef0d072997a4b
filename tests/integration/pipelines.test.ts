import { describe, expect, it } from 'vitest';
import {
  add,
  attioEntries,
  change,
  type EntryJson,
  entries,
  entryRequests,
  stages,
} from '../support/pipelines.ts';
import {
  conflicts,
  delivered,
  letters,
  outage,
  person,
  put,
  quiet,
  recovered,
  startWriting,
} from '../support/writes.ts';

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
    // On a busy machine the last of them are not waited for to their end.
    expect(answers.every(({ status }) => status === 200 || status === 202)).toBe(true);
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
    expect((await change(service, 'recruiting', id, { stage: 'Offer' })).status).toBe(410);
    expect(await conflicts(service)).toEqual([]);
    expect((await change(service, 'recruiting', id, { stage: 'Offer' })).status).toBe(410);
    expect((await service.get(`/v1/pipelines/recruiting/entries/${id}`)).status).toBe(410);
    // Put in again, it is a new one.
    const again = await add(service, 'recruiting', { recordId, stage: 'Applied' });
    expect(again.status).toBe(200);
    expect(again.body.data.id).not.toBe(id);
  });

  it('that was deleted in Attio unheard is made again when its record is put in', async () => {
    await using service = await startWriting({ subscribe: false });
    const recordId = person(service, { email_addresses: ['ada@engines.example'] });
    for (const query of ['', '?wait=false']) {
      const { entryId } = (await add(service, 'recruiting', { recordId, stage: 'Applied' })).body.data;
      service.sandbox.sandbox.act({ method: 'DELETE', path: `/lists/recruiting/entries/${entryId}` });
      expect((await add(service, 'recruiting', { recordId, stage: 'Offer' }, query)).status).toBe(
        query === '' ? 200 : 202,
      );
      await delivered(service);
      expect(attioEntries(service, 'recruiting')).toEqual([
        { parent: recordId, stage: 'Offer', value: null },
      ]);
      const [entry, ...others] = await entries(service, 'recruiting');
      expect(entry).toMatchObject({ stage: { title: 'Offer' }, sync: { status: 'synced' } });
      expect([others, await letters(service)]).toEqual([[], []]);
    }
  });
});
