import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideAbsence, decideSnapshot, type MirroredState } from '../../../src/domain/decide.ts';

const EARLY = '2026-01-01T00:00:00.000000001Z';
const LATE = '2026-01-01T00:00:00.000000002Z';

function state(readAt: string, hash: string, deletedAt: string | null = null): MirroredState {
  return { readAt, hash, deletedAt, hidden: false };
}

describe('decideSnapshot', () => {
  test.each([
    ['an unknown record is created', undefined, { readAt: EARLY, hash: 'a' }, 'created'],
    ['a later read with other content updates', state(EARLY, 'a'), { readAt: LATE, hash: 'b' }, 'updated'],
    [
      'a later read with the same content changes nothing',
      state(EARLY, 'a'),
      { readAt: LATE, hash: 'a' },
      'unchanged',
    ],
    ['an older read never overwrites', state(LATE, 'a'), { readAt: EARLY, hash: 'b' }, 'stale'],
    [
      'an older read that says the same is no news',
      state(LATE, 'a'),
      { readAt: EARLY, hash: 'a' },
      'unchanged',
    ],
    [
      'of equal instants the later arrival applies',
      state(EARLY, 'a'),
      { readAt: EARLY, hash: 'b' },
      'updated',
    ],
    [
      'a deleted record that is read later is restored',
      state(EARLY, 'a', EARLY),
      { readAt: LATE, hash: 'a' },
      'restored',
    ],
    [
      'one that was removed here is not taken in again',
      { ...state(EARLY, 'a', EARLY), hidden: true },
      { readAt: LATE, hash: 'b' },
      'hidden',
    ],
    ['an older read does not raise the dead', state(LATE, 'a', LATE), { readAt: EARLY, hash: 'b' }, 'stale'],
  ] as const)('%s', (_, current, incoming, decision) => {
    expect(decideSnapshot(current, incoming)).toBe(decision);
  });

  test('whatever the order of arrival, the latest read wins', () => {
    const reads = fc.uniqueArray(fc.nat({ max: 999 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(reads, (instants) => {
        let current: MirroredState | undefined;
        for (const instant of instants) {
          const readAt = `2026-01-01T00:00:00.${String(instant).padStart(9, '0')}Z`;
          const decision = decideSnapshot(current, { readAt, hash: String(instant) });
          if (decision !== 'stale') current = state(readAt, String(instant));
        }
        expect(current?.hash).toBe(String(Math.max(...instants)));
      }),
    );
  });
});

describe('decideAbsence', () => {
  test.each([
    ['a record never mirrored is no news', undefined, EARLY, 'unknown'],
    ['a mirrored record is gone', state(EARLY, 'a'), LATE, 'gone'],
    ['an absence older than the mirror says nothing', state(LATE, 'a'), EARLY, 'stale'],
    ['a record is deleted once', state(EARLY, 'a', EARLY), LATE, 'already'],
  ] as const)('%s', (_, current, readAt, decision) => {
    expect(decideAbsence(current, readAt)).toBe(decision);
  });
});
