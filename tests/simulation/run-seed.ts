import { createHash } from 'node:crypto';
import { problemsOf } from './checks/index.ts';
import type { Plan } from './plan.ts';
import { Simulation } from './simulation.ts';

export interface Outcome {
  readonly plan: Plan;
  /** What is wrong, a sentence each; none: all is well. */
  readonly problems: readonly string[];
  readonly story: readonly string[];
  /** SHA-256 of all that happened. */
  readonly trace: string;
  readonly requests: number;
}

let runs = 0;

/** Plays a plan, lets the noise end, and looks at what has become of both sides. */
export async function runPlan(plan: Plan): Promise<Outcome> {
  runs += 1;
  const simulation = await Simulation.create(plan, `seed-${runs}`);
  const problems: string[] = [];
  const onRejection = (reason: unknown) => {
    problems.push(`a promise was rejected and nobody heard: ${describe(reason)}`);
  };
  process.on('unhandledRejection', onRejection);
  try {
    await simulation.play();
    problems.push(...(await problemsOf(simulation)));
  } catch (error) {
    problems.push(`the simulation itself failed: ${describe(error)}`);
  } finally {
    await simulation.close();
    process.off('unhandledRejection', onRejection);
  }
  const { story, history } = simulation;
  const trace = createHash('sha256');
  for (const line of story) trace.update(`${line}\n`);
  for (const sent of history.sent) trace.update(`${JSON.stringify(sent)}\n`);
  return { plan, problems, story, trace: trace.digest('hex'), requests: history.sent.length };
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
