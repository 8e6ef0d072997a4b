import type { FaultInput } from '../../mocks/faults.ts';
import type { Action, Dice } from './action.ts';

const STATUSES = [429, 429, 500, 502, 503, 409] as const;

/** One of the ways in which an answer of Attio's can go wrong. */
function fault(dice: Dice): FaultInput {
  const count = 1 + dice.below(3);
  const kind = dice.of(['status', 'lost-answer', 'lost-answer', 'disconnect', 'hang', 'latency'] as const);
  const match = dice.chance(0.5) ? { match: { method: dice.of(['POST', 'PATCH', 'PUT', 'GET']) } } : {};
  if (kind === 'status') return { kind, count, ...match, status: dice.of(STATUSES) };
  if (kind === 'latency') return { kind, count, ...match, ms: 500 + dice.below(14_000) };
  return { kind, count, ...match };
}

/** What happens to everybody. */
export const TROUBLE = {
  fault: {
    side: 'trouble',
    weight: 6,
    run(simulation, dice) {
      const what = fault(dice);
      simulation.say(`from now on: ${JSON.stringify(what)}`);
      simulation.sandbox.addFault(what);
    },
  },
  webhooks: {
    side: 'trouble',
    weight: 5,
    run(simulation, dice) {
      const kind = dice.of(['drop-webhooks', 'duplicate-webhooks', 'reorder-webhooks'] as const);
      const what = {
        kind,
        count: 1 + dice.below(4),
        ...(dice.chance(0.5) ? { ms: dice.below(20_000) } : {}),
      };
      simulation.say(`from now on: ${JSON.stringify(what)}`);
      simulation.sandbox.addFault(what);
    },
  },
  outage: {
    side: 'trouble',
    weight: 1,
    run(simulation, dice) {
      const ms = 1_000 + dice.below(60_000);
      const { id } = simulation.sandbox.addFault(
        dice.chance(0.5) ? { kind: 'disconnect' } : { kind: 'status', status: 503 },
      );
      simulation.say(`Attio is down for ${ms} ms`);
      simulation.later(ms, () => simulation.sandbox.removeFault(id));
    },
  },
  'deaf-callers': {
    side: 'trouble',
    weight: 2,
    run(simulation, dice) {
      const count = 1 + dice.below(3);
      simulation.say(`the next ${count} answers to callers are lost`);
      simulation.loseAnswers(count);
    },
  },
  crash: {
    side: 'trouble',
    weight: 3,
    run(simulation, dice) {
      simulation.crash({
        afterSteps: 1 + dice.below(dice.chance(0.5) ? 12 : 120),
        downMs: 1_500 + dice.below(20_000),
      });
    },
  },
  restart: {
    side: 'trouble',
    weight: 1,
    run: (simulation, dice) => simulation.restart(1_500 + dice.below(5_000)),
  },
  sync: {
    side: 'trouble',
    weight: 1.5,
    run: (simulation, dice) =>
      simulation.sync(dice.of(['all', 'people', 'people', 'notes', 'tasks', 'lists/recruiting'] as const)),
  },
} satisfies Record<string, Action>;
