/** Deals with a mapping, and fields of several values. */
import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { attribute, type MappingJson, option, startMapped } from '../support/mapping.ts';
import { attio, contact, put, quiet, type WrittenContact } from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const ADA = 'ada@mapped.example';

function fieldsOf(shown: WrittenContact | undefined): unknown {
  return (shown as (WrittenContact & { fields?: unknown }) | undefined)?.fields;
}

describe('deals', () => {
  const MAPPING: MappingJson = {
    deals: {
      value: { attribute: 'mrr' },
      stage: { attribute: 'phase' },
      source: { attribute: 'lead_channel' },
      ownerEmail: { direction: 'in' },
    },
  };

  test('are mapped as well, with their pipeline', async () => {
    await using service = await startMapped(MAPPING);
    attribute(service, 'deals', 'mrr', 'currency');
    attribute(service, 'deals', 'phase', 'status');
    attribute(service, 'deals', 'lead_channel', 'text');
    const phase = '/objects/deals/attributes/phase/statuses';
    for (const title of ['New', 'Signed']) {
      service.sandbox.sandbox.act({ method: 'POST', path: phase, body: { data: { title } } });
    }
    await quiet(service);
    const body = {
      externalId: 'order:1',
      name: 'Engine',
      stage: 'signed',
      value: { amount: 12.5 },
      fields: { source: 'fair' },
      attributes: { stage: 'Lead' },
    };
    const { status, body: answer } = await service.call<{ data: Record<string, unknown> }>(
      'PUT',
      '/v1/deals',
      {
        body,
      },
    );
    expect(status).toBe(200);
    expect(answer.data).toMatchObject({
      stage: { title: 'Signed' },
      value: { amount: 12.5 },
      fields: { source: 'fair' },
      attributes: { stage: { title: 'Lead' } },
    });
    expect(attio(service, String(answer.data['recordId']), 'deals')).toMatchObject({
      mrr: [12.5],
      value: [],
      lead_channel: ['fair'],
    });
    const pipeline = await service.get<{ data: { stages: object[] } }>('/v1/pipelines/deals');
    expect(pipeline.body.data.stages).toMatchObject([
      { title: 'New', count: 0 },
      { title: 'Signed', count: 1, valueTotal: 12.5 },
    ]);
    const patched = await service.call<{ data: Record<string, unknown> }>(
      'PATCH',
      `/v1/deals/${answer.data['id']}`,
      { body: { stage: 'New', fields: { source: null } } },
    );
    expect(patched.body.data).toMatchObject({ stage: { title: 'New' }, fields: { source: null } });
    const refused = await service.call<{ detail: string }>('PUT', '/v1/deals', {
      body: { ...body, ownerEmail: 'robin@example.com' },
    });
    expect([refused.status, refused.body.detail]).toEqual([
      400,
      expect.stringContaining('/ownerEmail is only'),
    ]);
    const inPipeline = await service.call<{ detail: string }>(
      'PATCH',
      `/v1/pipelines/deals/entries/${answer.data['id']}`,
      { body: { attributes: { lead_channel: 'x', phase: 'New' } } },
    );
    expect(inPipeline.status).toBe(400);
    expect(inPipeline.body.detail).toContain(
      '/attributes/phase has its own place beside attributes: send it as stage',
    );
  });
});

test('a field of several values adds, replaces and clears as attributes do', async () => {
  await using service = await startMapped({
    people: {
      topics: { attribute: 'interests', transform: { map: { data: 'Analytics', links: 'Integrations' } } },
    },
  });
  option(service, 'interests', 'Other');
  await quiet(service);
  const first = await put(service, { email: ADA, fields: { topics: ['data'] } });
  const { recordId } = first.body.data;
  await put(service, { email: ADA, fields: { topics: 'links' } });
  expect(attio(service, recordId)['interests']?.toSorted()).toEqual(['Analytics', 'Integrations']);
  const replaced = await put(service, { email: ADA, fields: { topics: { replace: ['links'] } } });
  expect(fieldsOf(replaced.body.data)).toEqual({ topics: ['links'] });
  service.sandbox.sandbox.edit({ object: 'people', recordId, values: { interests: ['Other', 'Analytics'] } });
  await quiet(service);
  expect(fieldsOf(await contact(service, first.body.data.id))).toEqual({ topics: ['Other', 'data'] });
  const cleared = await put(service, { email: ADA, fields: { topics: null } });
  expect(fieldsOf(cleared.body.data)).toEqual({ topics: [] });
});

test('what an attribute does not take is told by the name of the field', async () => {
  await using service = await startMapped({
    people: {
      important: { attribute: 'vip' },
      source: { attribute: 'lead_source' },
      jobTitle: { attribute: 'role' },
    },
  });
  const unfit = await put(service, { email: ADA, fields: { important: 'perhaps' } });
  expect([unfit.status, unfit.body.detail]).toEqual([
    400,
    expect.stringContaining('/fields/important must be true'),
  ]);
  const unknown = await put(service, { email: ADA, fields: { source: 'Webseite' } });
  expect(unknown.status).toBe(422);
  expect(unknown.body.detail).toMatch(
    /^\/fields\/source is no option of this workspace\. Did you mean "Website"\?/,
  );
  const found = await put(service, { email: ADA, fields: { source: 'website', important: true } });
  expect(fieldsOf(found.body.data)).toEqual({ source: 'Website', important: true });
});
