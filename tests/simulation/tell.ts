import type { Options } from './options.ts';
import { DEFAULT_STEPS, type Plan } from './plan.ts';

/** What a job tells of one seed: a line of JSON. */
export interface Told {
  readonly seed: number;
  readonly problems: readonly string[];
  /** SHA-256 of all that happened. */
  readonly trace: string;
  /** Of this process, user and system. @unit ms */
  readonly cpuMs: number;
  /** Where there are problems: the plan, made smaller, in words, and the command that plays it. */
  readonly story: readonly string[];
  readonly command: string;
}

/** Plays exactly this plan. */
export function commandOf(
  plan: Plan,
  whole: Plan,
  { steps, mutant }: Pick<Options, 'steps' | 'mutant'>,
): string {
  const parts = [
    'npm run simulate --',
    ...(mutant === null ? [] : [`--mutant ${mutant}`]),
    `--seed ${plan.seed}`,
  ];
  if (steps !== null && steps !== DEFAULT_STEPS) parts.push(`--steps ${steps}`);
  if (plan.steps.length < whole.steps.length) parts.push(`--only ${plan.steps.map(({ n }) => n).join(',')}`);
  const plain = [
    ...(plan.skewMs === whole.skewMs ? [] : ['skew']),
    ...(plan.databaseMs === whole.databaseMs ? [] : ['slow-database']),
    ...(plan.travelMs === whole.travelMs ? [] : ['long-ways']),
  ];
  if (plain.length > 0) parts.push(`--plain ${plain.join(',')}`);
  return parts.join(' ');
}
