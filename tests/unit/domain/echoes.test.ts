import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CREATION,
  decideEcho,
  type EventFacts,
  MEMBERS,
  type OwnWrites,
} from '../../../src/domain/echoes.ts';

const NOW = Date.parse('2026-01-01T00:00:00.000Z');
const TIMES = { gatherMs: 500, expectedMs: 600_000 };
const ATTRIBUTE = '41252299-f8c7-4b5e-99c9-4ff8321d2f96';

const NONE: OwnWrites = { writtenAt: null, isPending: false };
const SETTLED: OwnWrites = { writtenAt: NOW - 1_000, isPending: false };
const LONG_AGO: OwnWrites = { writtenAt: NOW - 600_001, isPending: false };
const PENDING: OwnWrites = { writtenAt: null, isPending: true };

function event(aspect: string | null, actorType: string | null = 'api-token', ageMs = 0): EventFacts {
  return { aspect, actorType, receivedAt: NOW - ageMs };
}

describe('decideEcho', () => {
  test.each([
    ['what nobody here has written is read', event(ATTRIBUTE), NONE, 'read'],
    ['the echo of a settled write waits for the others', event(ATTRIBUTE), SETTLED, 'gather'],
    ['that of one which is on its way, too', event(ATTRIBUTE), PENDING, 'gather'],
    ['and that of members which are told together', event(MEMBERS), SETTLED, 'gather'],
    ['an actor that is not told may be us', event(ATTRIBUTE, null), SETTLED, 'gather'],
    ['and so may be an app', event(ATTRIBUTE, 'app'), SETTLED, 'gather'],
    ['what a person has done is read at once', event(ATTRIBUTE, 'workspace-member'), SETTLED, 'read'],
    ['and what Attio itself has', event(ATTRIBUTE, 'system'), SETTLED, 'read'],
    ['an echo that has waited long enough is read', event(ATTRIBUTE, 'api-token', 500), SETTLED, 'read'],
    ['one that comes later than echoes are expected is read', event(ATTRIBUTE), LONG_AGO, 'read'],
    ['what does not say what it is about is read', event(null), SETTLED, 'read'],
    ['that we have made a thing is no news', event(CREATION), SETTLED, 'no-news'],
    ['whoever is said to have made it', event(CREATION, 'workspace-member'), SETTLED, 'no-news'],
    ['and however long ago it was told', event(CREATION, 'api-token', 90_000), SETTLED, 'no-news'],
    ['unless that was long ago', event(CREATION), LONG_AGO, 'read'],
    ['a thing that is made while we make one may be ours', event(CREATION), PENDING, 'ask-again'],
    ['unless a person has made it', event(CREATION, 'workspace-member'), PENDING, 'read'],
    ['after a while it is taken for another one', event(CREATION, 'api-token', 500), PENDING, 'read'],
    ['a thing that is made while we write nothing is not ours', event(CREATION), NONE, 'read'],
  ] as const)('%s', (_, facts, own, decision) => {
    expect(decideEcho(facts, own, TIMES, NOW)).toBe(decision);
  });

  const facts = fc.record({
    aspect: fc.constantFrom(null, CREATION, MEMBERS, ATTRIBUTE),
    actorType: fc.constantFrom(null, 'api-token', 'app', 'workspace-member', 'system', 'robot'),
    receivedAt: fc.integer({ min: NOW - 1_000_000, max: NOW }),
  });
  const own = fc.record({
    writtenAt: fc.option(fc.integer({ min: NOW - 2_000_000, max: NOW })),
    isPending: fc.boolean(),
  });

  test('nothing but the making of a thing is ever taken as known, whatever an event says', () => {
    fc.assert(
      fc.property(facts, own, (one, writes) => {
        const decision = decideEcho(one, writes, TIMES, NOW);
        if (decision === 'no-news')
          expect([one.aspect, writes.writtenAt]).toEqual([CREATION, expect.any(Number)]);
      }),
    );
  });

  test('nothing waits longer than the time to gather', () => {
    fc.assert(
      fc.property(facts, own, (one, writes) => {
        const later = decideEcho(one, writes, TIMES, one.receivedAt + TIMES.gatherMs);
        expect(['read', 'no-news']).toContain(later);
      }),
    );
  });
});
