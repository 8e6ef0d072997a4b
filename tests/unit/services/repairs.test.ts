import { expect, test } from 'vitest';
import type { Attribute } from '../../../src/attio/types.ts';
import type { EntityRow } from '../../../src/domain/entities.ts';
import type { Json } from '../../../src/domain/json.ts';
import { keySlugs } from '../../../src/domain/mapping.ts';
import { resolveMapping } from '../../../src/domain/mapping-rules.ts';
import type { NewOutboxRow, WriteIntent } from '../../../src/domain/outbox.ts';
import type { RecordValues } from '../../../src/domain/records.ts';
import type { Stores } from '../../../src/services/ports.ts';
import { Mapping } from '../../../src/services/sync/mapping.ts';
import { Repairs } from '../../../src/services/sync/repairs.ts';
import { createSandbox } from '../../mocks/sandbox.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const AT = '2026-01-01T00:00:00.000Z';
const sandbox = createSandbox({ people: 0, companies: 0, deals: 0 });
const attributes = new Map(
  (sandbox.act({ method: 'GET', path: '/objects/people/attributes?limit=200' }) as Attribute[]).map(
    (attribute) => [attribute.api_slug, attribute],
  ),
);
const { mappings } = resolveMapping(
  {
    people: {
      externalId: { attribute: 'internal_comment' },
      topics: { attribute: 'interests', direction: 'out' },
      score: { attribute: 'lead_score', direction: 'out' },
    },
  },
  keySlugs('external_id'),
);
const mapping = new Mapping({ dealKey: 'external_id', mappings });

function thing(externalId: string | null, fields: Readonly<Record<string, Json>>): EntityRow {
  const facts = { ...mapping.blank('people'), fields };
  const none = { webUrl: null, deletedAt: null, mergedInto: null, syncFailure: null };
  return {
    ...none,
    kind: 'people',
    id: 'p',
    recordId: 'r',
    externalId,
    facts,
    keys: [],
    version: 1,
    createdAt: AT,
    updatedAt: AT,
  };
}

function build(entity: EntityRow, pending: readonly WriteIntent[] = []) {
  const clock = new ManualClock();
  const added: NewOutboxRow[] = [];
  const repairs = new Repairs({
    mapping,
    schema: { knownAttributes: () => attributes },
    clock,
    onStored() {},
  });
  const stores = {
    entities: { byRecordIds: async () => new Map([['r', entity]]) },
    outbox: {
      pendingOf: async () => new Map([['p', pending.map((intent) => ({ intent }))]]),
      add: async (row: NewOutboxRow) => added.push(row),
    },
  } as unknown as Stores; // what it asks of them
  const read = (now: RecordValues, before: RecordValues) => {
    const snapshot = {
      object: 'people',
      recordId: 'r',
      createdAt: AT,
      webUrl: null,
      values: now,
      readAt: AT,
    };
    return repairs.afterRead(stores, 'people', [snapshot], new Map([['r', { values: before }]]), AT);
  };
  return { clock, added, repairs, stores, read };
}

const id = (value: string): RecordValues => ({ internal_comment: [{ value }] });
const topics = (...titles: string[]) =>
  titles.map((title) => ({ option: { id: { option_id: title }, title } }));

test('what was changed in Attio is written again, with what was agreed on before', async () => {
  const { added, read } = build(thing('ours', {}));
  await read(id('theirs'), id('ours'));
  expect(added).toMatchObject([
    { entityId: 'p', key: null, intent: { internal_comment: 'ours' }, base: { internal_comment: 'ours' } },
  ]);
});

test('once a minute, however often it is changed', async () => {
  const { added, clock, read } = build(thing('ours', {}));
  for (let second = 0; second < 60; second += 1) {
    await read(id(`theirs ${second}`), id('ours'));
    await clock.advance(1_000);
  }
  expect(added).toHaveLength(1);
  await read(id('theirs again'), id('ours'));
  expect(added).toHaveLength(2);
});

test.each<[string, EntityRow, RecordValues, readonly WriteIntent[]]>([
  ['what is there already', thing('ours', {}), id('ours'), []],
  ['what we have never said', thing(null, { topics: null, score: null }), id('theirs'), []],
  ['what a write under way is about', thing('ours', {}), id('theirs'), [{ internal_comment: 'newer' }]],
  ['a value that the attribute does not take', thing(null, { score: 'much' }), {}, []],
  [
    'a list of which each value is there',
    thing(null, { topics: ['Analytics'] }),
    { interests: topics('Reporting', 'Analytics') },
    [],
  ],
])('nothing is written of %s', async (_, entity, now, pending) => {
  const { added, read } = build(entity, pending);
  await read(now, {});
  expect(added).toEqual([]);
});

test('a value that somebody has taken out of a list is added again', async () => {
  const { added, read } = build(thing(null, { topics: ['Analytics', 'Reporting'] }));
  await read({ interests: topics('Reporting') }, { interests: topics('Reporting', 'Analytics') });
  expect(added).toMatchObject([{ intent: { interests: ['Analytics', 'Reporting'] } }]);
});

test('before a write of ours: what that does not name, whenever the last time was', async () => {
  const { added, repairs, stores, read } = build(thing('ours', { score: 7 }));
  await read(id('theirs'), id('ours'));
  const now = { ...id('theirs'), lead_score: [{ value: 8 }] };
  await repairs.store(stores, thing('ours', { score: 7 }), now, AT, { but: { lead_score: 9 } });
  expect(added.map(({ intent }) => intent)).toEqual([
    { internal_comment: 'ours', lead_score: 7 },
    { internal_comment: 'ours' },
  ]);
});
