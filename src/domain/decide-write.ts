import type { ConflictPolicy } from './conflict-policies.ts';
import { isJsonObject, type Json, sameJson } from './json.ts';

/**
 * The rule by which a write that was accepted earlier meets what Attio has now, field by field: what both sides last
 * agreed on, what we were asked to write, what Attio shows.
 *
 * - What Attio has already is not sent.
 * - What Attio shows as both sides last agreed on, only we have changed: it is sent. When nothing was agreed on, what
 *   Attio has stood there before the write, unless it is newer.
 * - What both have changed is a conflict, and goes by the policy: `attio-wins`, `local-wins`, `manual` (nothing is sent,
 *   a person decides), or `last-write-wins`, by Attio's time of the change and the instant at which the write was
 *   accepted. Closer to each other than the tolerance they are simultaneous: Attio's stands, for a person sees it there.
 * - A change whose time cannot be found out counts as simultaneous when the write was held back. One that was sent at
 *   once is later, as far as anybody can tell: ours stands.
 * - Values that are added to a list take nothing away, so they are sent whatever else was changed: the list is merged as a
 *   set, what is there keeps its order. Only one that was agreed on and is there no more is a conflict, by itself.
 *   Exactly-these (`replace`) and `clear` speak of the whole field, and are decided as one value.
 * - While a conflict of the field waits for a person, so does everything else that is asked for it.
 */
export type FieldOperation =
  | { readonly op: 'set'; readonly value: Json }
  | { readonly op: 'add'; readonly values: readonly Json[] }
  | { readonly op: 'replace'; readonly values: readonly Json[] }
  | { readonly op: 'clear' };

/** All in plain form. Times are in Attio's clock. */
export interface FieldState {
  readonly operation: FieldOperation;
  /** What both sides last agreed on; undefined: nothing that we know of. */
  readonly base: Json | undefined;
  /** What Attio shows now; null or an empty list: nothing. */
  readonly theirs: Json;
  /** When the newest value that is there came to be; null: unknown, as of a field without a value. @unit ms */
  readonly theirsSince: number | null;
  /** When something was last taken away; null: unknown. Attio's values do not tell it. @unit ms */
  readonly goneSince: number | null;
  /** When the write was accepted. @unit ms */
  readonly acceptedAt: number;
  /** The write was not sent at once. */
  readonly heldBack: boolean;
  readonly policy: ConflictPolicy;
  /** @unit ms */
  readonly toleranceMs: number;
  /** A conflict of this field waits for a person. */
  readonly isOpen: boolean;
  /** Whether a value to write is one that is read. */
  readonly same: (input: Json, read: Json) => boolean;
}

/** Whose value stands; `open`: a person decides. */
export type Verdict = 'local' | 'attio' | 'open';

export interface FieldConflict {
  readonly decided: Verdict;
  /** What was asked for here and is at stake: of a list that is added to, the values alone that were taken away. */
  readonly asked: FieldOperation;
  /** The changes are simultaneous as far as is known. */
  readonly isTie: boolean;
}

export interface FieldDecision {
  /** What is left to send; null: nothing. */
  readonly send: FieldOperation | null;
  /** Both sides have changed the field. */
  readonly conflict: FieldConflict | null;
  /** It hung on when something was taken away, which is not known. */
  readonly isUndated: boolean;
}

const NOTHING: FieldDecision = { send: null, conflict: null, isUndated: false };

export function decideWrite(state: FieldState): FieldDecision {
  if (isThere(state.operation, state.theirs, state.same)) return NOTHING;
  return state.operation.op === 'add' ? decideAdding(state, state.operation.values) : decideWhole(state);
}

function decideWhole(state: FieldState): FieldDecision {
  const { operation, isOpen } = state;
  if (isOpen) return { send: null, conflict: held(operation), isUndated: false };
  if (!isChanged(state)) return sent(operation);
  const { decided, isTie, isUndated } = judge(state, changedSince(state));
  const send = decided === 'local' ? operation : null;
  return { send, conflict: { decided, asked: operation, isTie }, isUndated };
}

function decideAdding(state: FieldState, values: readonly Json[]): FieldDecision {
  const { same, isOpen } = state;
  const [theirs, base] = [listOf(state.theirs), listOf(state.base ?? null)];
  const missing = values.filter((value) => !theirs.some((read) => same(value, read)));
  if (isOpen) return { send: null, conflict: held({ op: 'add', values: missing }), isUndated: false };
  const removed = missing.filter((value) => base.some((read) => same(value, read)));
  if (removed.length === 0) return sent({ op: 'add', values: missing });
  const { decided, isTie, isUndated } = judge(state, state.goneSince);
  const left = decided === 'local' ? missing : missing.filter((value) => !removed.includes(value));
  return {
    send: left.length === 0 ? null : { op: 'add', values: left },
    conflict: { decided, asked: { op: 'add', values: removed }, isTie },
    isUndated,
  };
}

function sent(operation: FieldOperation): FieldDecision {
  return { send: operation, conflict: null, isUndated: false };
}

function held(asked: FieldOperation): FieldConflict {
  return { decided: 'open', asked, isTie: false };
}

/** Whether somebody has changed the field in Attio since both sides agreed on it. */
function isChanged({ base, theirs, theirsSince, acceptedAt, toleranceMs }: FieldState): boolean {
  if (base !== undefined) return !sameJson(base, theirs);
  return !isEmpty(theirs) && theirsSince !== null && theirsSince >= acceptedAt - toleranceMs;
}

/** Attio tells when a value came, not when one went. */
function changedSince({ base, theirs, theirsSince, goneSince }: FieldState): number | null {
  if (isEmpty(theirs)) return theirsSince ?? goneSince;
  return Array.isArray(theirs) && isPartOf(theirs, listOf(base ?? null)) ? goneSince : theirsSince;
}

interface Judgement {
  readonly decided: Verdict;
  readonly isTie: boolean;
  readonly isUndated: boolean;
}

function judge(state: FieldState, since: number | null): Judgement {
  const { policy, acceptedAt, toleranceMs, heldBack } = state;
  const by = (decided: Verdict): Judgement => ({ decided, isTie: false, isUndated: false });
  if (policy === 'manual') return by('open');
  if (policy === 'attio-wins') return by('attio');
  if (policy === 'local-wins') return by('local');
  if (since === null) return { decided: heldBack ? 'attio' : 'local', isTie: heldBack, isUndated: true };
  if (Math.abs(since - acceptedAt) <= toleranceMs) return { decided: 'attio', isTie: true, isUndated: false };
  return by(since > acceptedAt ? 'attio' : 'local');
}

/** Whether Attio has already what is asked for. */
export function isThere(operation: FieldOperation, theirs: Json, same: FieldState['same']): boolean {
  if (operation.op === 'clear') return isEmpty(theirs);
  if (operation.op === 'set') return !isEmpty(theirs) && same(operation.value, theirs);
  const read = listOf(theirs);
  if (operation.op === 'add')
    return operation.values.every((value) => read.some((each) => same(value, each)));
  // In this order: the first address or number is the one that is shown.
  const wanted = operation.values;
  return wanted.length === read.length && read.every((each, place) => same(wanted[place] ?? null, each));
}

/** The input that asks for an operation. */
export function inputOf(operation: FieldOperation): Json {
  if (operation.op === 'set') return operation.value;
  if (operation.op === 'clear') return null;
  return operation.op === 'replace' ? { replace: operation.values } : operation.values;
}

/** What two inputs for one field ask for together, the earlier one first: what is added is added to it. */
export function bothInputs(earlier: Json, later: Json): Json {
  if (!Array.isArray(later)) return later;
  const replaced = isJsonObject(earlier) ? earlier['replace'] : undefined;
  if (Array.isArray(replaced)) return { replace: union(later, replaced) };
  if (earlier === null) return { replace: later };
  return Array.isArray(earlier) ? union(later, earlier) : later;
}

function union(first: readonly Json[], then: readonly Json[]): Json[] {
  return [...first, ...then.filter((value) => !first.some((known) => sameJson(known, value)))];
}

function isPartOf(part: readonly Json[], whole: readonly Json[]): boolean {
  return part.length < whole.length && part.every((value) => whole.some((each) => sameJson(value, each)));
}

function isEmpty(value: Json): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

function listOf(value: Json): readonly Json[] {
  if (isEmpty(value)) return [];
  return Array.isArray(value) ? value : [value];
}
