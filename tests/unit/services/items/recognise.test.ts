import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ItemKind, ItemSnapshot } from '../../../../src/domain/items.ts';
import type { JsonObject } from '../../../../src/domain/json.ts';
import type { OutboxRow } from '../../../../src/domain/outbox.ts';
import { isSameThing, type Sought } from '../../../../src/services/items/recognise.ts';

const AT = '2026-11-24T10:00:00.000Z';
const WORDS = { title: 'Follow up', content: 'Same words' };
const TOKEN = { type: 'api-token', id: 'token' };
const MEMBER = { type: 'workspace-member', id: 'member' };

function soughtOf(kind: ItemKind, more: Partial<Sought> = {}, intent: JsonObject = WORDS): Sought {
  const creation = { operation: 'create', kind, intent, sentAt: AT } as unknown as OutboxRow<ItemKind>; // what is looked at
  return { kind, createdAt: AT, links: [], listId: null, entryId: null, threadId: null, creation, ...more };
}

function snapshotOf(kind: ItemKind, more: Partial<ItemSnapshot> = {}): ItemSnapshot {
  const bodies: Record<ItemKind, JsonObject> = {
    entries: { created_by: [{ referenced_actor_type: 'api-token', referenced_actor_id: 'token' }] },
    notes: { ...WORDS, createdBy: TOKEN },
    tasks: { content: WORDS.content, deadlineAt: null, createdBy: TOKEN },
    comments: { content: WORDS.content },
  };
  const place = { links: [], listId: null, entryId: null, threadId: null };
  return { kind, attioId: 'x', createdAt: AT, body: bodies[kind], readAt: AT, ...place, ...more };
}

const kinds = fc.constantFrom<ItemKind>('entries', 'notes', 'tasks', 'comments');
const records = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 });
const linksTo = (ids: readonly string[]) =>
  ids.map((recordId) => ({ object: 'people', recordId, entityId: null }));

test('of things that say the same at the same time, each is its own by the records that it is about', () => {
  fc.assert(
    fc.property(kinds, records, records, (kind, ours, theirs) => {
      const found = isSameThing(
        soughtOf(kind, { links: linksTo(ours) }),
        snapshotOf(kind, { links: linksTo(theirs) }),
      );
      const isThere = ours.length === 0 ? theirs.length === 0 : ours.every((id) => theirs.includes(id));
      expect(found).toBe(isThere);
    }),
  );
});

test('a record that was yet to be made when it was asked for is known by its thing', () => {
  const sought = soughtOf('notes', { links: [{ object: 'people', recordId: null, entityId: 'ada' }] });
  const snapshot = snapshotOf('notes', { links: [{ object: 'people', recordId: 'a' }] });
  expect(isSameThing(sought, snapshot, () => 'ada')).toBe(true);
  expect(isSameThing(sought, snapshot, () => 'bob')).toBe(false);
  expect(isSameThing(sought, snapshot)).toBe(false);
});

describe('a comment', () => {
  test('is on its entry', () => {
    const sought = soughtOf('comments', { entryId: 'e1' });
    expect(isSameThing(sought, snapshotOf('comments', { entryId: 'e1' }))).toBe(true);
    expect(isSameThing(sought, snapshotOf('comments', { entryId: 'e2' }))).toBe(false);
    expect(isSameThing(sought, snapshotOf('comments'))).toBe(false);
  });

  test('is in its thread, whatever that is about', () => {
    const sought = soughtOf('comments', { threadId: 't1' });
    const links = linksTo(['a']);
    expect(isSameThing(sought, snapshotOf('comments', { threadId: 't1', links }))).toBe(true);
    expect(isSameThing(sought, snapshotOf('comments', { threadId: 't2' }))).toBe(false);
  });
});

describe('what somebody has made by hand', () => {
  test.each(['notes', 'tasks'] as const)('is none of our %s', (kind) => {
    const body = { ...snapshotOf(kind).body, createdBy: MEMBER };
    expect(isSameThing(soughtOf(kind), snapshotOf(kind, { body }))).toBe(false);
  });

  test('is the entry of a record, unless a second one was asked for', () => {
    const body = { created_by: [{ referenced_actor_type: 'workspace-member', referenced_actor_id: 'm' }] };
    const snapshot = snapshotOf('entries', { body });
    expect(isSameThing(soughtOf('entries', {}, {}), snapshot)).toBe(true);
    expect(isSameThing(soughtOf('entries', {}, { allowDuplicate: true }), snapshot)).toBe(false);
  });
});

describe('a text', () => {
  test.each([
    ['**Bold**, and\n- listed', 'Bold and listed', true],
    ['🎉', '🎉', true],
    ['🎉', '❌', false],
    ['One', 'Two', false],
  ])('%j is %j: %s', (written, read, same) => {
    const sought = soughtOf('tasks', {}, { content: written });
    const body = { ...snapshotOf('tasks').body, content: read };
    expect(isSameThing(sought, snapshotOf('tasks', { body }))).toBe(same);
  });
});
