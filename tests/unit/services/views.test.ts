import { expect, test } from 'vitest';
import type { Attribute } from '../../../src/attio/types.ts';
import { attribute } from '../../../src/attio/types.ts';
import type { ViewOutcome } from '../../../src/domain/views.ts';
import type { ListInfo } from '../../../src/services/lists.ts';
import { viewColumnsOf } from '../../../src/services/views/columns.ts';
import { ViewsService } from '../../../src/services/views.ts';

function made(slug: string, type = 'text', more: object = {}): Attribute {
  const id = { workspace_id: 'w', object_id: 'o', attribute_id: 'a' };
  return attribute.parse({ id, api_slug: slug, type, ...more });
}

const LISTS: readonly ListInfo[] = [
  { id: 'list-1', slug: 'hiring', name: 'Hiring', parentObjects: ['people'] },
  { id: 'list-2', slug: 'private', name: 'Private', parentObjects: ['people'] },
];

/** A service whose store notes whose view it is asked for, and answers as told. */
function setUp(answer: (name: string) => ViewOutcome | Error = built) {
  const asked: string[] = [];
  const told: string[] = [];
  const state = { answer };
  const service = new ViewsService({
    objects: ['people', 'deals'],
    lists: {
      byId: async (id) => LISTS.find((list) => list.id === id) ?? null,
      isMirrored: (list) => list.slug !== 'private',
    },
    store: {
      async ensure({ rows, columns }) {
        const name = 'object' in rows ? rows.object : `${rows.list} of ${rows.listId}`;
        asked.push(`${name}: ${columns.map(({ slug }) => slug).join(' ')}`);
        const outcome = state.answer(name);
        if (outcome instanceof Error) throw outcome;
        return outcome;
      },
    },
    events: {
      viewBuilt: (view) => told.push(`built ${view}`),
      viewKept: (view, why) => told.push(`kept ${view}: ${why}`),
      viewFailed: (of) => told.push(`failed ${of}`),
    },
  });
  return { service, asked, told, state };
}

function built(name: string): ViewOutcome {
  return { is: 'built', name };
}

test('nothing is made before the workspace is known, then what was read last', async () => {
  const { service, asked } = setUp();
  service.attributesRead('people', [made('name')]);
  service.attributesRead('people', [made('name'), made('city')]);
  service.attributesRead('workspaces', [made('name')]);
  await service.built();
  expect(asked).toEqual([]);
  service.start();
  await service.built();
  expect(asked).toEqual(['people: name city']);
});

test('what is read while a view is made is made too, before `built` resolves', async () => {
  const { service, asked } = setUp();
  service.start();
  service.attributesRead('people', [made('name')]);
  service.attributesRead('deals', [made('stage')]);
  service.attributesRead('people', [made('name'), made('city')]);
  await service.built();
  expect(asked).toEqual(['people: name', 'deals: stage', 'people: name city']);
});

test('one that fails is tried again, and stops no other', async () => {
  const { service, asked, told, state } = setUp((name) =>
    name === 'people' ? new Error('locked') : built(name),
  );
  service.start();
  service.attributesRead('people', [made('name')]);
  service.attributesRead('deals', [made('stage')]);
  await service.built();
  expect(told).toEqual(['failed objects/people', 'built deals']);
  state.answer = built;
  await service.retry();
  await service.retry();
  expect(asked).toEqual(['people: name', 'deals: stage', 'people: name']);
  expect(told).toEqual(['failed objects/people', 'built deals', 'built people']);
});

test('that a view stays as it is, is told once', async () => {
  const { service, told, state } = setUp((name) => ({ is: 'kept', name, why: 'it is used' }));
  service.start();
  for (let reads = 0; reads < 3; reads += 1) {
    service.attributesRead('people', [made('name')]);
    await service.built();
  }
  state.answer = (name) => ({ is: 'unchanged', name });
  service.attributesRead('people', [made('name')]);
  await service.built();
  expect(told).toEqual(['kept people: it is used']);
});

test('lists that are mirrored have views, by their slug as it is now', async () => {
  const { service, asked } = setUp();
  service.start();
  for (const id of ['list-1', 'list-2', 'list-3']) service.listAttributesRead(id, [made('stage', 'status')]);
  await service.built();
  expect(asked).toEqual(['hiring of list-1: stage']);
});

test('once stopped it makes no more', async () => {
  const { service, asked } = setUp();
  service.start();
  await service.stop();
  service.attributesRead('people', [made('name')]);
  await service.built();
  expect(asked).toEqual([]);
});

test('an attribute that is archived has no column; of a type that is not known it has its whole value', () => {
  expect(
    viewColumnsOf([
      made('old', 'text', { is_archived: true }),
      made('novel', 'hologram', { is_multiselect: true }),
    ]),
  ).toEqual([
    {
      slug: 'novel',
      type: 'json',
      multi: true,
      paths: [[]],
      without: ['active_from', 'active_until', 'created_by_actor', 'attribute_type'],
    },
  ]);
});
