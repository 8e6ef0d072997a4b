import type { Item } from '../../src/domain/items.ts';
import type { NewOutboxRow } from '../../src/domain/outbox.ts';

const AT = '2026-01-01T00:00:00.000Z';

/** A living task that Attio does not have yet. */
export function task(id: string, recordIds: readonly string[], more: Partial<Item> = {}): Item {
  return {
    kind: 'tasks',
    id,
    attioId: null,
    listId: null,
    entryId: null,
    threadId: null,
    links: recordIds.map((recordId) => ({ object: 'people', recordId, entityId: null })),
    body: {},
    shown: {},
    stage: null,
    amount: null,
    currencyCode: null,
    isCompleted: false,
    hash: '',
    readAt: '',
    version: 1,
    createdAt: AT,
    updatedAt: AT,
    deletedAt: null,
    syncFailure: null,
    requestKey: null,
    ...more,
  };
}

/** The row that makes it. */
export function write(entityId: string): NewOutboxRow<'tasks'> {
  return {
    operation: 'create',
    kind: 'tasks',
    entityId,
    key: null,
    intent: { content: 'Secret' },
    base: {},
    externalIdBefore: undefined,
    acceptedAt: AT,
    afterId: null,
    batch: null,
  };
}
