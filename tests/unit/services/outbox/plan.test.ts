import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Attribute } from '../../../../src/attio/types.ts';
import { AttributeValueError } from '../../../../src/attio/values/codec.ts';
import { readValues } from '../../../../src/attio/values/read.ts';
import type { Json, JsonObject } from '../../../../src/domain/json.ts';
import type { WriteIntent } from '../../../../src/domain/outbox.ts';
import type { RecordValues } from '../../../../src/domain/records.ts';
import { isEmptyPlan, planWrite, type WritePlan } from '../../../../src/services/outbox/plan.ts';
import { Mapping } from '../../../../src/services/sync/mapping.ts';
import { createSandbox, type Sandbox } from '../../../mocks/sandbox.ts';

const LATER = Date.parse('2100-01-01T00:00:00Z');
const PATH = '/objects/people/records';

const mapping = new Mapping({ dealKey: 'external_id' });
const sandbox = createSandbox({ people: 0, companies: 0, deals: 0 });
const attributes = new Map(
  (sandbox.act({ method: 'GET', path: '/objects/people/attributes?limit=200' }) as Attribute[]).map(
    (attribute) => [attribute.api_slug, attribute],
  ),
);

function plan(intent: WriteIntent, values: RecordValues = {}, base: JsonObject = {}): WritePlan {
  return planWrite({
    row: { intent, base },
    scope: 'people',
    values,
    attributes,
    acceptedAt: LATER,
    heldBack: false,
    rules: { policy: 'last-write-wins', toleranceMs: 0, objects: {} },
    open: new Map(),
    goneSince: new Map(),
  });
}

const name = (first: string, last: string, from = '2026-01-01T00:00:00Z') => ({
  name: [{ first_name: first, last_name: last, full_name: `${first} ${last}`.trim(), active_from: from }],
});

describe('a plan', () => {
  test('puts single values, additions and what is to be exact where one request takes them', () => {
    const intent = {
      email_addresses: ['a@b.example'],
      job_title: 'Analyst',
      'name.firstName': 'Ada',
      phone_numbers: { replace: ['+15550100001'] },
      description: null,
      interests: ['Analytics'],
      vip: false,
    };
    expect(plan(intent, { description: [{ value: 'old' }], vip: [{ value: true }] })).toEqual({
      set: {
        job_title: [{ value: 'Analyst' }],
        name: [{ first_name: 'Ada', last_name: '', full_name: 'Ada' }],
        vip: [{ value: false }],
      },
      add: { email_addresses: [{ email_address: 'a@b.example' }], interests: [{ option: 'Analytics' }] },
      exact: { phone_numbers: [{ original_phone_number: '+15550100001' }], description: [] },
      conflicts: [],
      agreed: [],
      undated: [],
    });
  });

  test.each([
    ['a first name keeps the last one', { 'name.firstName': 'Ada' }, name('Eve', 'King'), ['Ada', 'King']],
    ['a last name keeps the first one', { 'name.lastName': 'King' }, name('Ada', ''), ['Ada', 'King']],
    ['a cleared half keeps the other', { 'name.firstName': null }, name('Ada', 'King'), ['', 'King']],
    ['both are written together', { 'name.firstName': 'A', 'name.lastName': 'B' }, name('', 'X'), ['A', 'B']],
  ])('of a name: %s', (_, intent, values, [first, last]) => {
    expect(plan(intent, values).set['name']).toMatchObject([{ first_name: first, last_name: last }]);
  });

  test('of a name clears it when nothing is left of it', () => {
    expect(plan({ 'name.firstName': null }, name('Ada', ''))).toMatchObject({ exact: { name: [] }, set: {} });
    expect(plan({ 'name.firstName': null, 'name.lastName': null }, name('Ada', 'King')).exact).toEqual({
      name: [],
    });
    expect(isEmptyPlan(plan({ 'name.firstName': null }, name('', 'King')))).toBe(true);
  });

  test('writes half a name beside one that a person has changed since', () => {
    const values = name('Ada', 'Theirs', '2200-01-01T00:00:00Z');
    const base = { 'name.firstName': 'Ada', 'name.lastName': 'King' };
    const made = plan({ 'name.firstName': 'Augusta', 'name.lastName': 'Ours' }, values, base);
    expect(made.set['name']).toMatchObject([{ first_name: 'Augusta', last_name: 'Theirs' }]);
    const conflict = {
      field: 'name.lastName',
      base: 'King',
      local: 'Ours',
      attio: 'Theirs',
      wanted: 'Ours',
      decided: 'attio',
      reason: 'last-write-wins',
      heldBy: null,
    };
    expect(made.conflicts).toEqual([conflict]);
  });

  test('refuses what the workspace lacks or does not take', () => {
    for (const intent of [
      { no_such: 1 },
      { job_title: ['a', 'b'] },
      { job_title: { replace: ['a'] } },
      { vip: 'yes' },
    ]) {
      expect(() => plan(intent)).toThrow(AttributeValueError);
    }
  });
});

describe('against the sandbox', () => {
  const word = fc.constantFrom('Ada', 'Bela', 'Cleo');
  const phone = fc.integer({ min: 1000, max: 1004 }).map((digits) => `+1555010${digits}`);
  const phones = fc.uniqueArray(phone, { minLength: 1, maxLength: 3 });
  const intents = fc
    .record(
      {
        'name.firstName': fc.option(word),
        'name.lastName': fc.option(word),
        job_title: fc.option(word),
        description: fc.option(word),
        phone_numbers: fc.oneof(
          phone,
          phones,
          phones.map((replace) => ({ replace })),
          fc.constant(null),
        ),
        lead_score: fc.option(fc.integer({ min: 0, max: 9 })),
        satisfaction: fc.option(fc.integer({ min: 0, max: 5 })),
        vip: fc.boolean(),
        birthday: fc.option(fc.constantFrom('1815-12-10', '2000-02-29')),
      },
      { requiredKeys: [] },
    )
    .map((intent) => intent as WriteIntent);

  interface Seen {
    readonly id: string;
    readonly values: RecordValues;
  }

  function seen(answer: unknown): Seen {
    const { id, values } = answer as { id: { record_id: string }; values: RecordValues };
    return { id: id.record_id, values };
  }

  function facts(values: RecordValues) {
    const plain = Object.entries(values).map(([slug, list]): [string, Json] => {
      const attribute = attributes.get(slug);
      return [slug, attribute === undefined ? [] : readValues(attribute, list)];
    });
    return mapping.facts('people', values, Object.fromEntries(plain));
  }

  /** As the delivery does: PUT for what is to be exact, then PATCH for what is added. */
  function carryOut(box: Sandbox, { id, values }: Seen, { set, add, exact }: WritePlan): Seen {
    const send = (method: string, given: object) =>
      seen(box.act({ method, path: `${PATH}/${id}`, body: { data: { values: given } } }));
    if (Object.keys(exact).length === 0) {
      const given = { ...set, ...add };
      return Object.keys(given).length === 0 ? { id, values } : send('PATCH', given);
    }
    const put = send('PUT', { ...exact, ...set });
    return Object.keys(add).length === 0 ? put : send('PATCH', add);
  }

  function fresh(): Seen {
    return seen(box().createRecord({ object: 'people', values: {} }));
  }

  function box(): Sandbox {
    return sandbox;
  }

  test('a write is shown before as it is afterwards, and the same again sends nothing', () => {
    fc.assert(
      fc.property(fc.array(intents, { minLength: 1, maxLength: 4 }), (all) => {
        let record = fresh();
        for (const intent of all) {
          const shown = mapping.overlay('people', facts(record.values), [intent]);
          record = carryOut(box(), record, plan(intent, record.values));
          expect(shown).toEqual(facts(record.values));
          expect(isEmptyPlan(plan(intent, record.values))).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('several writes that wait are shown as they are when all are delivered', () => {
    fc.assert(
      fc.property(fc.array(intents, { minLength: 2, maxLength: 5 }), (all) => {
        let record = fresh();
        const shown = mapping.overlay('people', facts(record.values), all);
        for (const intent of all) record = carryOut(box(), record, plan(intent, record.values));
        expect(shown).toEqual(facts(record.values));
      }),
      { numRuns: 100 },
    );
  });
});
