import { describe, expect, test } from 'vitest';
import { CONFLICT_POLICIES, type ConflictPolicy } from '../../../src/domain/conflict-policies.ts';
import {
  bothInputs,
  decideWrite,
  type FieldDecision,
  type FieldOperation,
  type FieldState,
} from '../../../src/domain/decide-write.ts';
import { canonicalJson, type Json } from '../../../src/domain/json.ts';
import { CASES, COLUMNS, type Column, type Outcome, rowsOf, TRUTH_TABLE } from './decide-write-table.ts';

const ACCEPTED = 10_000;
const TOLERANCE = 100;
const same = (input: Json, read: Json) => canonicalJson(input) === canonicalJson(read);

function state(operation: FieldOperation, more: Partial<FieldState> = {}): FieldState {
  return {
    operation,
    base: undefined,
    theirs: null,
    theirsSince: null,
    goneSince: null,
    acceptedAt: ACCEPTED,
    heldBack: false,
    policy: 'last-write-wins',
    toleranceMs: TOLERANCE,
    isOpen: false,
    same,
    ...more,
  };
}

function outcomeOf({ send, conflict }: FieldDecision): Outcome {
  if (conflict === null) return send === null ? '-' : 'send';
  if (conflict.decided === 'open') return 'open';
  if (conflict.decided === 'local') return 'ours!';
  return conflict.isTie ? 'tie!' : 'theirs!';
}

type Case = Readonly<Record<Column, string>>;

/** Every combination of the columns' values. */
function allCases(): Case[] {
  return COLUMNS.reduce<Case[]>(
    (cases, column) =>
      cases.flatMap((one) => CASES[column].map((value): Case => ({ ...one, [column]: value }))),
    [{} as Case],
  );
}

const OPERATIONS: Readonly<Record<string, FieldOperation>> = {
  set: { op: 'set', value: 'o' },
  replace: { op: 'replace', values: ['o'] },
  clear: { op: 'clear' },
  add: { op: 'add', values: ['o'] },
};
/** The edges of the tolerance are within it. */
const TIMES: Readonly<Record<string, readonly (number | null)[]>> = {
  before: [0, ACCEPTED - TOLERANCE - 1],
  within: [ACCEPTED - TOLERANCE, ACCEPTED, ACCEPTED + TOLERANCE],
  after: [ACCEPTED + TOLERANCE + 1, 99_000],
  unknown: [null],
};

/** The states that a case stands for. */
function statesOf({ op, base, theirs, time, held }: Case, policy: ConflictPolicy): FieldState[] {
  const isList = op === 'replace' || op === 'add';
  const value = (name: string): Json => (name === 'empty' ? (isList ? [] : null) : isList ? [name] : name);
  const operation = OPERATIONS[op];
  if (operation === undefined) throw new Error(`no operation ${op}`);
  return (TIMES[time] ?? []).map((at) =>
    state(operation, {
      base: base === 'none' ? undefined : value(base),
      theirs: value(theirs),
      theirsSince: theirs === 'empty' ? null : at,
      goneSince: at,
      heldBack: held === 'yes',
      policy,
    }),
  );
}

describe('the truth table', () => {
  const rows = rowsOf(TRUTH_TABLE);
  const cases = allCases();
  const fits = (one: Case) =>
    rows.filter(({ when }) => COLUMNS.every((name) => when[name].includes(one[name])));

  test('has every case in exactly one row, and no row for nothing', () => {
    expect(cases).toHaveLength(512);
    const wrong = cases.filter((one) => fits(one).length !== 1);
    expect(wrong).toEqual([]);
    expect(rows.filter((row) => !cases.some((one) => fits(one).includes(row)))).toEqual([]);
    expect(rows.filter(({ outcomes }) => outcomes.length !== CONFLICT_POLICIES.length)).toEqual([]);
  });

  test.each(CONFLICT_POLICIES.map((policy, index) => [policy, index] as const))(
    'is what is decided under %s',
    (policy, index) => {
      const wrong = cases.flatMap((one) => {
        const [row] = fits(one);
        const got = new Set(statesOf(one, policy).map((given) => outcomeOf(decideWrite(given))));
        return got.size === 1 && got.has(row?.outcomes[index] ?? '-')
          ? []
          : [{ ...one, got: [...got], row: row?.text }];
      });
      expect(wrong).toEqual([]);
    },
  );

  const everyState = CONFLICT_POLICIES.flatMap((policy) =>
    cases.flatMap((one) => statesOf(one, policy).map((given) => ({ one, given }))),
  );
  /** What it comes to at each time of a departure. */
  const byDeparture = (given: FieldState) =>
    new Set([0, ACCEPTED, 99_000].map((goneSince) => outcomeOf(decideWrite({ ...given, goneSince }))));

  test('asks when something went exactly where that is not known, and it would decide', () => {
    const asking = everyState.filter(({ given }) => decideWrite(given).isUndated);
    const deciding = everyState.filter(
      ({ one, given }) => one.time === 'unknown' && byDeparture(given).size > 1,
    );
    // A value that is there bears its time: where it does not, nothing tells more.
    expect(asking.filter(({ one, given }) => one.theirs === 'empty' || byDeparture(given).size > 1)).toEqual(
      deciding,
    );
    expect(deciding.length).toBeGreaterThan(0);
  });

  test('while a conflict is open: what Attio has closes it, all else waits, whatever the policy', () => {
    const open = everyState.map(({ given }) => {
      const expected = outcomeOf(decideWrite(given)) === '-' ? '-' : 'open';
      return { given, expected, got: outcomeOf(decideWrite({ ...given, isOpen: true })) };
    });
    expect(open.filter(({ got, expected }) => got !== expected)).toEqual([]);
  });
});

describe('lists', () => {
  const held = { heldBack: true };
  const [BEFORE, AFTER] = [0, 99_000];

  test.each([
    ['adds what is missing only', ['a', 'b'], { theirs: ['b'] }, ['a'], null],
    ['takes a single value for a list of one', ['b'], { theirs: 'b' }, null, null],
    [
      'adds one, and leaves out what was removed',
      ['a', 'b'],
      { theirs: [], base: ['b'], ...held },
      ['a'],
      ['b'],
    ],
    [
      'adds both when the removal came first',
      ['a', 'b'],
      { theirs: [], base: ['b'], goneSince: BEFORE },
      ['a', 'b'],
      ['b'],
    ],
  ] as const)('%s', (_, values, more, sent, atStake) => {
    const { send, conflict } = decideWrite(state({ op: 'add', values }, more as Partial<FieldState>));
    expect(send).toEqual(sent === null ? null : { op: 'add', values: sent });
    expect(conflict?.asked ?? null).toEqual(atStake === null ? null : { op: 'add', values: atStake });
  });

  test.each([
    ['grew after: a new value bears its time', ['a', 'b'], AFTER, null, 'theirs!'],
    ['grew before', ['a', 'b'], BEFORE, null, 'ours!'],
    ['shrank: what is left is old, and says nothing of when', ['a'], BEFORE, null, 'tie!'],
    ['shrank after', ['a'], BEFORE, AFTER, 'theirs!'],
    ['shrank before', ['a'], BEFORE, BEFORE, 'ours!'],
    ['was emptied after', [], null, AFTER, 'theirs!'],
  ] as const)('that is replaced and %s', (_, theirs, theirsSince, goneSince, outcome) => {
    const base = theirs.length === 2 ? ['a'] : ['a', 'c'];
    const replace: FieldOperation = { op: 'replace', values: ['o'] };
    const given = state(replace, { base, theirs, theirsSince, goneSince, ...held });
    expect(outcomeOf(decideWrite(given))).toBe(outcome);
  });

  test.each([
    ['another order', ['b', 'a'], ['a', 'b']],
    ['more than is there', ['a', 'b'], ['a']],
    ['twice the same', ['a', 'a'], ['a', 'b']],
  ] as const)('replaced by %s is sent', (_, values, theirs) => {
    expect(outcomeOf(decideWrite(state({ op: 'replace', values }, { theirs, base: theirs })))).toBe('send');
  });

  test.each([
    ['a list and a list are added to each other', ['a'], ['b', 'a'], ['b', 'a']],
    ['what is added to exactly-these is among them', { replace: ['a'] }, ['b'], { replace: ['b', 'a'] }],
    ['what is added after clearing is all there is', null, ['b'], { replace: ['b'] }],
    ['exactly-these count alone', ['a'], { replace: ['b'] }, { replace: ['b'] }],
    ['so does clearing', ['a'], null, null],
    ['so does a single value', 'a', 'b', 'b'],
  ] as const)('of two inputs %s', (_, earlier, later, both) => {
    expect(bothInputs(earlier, later)).toEqual(both);
  });
});
