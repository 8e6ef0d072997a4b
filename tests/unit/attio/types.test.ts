import { describe, expect, it } from 'vitest';
import {
  attribute,
  comment,
  entry,
  list,
  member,
  note,
  object,
  option,
  record,
  recordEntry,
  self,
  status,
  task,
  thread,
  webhook,
} from '../../../src/attio/types.ts';
import { OBJECT, RECORD } from './support.ts';

const id = { workspace_id: 'w', object_id: 'o', list_id: 'l', attribute_id: 'a' };
const created_at = '2026-01-01T00:00:00.123456789Z';

const ATTRIBUTE = {
  id,
  title: 'Name',
  description: null,
  api_slug: 'name',
  type: 'personal-name',
  is_system_attribute: true,
  is_writable: true,
  is_required: false,
  is_unique: false,
  is_multiselect: false,
  is_default_value_enabled: false,
  is_archived: false,
  default_value: null,
  relationship: null,
  created_at,
  config: {
    currency: { default_currency_code: null, display_type: null },
    record_reference: { allowed_object_ids: null },
  },
};

const SAMPLES = {
  object: OBJECT,
  attribute: ATTRIBUTE,
  record: RECORD,
  list: { id, api_slug: 'sales', name: 'Sales', parent_object: ['people'], created_at },
  entry: {
    id: { ...id, entry_id: 'e' },
    parent_record_id: 'r',
    parent_object: 'people',
    created_at,
    entry_values: { stage: [] },
  },
  recordEntry: { list_id: 'l', list_api_slug: 'sales', entry_id: 'e', created_at },
  option: { id: { ...id, option_id: 'x' }, title: 'Blue', is_archived: false },
  status: {
    id: { ...id, status_id: 's' },
    title: 'Won',
    is_archived: false,
    celebration_enabled: true,
    target_time_in_status: 'P1D',
  },
  note: {
    id: { ...id, note_id: 'n' },
    parent_object: 'people',
    parent_record_id: 'r',
    title: '',
    created_at,
  },
  task: {
    id: { ...id, task_id: 't' },
    content_plaintext: 'x',
    is_completed: false,
    deadline_at: null,
    created_at,
  },
  comment: { id: { ...id, comment_id: 'c' }, thread_id: 't', content_plaintext: 'x', created_at },
  thread: { id: { ...id, thread_id: 't' }, comments: [], created_at },
  member: {
    id: { ...id, workspace_member_id: 'm' },
    email_address: 'a@b.c',
    access_level: 'admin',
    created_at,
  },
  webhook: {
    id: { ...id, webhook_id: 'h' },
    target_url: 'https://x.test',
    subscriptions: [{ event_type: 'brand.new', filter: null }],
    status: 'something-new',
    created_at,
  },
} as const;

const SCHEMAS = {
  object,
  attribute,
  record,
  list,
  entry,
  recordEntry,
  option,
  status,
  note,
  task,
  comment,
  thread,
  member,
  webhook,
};

const names = Object.keys(SAMPLES) as (keyof typeof SAMPLES)[]; // keys of that very record

describe.each(names)('%s', (name) => {
  const sample = SAMPLES[name];

  it('is read, and keeps members that are not known', () => {
    const parsed = SCHEMAS[name].parse({ ...sample, brand_new: { deep: true } });
    expect(parsed).toMatchObject({ ...sample, brand_new: { deep: true } });
  });

  it('is refused without its id, or as something else', () => {
    const { [name === 'recordEntry' ? 'entry_id' : 'id']: _, ...rest } = sample as Record<string, unknown>; // any member may be taken away
    for (const odd of [rest, null, [], 'x', 7]) expect(SCHEMAS[name].safeParse(odd).success).toBe(false);
  });
});

describe('what live Attio sends and its documents do not say', () => {
  it('is read: no currency code, no relationship, an attribute type of tomorrow', () => {
    const parsed = attribute.parse({ ...ATTRIBUTE, type: 'telepathy', config: { currency: null } });
    expect(parsed.config).toEqual({ currency: null, record_reference: null });
  });

  it('is read: times with nine digits, a value of an unknown type with all its members', () => {
    const value = { attribute_type: 'telepathy', active_from: created_at, strength: 3 };
    const parsed = record.parse({ ...RECORD, created_at, values: { mind: [value] } });
    expect(parsed.values['mind']).toEqual([value]);
  });

  it('is refused: a creation time that is none, values that are no lists', () => {
    expect(record.safeParse({ ...RECORD, created_at: 'yesterday' }).success).toBe(false);
    expect(record.safeParse({ ...RECORD, values: { name: 'Ada' } }).success).toBe(false);
  });
});

describe('self', () => {
  it('is active with a workspace, or not active with nothing', () => {
    const active = { active: true, scope: 'a b', workspace_id: 'w', token_level: 'workspace', exp: null };
    expect(self.parse(active)).toMatchObject(active);
    expect(self.parse({ active: false })).toEqual({ active: false });
    expect(self.safeParse({ active: true }).success).toBe(false);
    expect(self.safeParse({}).success).toBe(false);
  });
});
