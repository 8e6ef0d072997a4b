import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideWrite, type FieldOperation, type FieldState } from '../../../src/domain/decide-write.ts';
import { canonicalJson, type Json } from '../../../src/domain/json.ts';

const ACCEPTED = 1_000;
const [BEFORE, AFTER] = [ACCEPTED - 1, ACCEPTED + 1];
const same = (input: Json, read: Json) => canonicalJson(input) === canonicalJson(read);

function state(operation: FieldOperation, more: Partial<FieldState>): FieldState {
  const seen = { base: undefined, theirs: null, theirsSince: null, acceptedAt: ACCEPTED, heldBack: false };
  return { operation, ...seen, same, ...more };
}

const set: FieldOperation = { op: 'set', value: 'ours' };
const clear: FieldOperation = { op: 'clear' };
const replace: FieldOperation = { op: 'replace', values: ['ours'] };
const held = { heldBack: true };

/** [what is meant, operation, state, sent, decided for] */
type Case = [string, FieldOperation, Partial<FieldState>, boolean, 'local' | 'attio' | null];

const SINGLE: Case[] = [
  ['an unset field, nothing known', set, {}, true, null],
  ['an unset field, unset when agreed on', set, { base: null }, true, null],
  ['what is there already', set, { theirs: 'ours', theirsSince: AFTER, base: 'agreed' }, false, null],
  ['what is as agreed on', set, { theirs: 'agreed', theirsSince: BEFORE, base: 'agreed' }, true, null],
  [
    'what is as agreed on, set anew',
    set,
    { theirs: 'agreed', theirsSince: AFTER, base: 'agreed' },
    true,
    null,
  ],
  ['what was changed before', set, { theirs: 'new', theirsSince: BEFORE, base: 'agreed' }, true, 'local'],
  [
    'what was changed at the same instant',
    set,
    { theirs: 'new', theirsSince: ACCEPTED, base: 'agreed' },
    true,
    'local',
  ],
  ['what was changed after', set, { theirs: 'new', theirsSince: AFTER, base: 'agreed' }, false, 'attio'],
  [
    'what was set where nothing was, after',
    set,
    { theirs: 'new', theirsSince: AFTER, base: null },
    false,
    'attio',
  ],
  ['what bears no time', set, { theirs: 'new', theirsSince: null, base: 'agreed' }, true, 'local'],
  ['what nothing is known of, older', set, { theirs: 'old', theirsSince: BEFORE }, true, null],
  ['what nothing is known of, newer', set, { theirs: 'new', theirsSince: AFTER }, false, 'attio'],
  ['what was cleared, sent at once', set, { theirs: null, base: 'agreed' }, true, 'local'],
  ['what was cleared, held back', set, { theirs: null, base: 'agreed', ...held }, false, 'attio'],
  [
    'what was cleared to an empty text, held back',
    set,
    { theirs: '', base: 'agreed', ...held },
    false,
    'attio',
  ],
  ['an unset field, unset when agreed on, held back', set, { base: null, ...held }, true, null],
  ['an unset field, nothing known, held back', set, held, true, null],
];

const WHOLE: Case[] = [
  ['clearing what is empty', clear, { base: 'agreed', ...held }, false, null],
  ['clearing an empty list', clear, { theirs: [], base: ['agreed'] }, false, null],
  [
    'clearing what is as agreed on',
    clear,
    { theirs: 'agreed', theirsSince: BEFORE, base: 'agreed' },
    true,
    null,
  ],
  [
    'clearing what was changed before',
    clear,
    { theirs: 'new', theirsSince: BEFORE, base: 'agreed' },
    true,
    'local',
  ],
  [
    'clearing what was changed after',
    clear,
    { theirs: 'new', theirsSince: AFTER, base: 'agreed' },
    false,
    'attio',
  ],
  ['replacing by the same', replace, { theirs: ['ours'], theirsSince: AFTER, base: [] }, false, null],
  ['replacing a list as agreed on', replace, { theirs: ['a'], theirsSince: BEFORE, base: ['a'] }, true, null],
  [
    'replacing a list that grew before',
    replace,
    { theirs: ['a', 'b'], theirsSince: BEFORE, base: ['a'] },
    true,
    'local',
  ],
  [
    'replacing a list that grew after',
    replace,
    { theirs: ['a', 'b'], theirsSince: AFTER, base: ['a'] },
    false,
    'attio',
  ],
  [
    'replacing a list that was emptied, held back',
    replace,
    { theirs: [], base: ['a'], ...held },
    false,
    'attio',
  ],
  [
    'replacing with more than is there',
    { op: 'replace', values: ['a', 'b'] },
    { theirs: ['a'], base: ['a'] },
    true,
    null,
  ],
  [
    'replacing by another order',
    { op: 'replace', values: ['b', 'a'] },
    { theirs: ['a', 'b'], base: ['a', 'b'] },
    true,
    null,
  ],
  [
    'replacing with twice the same',
    { op: 'replace', values: ['a', 'a'] },
    { theirs: ['a', 'b'], base: ['a', 'b'] },
    true,
    null,
  ],
];

describe.each([
  ['setting', SINGLE],
  ['the whole of a field:', WHOLE],
])('%s', (_, cases) => {
  test.each(cases)('%s', (_name, operation, more, sent, decided) => {
    const { send, conflict } = decideWrite(state(operation, more));
    expect([send, conflict?.decided ?? null]).toEqual([sent ? operation : null, decided]);
  });
});

describe('adding', () => {
  test.each([
    ['sends what is missing only', ['a', 'b'], { theirs: ['b'], theirsSince: AFTER }, ['a'], null],
    ['sends nothing when all is there', ['b'], { theirs: ['c', 'b'] }, null, null],
    [
      'sends to a list that was changed after',
      ['a'],
      { theirs: ['x'], theirsSince: AFTER, base: [] },
      ['a'],
      null,
    ],
    ['sends to a list that was emptied, held back', ['a'], { theirs: [], base: ['x'], ...held }, ['a'], null],
    ['leaves out what was removed meanwhile', ['a', 'b'], { theirs: [], base: ['b'], ...held }, ['a'], ['b']],
    ['sends what was removed when it is sent at once', ['b'], { theirs: [], base: ['b'] }, ['b'], null],
    ['takes a single value for a list of one', ['b'], { theirs: 'b' }, null, null],
  ] as const)('%s', (_, values, more, sent, removed) => {
    const { send, conflict } = decideWrite(state({ op: 'add', values }, more as Partial<FieldState>));
    expect(send).toEqual(sent === null ? null : { op: 'add', values: sent });
    expect(conflict).toEqual(removed === null ? null : { decided: 'attio', local: removed });
  });
});

describe('whatever the state', () => {
  const value = fc.constantFrom<Json>('a', 'b', 'c');
  const list = fc.uniqueArray(value, { maxLength: 3 });
  const time = fc.constantFrom(null, BEFORE, ACCEPTED, AFTER);
  const single = fc.record({
    operation: fc.oneof(
      value.map((given): FieldOperation => ({ op: 'set', value: given })),
      fc.constant<FieldOperation>({ op: 'clear' }),
    ),
    base: fc.option(fc.oneof(value, fc.constant(null)), { nil: undefined }),
    theirs: fc.oneof(value, fc.constant<Json>(null)),
    theirsSince: time,
    heldBack: fc.boolean(),
  });
  const multiple = fc.record({
    operation: fc.oneof(
      fc
        .array(value, { minLength: 1, maxLength: 3 })
        .map((values): FieldOperation => ({ op: 'add', values })),
      fc.array(value, { maxLength: 3 }).map((values): FieldOperation => ({ op: 'replace', values })),
      fc.constant<FieldOperation>({ op: 'clear' }),
    ),
    base: fc.option(list, { nil: undefined }),
    theirs: list as fc.Arbitrary<Json>,
    theirsSince: time,
    heldBack: fc.boolean(),
  });
  const any = fc
    .oneof(single, multiple)
    .map((given): FieldState => ({ ...given, acceptedAt: ACCEPTED, same }));
  const listOf = (json: Json): readonly Json[] => (Array.isArray(json) ? json : json === null ? [] : [json]);
  const set_ = (values: readonly Json[]) => new Set(values.map((each) => canonicalJson(each)));

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
    fc.assert(
      fc.property(any, (given) => {
        const [there, asked] = [listOf(given.theirs), wanted(given.operation)];
        const adds = given.operation.op === 'add';
        const all = adds
          ? set_(asked).isSubsetOf(set_(there))
          : canonicalJson(asked) === canonicalJson(there);
        if (all) expect(decideWrite(given)).toEqual({ send: null, conflict: null });
      }),
    );
  });

  test('what is sent is what was asked for, or a part of what was to be added', () => {
    fc.assert(
      fc.property(any, (given) => {
        const { send } = decideWrite(given);
        if (send === null) return;
        if (send.op !== 'add') {
          expect(send).toEqual(given.operation);
          return;
        }
        expect(set_(send.values).isSubsetOf(set_(wanted(given.operation)))).toBe(true);
        expect(set_(send.values).isDisjointFrom(set_(listOf(given.theirs)))).toBe(true);
      }),
    );
  });

  test('adding removes nothing', () => {
    fc.assert(
      fc.property(any, (given) => {
        if (given.operation.op !== 'add') return;
        const after = set_(outcome(given, decideWrite(given).send));
        expect(set_(listOf(given.theirs)).isSubsetOf(after)).toBe(true);
      }),
    );
  });

  test('what is not written, though Attio has it otherwise, is on record', () => {
    fc.assert(
      fc.property(any, (given) => {
        const { send, conflict } = decideWrite(given);
        const after = set_(outcome(given, send));
        const asked = set_(wanted(given.operation));
        const got =
          given.operation.op === 'add'
            ? asked.isSubsetOf(after)
            : canonicalJson([...asked]) === canonicalJson([...after]);
        if (!got) expect(conflict?.decided).toBe('attio');
        const repeats = asked.size < wanted(given.operation).length;
        if (conflict?.decided === 'attio' && !repeats) expect(got).toBe(false);
      }),
    );
  });

  test('what a person has changed since the last agreement is overwritten with a record of it only', () => {
    fc.assert(
      fc.property(any, (given) => {
        const { send, conflict } = decideWrite(given);
        if (send === null || send.op === 'add' || given.base === undefined) return;
        const changed = canonicalJson(given.base) !== canonicalJson(given.theirs);
        expect(conflict?.decided ?? null).toBe(changed ? 'local' : null);
      }),
    );
  });

  test('what was changed after the write was accepted is never overwritten, unless back to what was agreed on', () => {
    fc.assert(
      fc.property(any, (given) => {
        const { send } = decideWrite({ ...given, theirsSince: AFTER });
        if (send === null || send.op === 'add' || listOf(given.theirs).length === 0) return;
        expect(canonicalJson(given.base ?? null)).toBe(canonicalJson(given.theirs));
      }),
    );
  });

  test('the same again, once it is carried out, sends nothing', () => {
    fc.assert(
      fc.property(any, (given) => {
        const { send, conflict } = decideWrite(given);
        if (conflict?.decided === 'attio') return;
        const after = [...new Set(outcome(given, send))];
        const theirs = Array.isArray(given.theirs) ? after : (after[0] ?? null);
        const again = decideWrite({ ...given, theirs, theirsSince: AFTER, base: theirs });
        const { operation } = given;
        const repeats =
          operation.op === 'replace' && new Set(operation.values).size < operation.values.length;
        if (!repeats) expect(again).toEqual({ send: null, conflict: null });
      }),
    );
  });
});
