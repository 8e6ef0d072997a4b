import { decideWrite, type FieldOperation, isThere } from '../../domain/decide-write.ts';
import type { Item } from '../../domain/items.ts';
import { type Json, type JsonObject, sameJson } from '../../domain/json.ts';
import type { OutboxRow, WriteBase, WriteIntent } from '../../domain/outbox.ts';
import type { RecordValues } from '../../domain/records.ts';
import type { Reading } from '../conflicts/open.ts';
import { plainField } from '../outbox/fields.ts';
import { type PlanContext, type PlannedConflict, policyOf, reasonOf } from '../outbox/plan.ts';
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

/** What a write of an item has met in Attio. */
export interface Met {
  readonly conflicts: readonly PlannedConflict[];
  /** Fields with an open conflict that Attio has by now as is asked for. */
  readonly agreed: readonly string[];
}

export const NOTHING_MET: Met = { conflicts: [], agreed: [] };

type MemberContext = Pick<PlanContext, 'acceptedAt' | 'heldBack' | 'rules' | 'open'>;

export interface MemberPlan extends Met {
  /** What is left to send, by member. */
  readonly send: WriteIntent;
}

/** The rules of a task's members go by this name. */
export const TASKS = 'tasks';

/**
 * Holds a write of members that bear no time (a task's) against the item as it is now.
 *
 * What is neither as agreed on nor as is asked for was changed by somebody, nobody knows when: under `last-write-wins`
 * it stays theirs when the write was held back, else it is ours.
 */
export function planMembers(
  row: Pick<OutboxRow, 'intent' | 'base' | 'conflictId'>,
  theirs: JsonObject,
  context: MemberContext,
): MemberPlan {
  const decided = Object.entries(row.intent).map(([field, wanted]) => ({
    field,
    wanted,
    ...decideMember(row, field, wanted, theirs[field] ?? null, context),
  }));
  return {
    send: Object.fromEntries(
      decided.filter(({ isSent }) => isSent).map(({ field, wanted }) => [field, wanted]),
    ),
    conflicts: decided.flatMap(({ conflict }) => conflict ?? []),
    agreed: decided
      .filter(({ field, conflict }) => conflict === null && context.open.has(field))
      .map(({ field }) => field),
  };
}

function decideMember(
  row: Pick<OutboxRow, 'base' | 'conflictId'>,
  field: string,
  wanted: Json,
  attio: Json,
  { acceptedAt, heldBack, rules, open }: MemberContext,
): { readonly isSent: boolean; readonly conflict: PlannedConflict | null } {
  const policy = policyOf(row, rules, TASKS, field);
  const standing = open.get(field);
  const { send, conflict } = decideWrite({
    operation: operationOf(wanted),
    base: row.base[field],
    theirs: attio,
    theirsSince: null,
    goneSince: null,
    acceptedAt,
    heldBack,
    policy,
    toleranceMs: rules.toleranceMs,
    isOpen: standing !== undefined,
    same: sameMember,
  });
  if (conflict === null) return { isSent: send !== null, conflict };
  const values = { base: row.base[field] ?? null, local: wanted, attio, wanted };
  const { decided } = conflict;
  const planned = {
    field,
    ...values,
    decided,
    reason: reasonOf(conflict, policy),
    heldBy: standing?.id ?? null,
  };
  return { isSent: send !== null, conflict: planned };
}

/** What a task has for the member of a conflict. */
export function memberReading(body: JsonObject): Reading {
  return ({ field, wanted }) => {
    const value = body[field] ?? null;
    return { value, isAgreed: isThere(operationOf(wanted), value, sameMember) };
  };
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
  return sameJson(input, read);
}

function isInstant(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}T/.test(text);
}
