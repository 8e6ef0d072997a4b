import type { Plan, Step } from './plan.ts';
import type { Outcome } from './run-seed.ts';

/** How often a plan is played at most to make it smaller. */
const MOST_RUNS = 150;

type Play = (plan: Plan) => Promise<Outcome>;

/** What kind of problem it is: without the ids, numbers and values that differ from plan to plan. */
export function kindOf(problem: string): string {
  return problem
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '#')
    .replace(/[{[].*$/s, '')
    .replace(/"[^"]*"/g, '"…"')
    .replace(/\d+/g, '0');
}

/**
 * Leaves out steps as long as what is left still fails in the same way: delta debugging (Zeller and Hildebrandt,
 * "Simplifying and isolating failure-inducing input", 2002).
 */
export async function shrink(failed: Outcome, play: Play): Promise<Outcome> {
  const wanted = new Set(failed.problems.map(kindOf));
  let smallest = failed;
  let runs = 0;
  const fails = async (plan: Plan): Promise<boolean> => {
    if (runs >= MOST_RUNS) return false;
    runs += 1;
    const outcome = await play(plan);
    if (!outcome.problems.some((problem) => wanted.has(kindOf(problem)))) return false;
    smallest = outcome;
    return true;
  };
  await withoutMisfortune(failed.plan, fails);
  for (let parts = 2; smallest.plan.steps.length > 1; ) {
    const { steps } = smallest.plan;
    const size = Math.ceil(steps.length / parts);
    if (await leaveOut(smallest.plan, size, fails)) parts = Math.max(2, parts - 1);
    else if (size === 1) break;
    else parts = Math.min(steps.length, parts * 2);
  }
  return smallest;
}

/** The same with clocks that agree, a database that takes no time, and short ways, one after the other. */
async function withoutMisfortune(plan: Plan, fails: (plan: Plan) => Promise<boolean>): Promise<void> {
  let simple = plan;
  for (const change of [{ skewMs: 0 }, { databaseMs: 0 }, { travelMs: 60 }]) {
    const simpler = { ...simple, ...change };
    if (await fails(simpler)) simple = simpler;
  }
}

async function leaveOut(plan: Plan, size: number, fails: (plan: Plan) => Promise<boolean>): Promise<boolean> {
  const { steps } = plan;
  for (let start = 0; start < steps.length; start += size) {
    const rest: Step[] = [...steps.slice(0, start), ...steps.slice(start + size)];
    if (rest.length > 0 && (await fails({ ...plan, steps: rest }))) return true;
  }
  return false;
}
