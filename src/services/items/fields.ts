import { decideWrite, type FieldOperation } from '../../domain/decide-write.ts';
import type { Item } from '../../domain/items.ts';
import { canonicalJson, type Json, type JsonObject } from '../../domain/json.ts';
import type { OutboxRow, WriteBase, WriteIntent } from '../../domain/outbox.ts';
import type { RecordValues } from '../../domain/records.ts';
import { plainField } from '../outbox/fields.ts';
import type { PlannedConflict } from '../outbox/plan.ts';
import type { Attributes } from './shape.ts';

/** What both sides agree on now of the fields to be written. */
export function baseOf(
  item: Pick<Item, 'kind' | 'body'>,
  intent: WriteIntent,
  attributes: Attributes | null,
): WriteBase {
  const fields = Object.keys(intent);
  if (item.kind !== 'entries') {
    return Object.fromEntries(fields.map((field) => [field, item.body[field] ?? null]));
  }
  const known = fields.flatMap((field) => {
    const attribute = attributes?.get(field);
    // The body of an entry is its values.
    return attribute === undefined
      ? []
      : [[field, plainField(field, attribute, item.body as RecordValues)] as const];
  });
  return Object.fromEntries(known);
}

export interface MemberPlan {
  /** What is left to send, by member. */
  readonly send: WriteIntent;
  readonly conflicts: readonly PlannedConflict[];
}

/**
 * Holds a write of members that bear no time (a task's) against the item as it is now.
 *
 * A member that is neither what was agreed on nor what is asked for was changed by somebody: when the write was held
 * back it stays theirs, else it is ours.
 */
export function planMembers(
  row: Pick<OutboxRow, 'intent' | 'base'>,
  theirs: JsonObject,
  context: { readonly acceptedAt: number; readonly heldBack: boolean },
): MemberPlan {
  const send: Record<string, Json> = {};
  const conflicts: PlannedConflict[] = [];
  for (const [field, wanted] of Object.entries(row.intent)) {
    const base = row.base[field];
    const decided = decideWrite({
      operation: operationOf(wanted),
      base,
      theirs: theirs[field] ?? null,
      theirsSince: context.heldBack ? Number.POSITIVE_INFINITY : null,
      ...context,
      same: sameMember,
    });
    if (decided.send !== null) send[field] = wanted;
    if (decided.conflict !== null) {
      conflicts.push({ ...decided.conflict, field, base: base ?? null, attio: theirs[field] ?? null });
    }
  }
  return { send, conflicts };
}

function operationOf(wanted: Json): FieldOperation {
  if (wanted === null) return { op: 'clear' };
  if (Array.isArray(wanted)) return wanted.length === 0 ? { op: 'clear' } : { op: 'replace', values: wanted };
  return { op: 'set', value: wanted };
}

/** Instants may be spelt in several ways. */
function sameMember(input: Json, read: Json): boolean {
  if (typeof input === 'string' && typeof read === 'string') {
    return input === read || (isInstant(input) && Date.parse(input) === Date.parse(read));
  }
  return canonicalJson(input) === canonicalJson(read);
}

function isInstant(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}T/.test(text);
}
