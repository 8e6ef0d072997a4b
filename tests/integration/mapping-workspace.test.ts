/** A mapping against its workspace: what does not fit is named; what changes in the configuration is drawn anew. */
import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { addMapped, type MappingJson, mapped, startMapped } from '../support/mapping.ts';
import { prepareService, type TestService, until } from '../support/service.ts';
import {
  attio,
  conflicts,
  contact,
  contactsWith,
  delivered,
  outage,
  person,
  put,
  quiet,
  recovered,
  SMALL,
  type WrittenContact,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const ADA = 'ada@mapped.example';

interface Health {
  readonly status: string;
  readonly checks: { readonly mapping?: { readonly status: string; readonly problems: readonly string[] } };
}

async function health(service: TestService): Promise<Health> {
  return (await service.get<Health>('/health')).body;
}

function fieldsOf(shown: WrittenContact | undefined): unknown {
  return (shown as (WrittenContact & { fields?: unknown }) | undefined)?.fields;
}

/** What somebody does to an attribute in Attio. */
async function change(service: TestService, path: string, data: object): Promise<void> {
  service.sandbox.sandbox.act({ method: 'PATCH', path, body: { data } });
  await service.sandbox.sandbox.settled();
  await service.settled();
}

describe('a mapping that does not fit the workspace', () => {
  test('is named by health, and no more once it is mended', async () => {
    const mapping: MappingJson = {
      people: {
        jobTitle: { attribute: 'rolle' },
        tier: { attribute: 'customer_tier', transform: { map: { gold: 'Golden customer' } } },
        strength: { attribute: 'strongest_connection_strength' },
        firstName: { attribute: 'vip' },
      },
    };
    await using service = await prepareService({ sandbox: SMALL, configure: mapped(mapping) });
    addMapped(service);
    await service.start();
    await until(async () => ((await health(service)).checks.mapping?.problems.length ?? 0) === 4);
    const { status, checks } = await health(service);
    expect([status, checks.mapping?.status]).toEqual(['degraded', 'failed']);
    expect(checks.mapping?.problems).toEqual([
      'people.jobTitle: people have no attribute "rolle"; did you mean "role"?',
      'people.strength: the attribute "strongest_connection_strength" cannot be written: Attio sets it itself',
      'people.firstName: the attribute "vip" is of type checkbox, and this field takes text, select, status, date, timestamp, email-address, domain, phone-number',
      'people.tier: "gold" stands for "Golden customer", which is no option of "customer_tier"; did you mean "Gold customer"?',
    ]);
    const refused = await put(service, { email: ADA, jobTitle: 'Analyst' });
    expect(refused.status).toBe(400);
    expect(refused.body.detail).toContain('/jobTitle');
  });

  test('is told when an attribute is archived while the service runs, and when it is back', async () => {
    await using service = await startMapped({ people: { jobTitle: { attribute: 'role' } } });
    expect((await health(service)).checks).not.toHaveProperty('mapping');
    await change(service, '/objects/people/attributes/role', { is_archived: true });
    await until(async () => (await health(service)).status === 'degraded');
    expect((await health(service)).checks.mapping?.problems).toEqual([
      'people.jobTitle: people have no attribute "role"',
    ]);
    await change(service, '/objects/people/attributes/role', { is_archived: false });
    await until(async () => (await health(service)).status === 'ok');
  });
});

describe('a mapping that changes', () => {
  test('is seen in all that is mirrored, without a request for a record, and writes out ids that were known', async () => {
    let mapping: MappingJson = {};
    await using service = await prepareService({
      sandbox: SMALL,
      configure: (config) => mapped(mapping)(config),
    });
    addMapped(service);
    await service.start();
    await service.confirmed();
    const recordId = person(service, {
      email_addresses: [ADA],
      job_title: ['By slug'],
      role: ['By role'],
      customer_tier: ['Gold customer'],
    });
    await service.sync('people');
    await put(service, { email: ADA, externalId: 'erp:1' });
    expect(await contact(service, recordId)).toMatchObject({
      jobTitle: 'By slug',
      attributes: { role: 'By role' },
    });
    await quiet(service);
    await service.stop();

    mapping = {
      people: {
        jobTitle: { attribute: 'role' },
        tier: { attribute: 'customer_tier', transform: { map: { gold: 'Gold customer' } } },
        externalId: { attribute: 'erp_id' },
      },
    };
    service.sandbox.sandbox.clearRequests();
    await service.start();
    await until(async () => fieldsOf(await contact(service, recordId)) !== undefined);
    const shown = await contact(service, recordId);
    expect(shown).toMatchObject({ jobTitle: 'By role', attributes: { job_title: 'By slug' } });
    expect(fieldsOf(shown)).toEqual({ tier: 'gold' });
    expect(shown.attributes).not.toHaveProperty('role');
    await until(async () => attio(service, recordId)['erp_id']?.[0] === 'erp:1');
    await delivered(service);
    // The one that has an id, and nobody else.
    expect(writes(service)).toHaveLength(1);
    expect(await conflicts(service)).toEqual([]);
    await quiet(service);
    await service.stop();

    mapping = {};
    await service.start();
    await until(async () => fieldsOf(await contact(service, recordId)) === undefined);
    expect(await contact(service, recordId)).toMatchObject({
      jobTitle: 'By slug',
      externalId: 'erp:1',
      attributes: { role: 'By role', erp_id: 'erp:1' },
    });
  });

  test('leaves what stands as it is when the same one starts again', async () => {
    const mapping: MappingJson = { people: { jobTitle: { attribute: 'role' } } };
    await using service = await startMapped(mapping);
    const { body } = await put(service, { email: ADA, jobTitle: 'Analyst' });
    await quiet(service);
    const before = await contact(service, body.data.id);
    await service.stop();
    await service.start();
    await service.confirmed();
    expect((await contact(service, body.data.id)).version).toBe(before.version);
  });
});

test('a first start without Attio takes what the mapping takes, and refuses what it does not', async () => {
  const mapping: MappingJson = {
    people: {
      phone: { direction: 'in' },
      jobTitle: { attribute: 'role' },
      tier: { attribute: 'customer_tier', transform: { map: { gold: 'Gold customer' } } },
    },
  };
  await using service = await prepareService({
    sandbox: SMALL,
    configure: mapped(mapping),
    subscribe: false,
  });
  addMapped(service);
  service.sandbox.sandbox.addFault({ kind: 'disconnect' });
  await service.start();
  const refused = await put(service, { email: ADA, phone: '+15550100001', fields: { tier: 'tin' } });
  expect([refused.status, refused.body.detail]).toEqual([
    400,
    'Mend the request: /fields/tier must be one of "gold"; /phone is only read from Attio, as this service is configured: leave it out.',
  ]);
  const taken = await put(service, { email: ADA, jobTitle: 'Analyst', fields: { tier: 'gold' } });
  expect([taken.status, taken.body.data.jobTitle]).toEqual([202, 'Analyst']);
  expect(fieldsOf(taken.body.data)).toEqual({ tier: 'gold' });
  await recovered(service);
  const shown = await contact(service, taken.body.data.id);
  expect(attio(service, shown.recordId)).toMatchObject({
    role: ['Analyst'],
    customer_tier: ['Gold customer'],
  });
  expect(fieldsOf(shown)).toEqual({ tier: 'gold' });
});

describe('whose a field is', () => {
  /** A write is held back while a person edits the same field. */
  async function bothSides(service: TestService): Promise<WrittenContact> {
    const { body } = await put(service, { email: ADA, jobTitle: 'Agreed' });
    await quiet(service);
    await outage(service);
    await put(service, { email: ADA, jobTitle: 'Ours' });
    service.sandbox.sandbox.edit({
      object: 'people',
      recordId: body.data.recordId,
      values: { job_title: ['Theirs'] },
    });
    await recovered(service);
    await quiet(service);
    return contact(service, body.data.id);
  }

  test('decides for us where it is local, with both values on record', async () => {
    await using service = await startMapped({ people: { jobTitle: { owner: 'local' } } });
    expect((await bothSides(service)).jobTitle).toBe('Ours');
    expect(await conflicts(service)).toMatchObject([
      { field: 'job_title', base: 'Agreed', local: 'Ours', attio: 'Theirs', decided: 'local' },
    ]);
  });

  test('leaves it to the clock where it is shared', async () => {
    await using service = await startMapped({ people: { jobTitle: { owner: 'shared' } } });
    expect((await bothSides(service)).jobTitle).toBe('Theirs');
    expect(await conflicts(service)).toMatchObject([{ field: 'job_title', decided: 'attio' }]);
  });

  test.each([
    ['local', ['Ours']],
    ['shared', []],
  ])('decides over a field that is cleared in Attio meanwhile: %s', async (owner, expected) => {
    const configure = mapped({ people: { jobTitle: { owner } } });
    await using service = await startMapped(
      {},
      {
        configure(config) {
          const made = configure(config);
          return { ...made, outbox: { ...made.outbox, writeWaitMs: 500 } };
        },
      },
    );
    const { body } = await put(service, { email: ADA, jobTitle: 'Agreed' });
    await quiet(service);
    await outage(service);
    await put(service, { email: ADA, jobTitle: 'Ours' });
    const { recordId } = body.data;
    service.sandbox.sandbox.edit({ object: 'people', recordId, values: { job_title: [] } });
    await until(async () => {
      const answer = await service.get<{ checks: { outbox: { oldestAgeSeconds: number } } }>('/health');
      return answer.body.checks.outbox.oldestAgeSeconds >= 1;
    });
    await recovered(service);
    expect(attio(service, recordId)['job_title']).toEqual(expected);
  });

  test('refuses our writes where it is Attio’s', async () => {
    await using service = await startMapped({ people: { jobTitle: { owner: 'attio' } } });
    const { status, body } = await put(service, { email: ADA, jobTitle: 'Ours' });
    expect([status, body.detail]).toEqual([400, expect.stringContaining('/jobTitle is owned by Attio')]);
    expect(await contactsWith(service, ADA)).toEqual([]);
  });
});
