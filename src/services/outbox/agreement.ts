import { NAME_HALVES, type OutboxRow, type WriteBase } from '../../domain/outbox.ts';
import type { RecordSnapshot } from '../../domain/records.ts';
import type { Stores } from '../ports.ts';
import { type Attributes, isNameHalf, plainField, slugOf } from './fields.ts';

/**
 * What waits behind a write was accepted before this was agreed on: nobody else's change, but ours. What was accepted
 * earlier than the write, and waits because it was of another thing until now, does not stand on it.
 * @param theirs fields that were left as somebody has made them in Attio: on these nothing is agreed
 */
export async function rebase(
  stores: Stores,
  row: OutboxRow,
  entityId: string,
  answer: RecordSnapshot,
  attributes: Attributes,
  theirs: ReadonlySet<string>,
): Promise<void> {
  const pending = (await stores.outbox.pendingOf(row.kind, [entityId])).get(entityId) ?? [];
  const waiting = pending.filter(({ id }) => id > row.id);
  if (waiting.length === 0) return;
  const written = Object.keys(row.intent);
  // Half a name is written with the other half: from now on that one looks new, too.
  const seen = agreedOn(written.some(isNameHalf) ? NAME_HALVES : [], answer, attributes, theirs);
  const agreed = agreedOn(written, answer, attributes, theirs);
  for (const later of waiting) await stores.outbox.rebase(later.id, { ...seen, ...later.base, ...agreed });
}

function agreedOn(
  fields: readonly string[],
  answer: RecordSnapshot,
  attributes: Attributes,
  theirs: ReadonlySet<string>,
): WriteBase {
  const agreed = fields.flatMap((field) => {
    const attribute = theirs.has(field) ? undefined : attributes.get(slugOf(field));
    return attribute === undefined ? [] : [[field, plainField(field, attribute, answer.values)] as const];
  });
  return Object.fromEntries(agreed);
}
