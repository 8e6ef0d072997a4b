import { describe, expect, test } from 'vitest';
import { entry, record } from '../../../src/attio/types.ts';
import { RECORD } from './support.ts';

const VALUE = { active_from: '2026-01-01T00:00:00Z', active_until: null, attribute_type: 'text', value: 'a' };
const withValue = (value: unknown) => ({ ...RECORD, values: { name: [value] } });

describe('a record', () => {
  test('that is as documented is read as it stands, with the order of its members', () => {
    const odd = {
      ...RECORD,
      web_url: null,
      values: { z: [{ x: null, ...VALUE }], a: [], new: [{}] },
    };
    expect(record.parse(odd)).toBe(odd);
    const actor = withValue({ ...VALUE, created_by_actor: { id: null, type: 'system', more: 1 } });
    expect(record.parse(actor)).toBe(actor);
  });

  test('gets what it lacks', () => {
    const { web_url: _, ...withoutUrl } = RECORD;
    expect(record.parse(withoutUrl)).toEqual({ ...RECORD, web_url: null });
    const actor = { type: 'system' };
    const read = record.parse(withValue({ ...VALUE, created_by_actor: actor }));
    expect(read.values['name']).toEqual([{ ...VALUE, created_by_actor: { type: 'system', id: null } }]);
  });

  test.each([
    [{ ...RECORD, id: { ...RECORD.id, record_id: '' } }, 'id.record_id'],
    [{ ...RECORD, id: { ...RECORD.id, object_id: 1 } }, 'id.object_id'],
    [{ ...RECORD, created_at: 'yesterday' }, 'created_at'],
    [{ ...RECORD, web_url: 1 }, 'web_url'],
    [{ ...RECORD, values: [] }, 'values'],
    [{ ...RECORD, values: { name: {} } }, 'values.name'],
    [withValue('a'), 'values.name.0'],
    [withValue({ ...VALUE, active_from: 1 }), 'values.name.0.active_from'],
    [withValue({ ...VALUE, attribute_type: [] }), 'values.name.0.attribute_type'],
    [withValue({ ...VALUE, created_by_actor: 'me' }), 'values.name.0.created_by_actor'],
    [withValue({ ...VALUE, created_by_actor: { type: 1, id: null } }), 'values.name.0.created_by_actor.type'],
    ['a record', ''],
  ])('that is none is told by where it differs (%#)', (item, path) => {
    expect(record.safeParse(item).error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });
});

describe('an entry', () => {
  const ENTRY = {
    id: { workspace_id: 'w', list_id: 'l', entry_id: 'e' },
    parent_record_id: 'r1',
    parent_object: 'people',
    created_at: RECORD.created_at,
    entry_values: { stage: [VALUE], note: [] },
  };

  test('that is as documented is read as it stands, and gets what it lacks otherwise', () => {
    expect(entry.parse(ENTRY)).toBe(ENTRY);
    const actor = { type: 'system' };
    const read = entry.parse({ ...ENTRY, entry_values: { stage: [{ ...VALUE, created_by_actor: actor }] } });
    expect(read.entry_values['stage']).toEqual([
      { ...VALUE, created_by_actor: { type: 'system', id: null } },
    ]);
  });

  test.each([
    [{ ...ENTRY, id: { ...ENTRY.id, entry_id: '' } }, 'id.entry_id'],
    [{ ...ENTRY, parent_object: null }, 'parent_object'],
    [{ ...ENTRY, created_at: 'yesterday' }, 'created_at'],
    [{ ...ENTRY, entry_values: { stage: [1] } }, 'entry_values.stage.0'],
  ])('that is none is told by where it differs (%#)', (item, path) => {
    expect(entry.safeParse(item).error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });
});
