import { NAMED_SEEDS } from './named-seeds.ts';
import type { Options } from './options.ts';
import { DEFAULT_STEPS, type Plan, planOf } from './plan.ts';
import { type Outcome, runPlan } from './run-seed.ts';
import { shrink } from './shrink.ts';
import { commandOf, type Told } from './tell.ts';

/** How many that fail are made smaller: where more do, they mostly fail for the same reason. */
const MOST_SHRUNK = 3;

/** Plays the seeds that are asked for, one after the other. */
export async function playSeeds(options: Options, tell: (told: Told) => void): Promise<void> {
  let failed = 0;
  for (const plan of plansOf(options)) {
    const began = process.cpuUsage();
    const outcome = await runPlan(plan);
    const { user, system } = process.cpuUsage(began);
    const isExplained = failed < MOST_SHRUNK && !(options.job && options.mutant !== null);
    if (outcome.problems.length > 0) failed += 1;
    tell(await told(options, outcome, (user + system) / 1000, isExplained));
    if (options.untilFound && outcome.problems.length > 0) return;
  }
}

function* plansOf(options: Options): Generator<Plan> {
  const steps = options.steps ?? DEFAULT_STEPS;
  if (options.named) {
    for (const { seed, steps: own } of NAMED_SEEDS) yield planOf(seed, own ?? DEFAULT_STEPS);
  } else if (options.seed !== null) {
    yield only(planOf(options.seed, steps), options);
  } else {
    for (let index = 0; index < options.seeds; index += 1) yield planOf(options.from + index, steps);
  }
}

function only(plan: Plan, { only: kept, plain }: Options): Plan {
  return {
    ...plan,
    ...(plain.includes('skew') ? { skewMs: 0 } : {}),
    ...(plain.includes('slow-database') ? { databaseMs: 0 } : {}),
    ...(plain.includes('long-ways') ? { travelMs: 60 } : {}),
    steps: kept === null ? plan.steps : plan.steps.filter(({ n }) => kept.includes(n)),
  };
}

/** One seed alone is told as it is; what fails is made smaller, and told. */
async function told(options: Options, outcome: Outcome, cpuMs: number, isExplained: boolean): Promise<Told> {
  const failed = outcome.problems.length > 0;
  const isAsked = options.seed !== null;
  const smaller = failed && isExplained && !isAsked ? await shrink(outcome, runPlan) : outcome;
  const { seed } = outcome.plan;
  const whole = planOf(seed, options.steps ?? DEFAULT_STEPS);
  return {
    seed,
    problems: smaller.problems,
    trace: outcome.trace,
    cpuMs,
    story: isAsked || (failed && isExplained) ? smaller.story : [],
    command: commandOf(smaller.plan, whole, options),
  };
}
