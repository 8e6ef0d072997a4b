import type { ItemKind, ItemSnapshot } from '../../domain/items.ts';
import type { OutboxRow } from '../../domain/outbox.ts';
import type { PlannedConflict } from '../outbox/plan.ts';
import type { Stores } from '../ports.ts';
import { baseOf } from './fields.ts';
import type { Attributes } from './shape.ts';

/**
 * What waits behind a write was accepted before this was agreed on: nobody else's change, but ours.
 * @param conflicts of the write: on what was left as somebody has made it in Attio nothing is agreed
 */
export async function rebase(
  stores: Stores,
  row: OutboxRow<ItemKind>,
  answer: Pick<ItemSnapshot, 'kind' | 'body'>,
  attributes: Attributes | null,
  conflicts: readonly PlannedConflict[],
): Promise<void> {
  const waiting = (await stores.outbox.pendingOf(row.kind, [row.entityId])).get(row.entityId) ?? [];
  const theirs = new Set(conflicts.filter(({ decided }) => decided !== 'local').map(({ field }) => field));
  for (const later of waiting) {
    // A task that was just made is as we made it, also in what was not asked for.
    const isWhole = row.kind !== 'entries' && row.operation === 'create';
    const fields = Object.entries(isWhole ? { ...row.intent, ...later.intent } : row.intent);
    const agreed = Object.fromEntries(fields.filter(([field]) => !theirs.has(field)));
    await stores.outbox.rebase(later.id, { ...later.base, ...baseOf(answer, agreed, attributes) });
  }
}
