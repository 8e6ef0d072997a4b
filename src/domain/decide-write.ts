import { canonicalJson, type Json } from './json.ts';

/**
 * The rule by which a write that was accepted earlier meets what Attio has now, field by field. Last write wins:
 *
 * - What Attio has already is not sent.
 * - A field that Attio still shows as both sides last agreed is sent.
 * - A field that somebody changed in Attio after the write was accepted is theirs; changed before, it is ours. Either
 *   way both values are put on record, unless nothing was ever agreed on.
 * - A cleared field bears no time. When the write was held back it counts as cleared meanwhile, and stays theirs.
 * - Values that are added to a list take nothing away, so they are always sent, but for one that was there when the
 *   write was accepted and has been removed while it was held back.
 */
export type FieldOperation =
  | { readonly op: 'set'; readonly value: Json }
  | { readonly op: 'add'; readonly values: readonly Json[] }
  | { readonly op: 'replace'; readonly values: readonly Json[] }
  | { readonly op: 'clear' };

/** All in plain form. */
export interface FieldState {
  readonly operation: FieldOperation;
  /** What both sides last agreed on; undefined: nothing that we know of. */
  readonly base: Json | undefined;
  /** What Attio shows now; null or an empty list: nothing. */
  readonly theirs: Json;
  /** When that came to be, in Attio's clock; null: unknown, as of a field without a value. @unit ms */
  readonly theirsSince: number | null;
  /** When the write was accepted, in Attio's clock. @unit ms */
  readonly acceptedAt: number;
  /** The write was not sent at once. */
  readonly heldBack: boolean;
  /** Whether a value to write is one that is read. */
  readonly same: (input: Json, read: Json) => boolean;
}

export interface FieldDecision {
  /** What is left to send; null: nothing. */
  readonly send: FieldOperation | null;
  /** Both sides have changed the field. */
  readonly conflict: { readonly decided: 'local' | 'attio'; readonly local: Json } | null;
}

const NOTHING: FieldDecision = { send: null, conflict: null };

export function decideWrite(state: FieldState): FieldDecision {
  return state.operation.op === 'add' ? decideAdding(state, state.operation.values) : decideWhole(state);
}

function decideWhole(state: FieldState): FieldDecision {
  const { operation, base, theirs } = state;
  if (isThereAlready(state)) return NOTHING;
  if (base !== undefined && canonicalJson(base) === canonicalJson(theirs)) {
    return { send: operation, conflict: null };
  }
  const local = inputOf(operation);
  if (isTheirs(state)) return { send: null, conflict: { decided: 'attio', local } };
  return { send: operation, conflict: base === undefined ? null : { decided: 'local', local } };
}

function isTheirs({ base, theirs, theirsSince, acceptedAt, heldBack }: FieldState): boolean {
  if (isEmpty(theirs)) return heldBack && base !== undefined && !isEmpty(base);
  return theirsSince !== null && theirsSince > acceptedAt;
}

function decideAdding(state: FieldState, values: readonly Json[]): FieldDecision {
  const { same, heldBack } = state;
  const [theirs, base] = [listOf(state.theirs), listOf(state.base ?? null)];
  const missing = values.filter((value) => !theirs.some((read) => same(value, read)));
  const removed = heldBack ? missing.filter((value) => base.some((read) => same(value, read))) : [];
  const left = missing.filter((value) => !removed.includes(value));
  return {
    send: left.length === 0 ? null : { op: 'add', values: left },
    conflict: removed.length === 0 ? null : { decided: 'attio', local: removed },
  };
}

function isThereAlready({ operation, theirs, same }: FieldState): boolean {
  if (operation.op === 'clear') return isEmpty(theirs);
  if (operation.op === 'set') return !isEmpty(theirs) && same(operation.value, theirs);
  const [wanted, read] = [inputs(operation), listOf(theirs)];
  // In this order: the first address or number is the one that is shown.
  return wanted.length === read.length && read.every((each, place) => same(wanted[place] ?? null, each));
}

function inputs(operation: FieldOperation): readonly Json[] {
  if (operation.op === 'set') return [operation.value];
  return operation.op === 'clear' ? [] : operation.values;
}

function inputOf(operation: FieldOperation): Json {
  if (operation.op === 'set') return operation.value;
  return operation.op === 'clear' ? null : operation.values;
}

function isEmpty(value: Json): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

function listOf(value: Json): readonly Json[] {
  if (isEmpty(value)) return [];
  return Array.isArray(value) ? value : [value];
}
