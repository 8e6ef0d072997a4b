import { type Random, seededRandom } from '../mocks/core/random.ts';
import { ACTIONS, type ActionName, type Side } from './actions/index.ts';

/**
 * One thing that somebody does, or that happens. Plain data: what it is done to is picked from what there is when its
 * time has come, so a step means something also when others before it are left out.
 */
export interface Step {
  /** Its number in the plan: names what it writes, wherever that turns up. */
  readonly n: number;
  /** From the beginning. @unit ms */
  readonly at: number;
  readonly action: ActionName;
  /** 0 ≤ x < 1 each. */
  readonly dice: readonly number[];
}

export interface Plan {
  readonly seed: number;
  /** How far the service's clock is ahead of Attio's. @unit ms */
  readonly skewMs: number;
  /** The longest that a statement of the database takes; 0: no time at all. @unit ms */
  readonly databaseMs: number;
  /** The longest that a request, or an answer, travels. @unit ms */
  readonly travelMs: number;
  readonly people: number;
  readonly steps: readonly Step[];
}

export const DEFAULT_STEPS = 40;
const DICE = 8;
const MAX_SKEW_MS = 90_000;
const LEAVING_SHARE = 0.1;
/** So that these take several pages. */
const MORE_PEOPLE = 8;

/** How long after one step the next one comes: most come in bursts, some after minutes. */
function gapMs(random: Random): number {
  const kind = random();
  if (kind < 0.5) return random() * 150;
  if (kind < 0.86) return random() * 2_500;
  if (kind < 0.98) return random() * 25_000;
  return random() * 400_000;
}

/** Each seed does some kinds of things only, and some of these often: what is rare in the mean is frequent in some seed. */
function weights(random: Random): Map<ActionName, number> {
  const calm = random();
  const share: Readonly<Record<Side, number>> = { people: 1, ours: 1.4, trouble: calm < 0.15 ? 0 : calm };
  const chosen = new Map<ActionName, number>();
  for (const [name, { side, weight }] of Object.entries(ACTIONS)) {
    if (weight === 0) continue;
    const factor = random() < 0.35 ? 0 : random() < 0.2 ? 4 : 1;
    chosen.set(name as ActionName, weight * factor * share[side]); // the keys of ACTIONS
  }
  return chosen;
}

function draw(random: Random, from: ReadonlyMap<ActionName, number>): ActionName {
  let left = random() * [...from.values()].reduce((sum, weight) => sum + weight, 0);
  for (const [name, weight] of from) {
    left -= weight;
    if (left < 0) return name;
  }
  return 'put-contact';
}

/** In some plans, the first people leave together while the first full sync reads page after page. */
function leaversOf(seed: number, n: number): Step[] {
  const random = seededRandom(seed ^ 0x1eaf);
  if (random() > LEAVING_SHARE) return [];
  return [{ n, at: 1, action: 'leave-while-paging', dice: Array.from({ length: DICE }, random) }];
}

export function planOf(seed: number, count: number = DEFAULT_STEPS): Plan {
  const random = seededRandom(seed);
  const from = weights(random);
  const skew = random();
  const base = {
    seed,
    skewMs: skew < 0.4 ? 0 : Math.round((random() * 2 - 1) * MAX_SKEW_MS),
    databaseMs: random() < 0.6 ? 0 : 1 + Math.floor(random() * 8),
    travelMs: random() < 0.7 ? 60 : 900,
    people: 3 + Math.floor(random() * 7),
  };
  const leavers = leaversOf(seed, count);
  const people = leavers.length === 0 ? base.people : base.people + MORE_PEOPLE;
  // Sometimes while the first full sync is still under way.
  let at = random() < 0.5 ? 100 : 1_500;
  const steps = Array.from({ length: count }, (_, n): Step => {
    at += Math.ceil(gapMs(random));
    return { n, at, action: draw(random, from), dice: Array.from({ length: DICE }, random) };
  });
  return { ...base, people, steps: [...leavers, ...steps].sort((a, b) => a.at - b.at) };
}
