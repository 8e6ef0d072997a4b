import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONFLICT_POLICIES } from '../../../src/domain/conflict-policies.ts';
import {
  decideWrite,
  type FieldDecision,
  type FieldOperation,
  type FieldState,
} from '../../../src/domain/decide-write.ts';
import { canonicalJson, type Json } from '../../../src/domain/json.ts';

const ACCEPTED = 10_000;
const TOLERANCE = 100;
const same = (input: Json, read: Json) => canonicalJson(input) === canonicalJson(read);

describe('whatever the state', () => {
  const value = fc.constantFrom<Json>('a', 'b', 'c');
  const list = fc.uniqueArray(value, { maxLength: 3 });
  const time = fc.constantFrom(null, 0, ACCEPTED - TOLERANCE, ACCEPTED, ACCEPTED + TOLERANCE, 99_000);
  const common = {
    theirsSince: time,
    goneSince: time,
    heldBack: fc.boolean(),
    policy: fc.constantFrom(...CONFLICT_POLICIES),
    toleranceMs: fc.constantFrom(0, TOLERANCE),
    isOpen: fc.boolean(),
  };
  const single = fc.record({
    ...common,
    operation: fc.oneof(
      value.map((given): FieldOperation => ({ op: 'set', value: given })),
      fc.constant<FieldOperation>({ op: 'clear' }),
    ),
    base: fc.option(fc.oneof(value, fc.constant(null)), { nil: undefined }),
    theirs: fc.oneof(value, fc.constant<Json>(null)),
  });
  const multiple = fc.record({
    ...common,
    operation: fc.oneof(
      fc
        .array(value, { minLength: 1, maxLength: 3 })
        .map((values): FieldOperation => ({ op: 'add', values })),
      fc.array(value, { maxLength: 3 }).map((values): FieldOperation => ({ op: 'replace', values })),
      fc.constant<FieldOperation>({ op: 'clear' }),
    ),
    base: fc.option(list, { nil: undefined }),
    theirs: list as fc.Arbitrary<Json>,
  });
  const any = fc
    .oneof(single, multiple)
    .map((given): FieldState => ({ ...given, acceptedAt: ACCEPTED, same }));
  const listOf = (json: Json): readonly Json[] => (Array.isArray(json) ? json : json === null ? [] : [json]);
  const setOf = (values: readonly Json[]) => new Set(values.map((each) => canonicalJson(each)));
  const holds = (check: (given: FieldState, decision: FieldDecision) => void) =>
    fc.assert(
      fc.property(any, (given) => {
        check(given, decideWrite(given));
      }),
      { numRuns: 2_000 },
    );

  /** What Attio has once the decision is carried out. */
  function outcome({ theirs }: FieldState, send: FieldOperation | null): readonly Json[] {
    if (send === null) return listOf(theirs);
    if (send.op === 'set') return [send.value];
    if (send.op === 'clear') return [];
    return send.op === 'replace' ? send.values : [...send.values, ...listOf(theirs)];
  }

  function wanted(operation: FieldOperation): readonly Json[] {
    if (operation.op === 'set') return [operation.value];
    return operation.op === 'clear' ? [] : operation.values;
  }

  test('what Attio has already is not sent, and is no conflict', () => {
    holds((given, decision) => {
      const [there, asked] = [listOf(given.theirs), wanted(given.operation)];
      const all =
        given.operation.op === 'add'
          ? setOf(asked).isSubsetOf(setOf(there))
          : canonicalJson(asked) === canonicalJson(there);
      if (all) expect(decision).toEqual({ send: null, conflict: null, isUndated: false });
    });
  });

  test('what is sent is what was asked for, or a part of what was to be added', () => {
    holds((given, { send }) => {
      if (send === null) return;
      if (send.op !== 'add') return expect(send).toEqual(given.operation);
      expect(setOf(send.values).isSubsetOf(setOf(wanted(given.operation)))).toBe(true);
      expect(setOf(send.values).isDisjointFrom(setOf(listOf(given.theirs)))).toBe(true);
    });
  });

  test('adding removes nothing, and keeps the order', () => {
    holds((given, { send }) => {
      if (given.operation.op !== 'add') return;
      const after = outcome(given, send);
      expect(after.slice(after.length - listOf(given.theirs).length)).toEqual(listOf(given.theirs));
    });
  });

  test('our value does not vanish: what is not written, though Attio has it otherwise, is on record', () => {
    holds((given, { send, conflict }) => {
      const after = setOf(outcome(given, send));
      const asked = setOf(wanted(given.operation));
      const got =
        given.operation.op === 'add'
          ? asked.isSubsetOf(after)
          : canonicalJson([...asked]) === canonicalJson([...after]);
      if (got) return;
      expect(conflict?.decided).toMatch(/^(attio|open)$/);
      const kept = setOf(wanted(conflict?.asked ?? given.operation));
      expect(asked.difference(after).isSubsetOf(kept)).toBe(true);
    });
  });

  test('their value does not vanish: what was changed since the last agreement is overwritten with a record of it only', () => {
    holds((given, { send, conflict }) => {
      if (send === null || send.op === 'add' || given.base === undefined) return;
      const changed = canonicalJson(given.base) !== canonicalJson(given.theirs);
      expect(conflict?.decided ?? null).toBe(changed ? 'local' : null);
    });
  });

  test('attio-wins overwrites nothing that was changed since the last agreement, and manual neither', () => {
    holds((given, { send }) => {
      if (given.policy !== 'attio-wins' && given.policy !== 'manual') return;
      if (send === null || send.op === 'add' || given.base === undefined) return;
      expect(canonicalJson(given.base)).toBe(canonicalJson(given.theirs));
    });
  });

  test('local-wins sends everything that Attio does not have, unless a conflict is open', () => {
    holds((given, { send }) => {
      if (given.policy !== 'local-wins' || given.isOpen) return;
      const asked = setOf(wanted(given.operation));
      expect(asked.isSubsetOf(setOf(outcome(given, send)))).toBe(true);
    });
  });

  test('only manual opens a conflict, and an open one lets nothing pass', () => {
    holds((given, { send, conflict }) => {
      if (conflict?.decided === 'open') expect(given.isOpen || given.policy === 'manual').toBe(true);
      if (given.isOpen) expect([send, conflict?.decided ?? 'open']).toEqual([null, 'open']);
    });
  });

  test('under last-write-wins what was changed after the write is never overwritten', () => {
    holds((given) => {
      const { send } = decideWrite({
        ...given,
        policy: 'last-write-wins',
        theirsSince: 99_000,
        goneSince: 99_000,
      });
      if (send === null || send.op === 'add') return;
      const isAgreed = given.base !== undefined && canonicalJson(given.base) === canonicalJson(given.theirs);
      expect(isAgreed || listOf(given.theirs).length === 0).toBe(true);
    });
  });

  test('the same again, once it is carried out, sends nothing', () => {
    holds((given, { send, conflict }) => {
      if (conflict !== null && conflict.decided !== 'local') return;
      const after = [...new Set(outcome(given, send))];
      const theirs = Array.isArray(given.theirs) ? after : (after[0] ?? null);
      const again = decideWrite({ ...given, theirs, theirsSince: 99_000, base: theirs });
      const { operation } = given;
      const repeats = operation.op === 'replace' && new Set(operation.values).size < operation.values.length;
      if (!repeats) expect(again).toEqual({ send: null, conflict: null, isUndated: false });
    });
  });
});
