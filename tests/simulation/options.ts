import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export const USAGE = `npm run simulate -- [options]

  --seeds N        how many seeds (100)
  --from N         the first of them (1)
  --seed N         this one alone, with its story
  --steps N        steps of each plan (40)
  --only 3,7,9     of the one seed, these steps alone
  --plain LIST     of the one seed, without: skew, slow-database, long-ways
  --named          the seeds that have found something, each once
  --jobs N         processes at once (2, where there are two cores)
  --mutants        plants each known bug and tells which seed finds it
  --mutant NAME    plants this one
  --until-found    ends with the first seed that fails
  --help`;

/** Adversities of a plan that can be left out. */
export const PLAINNESS = ['skew', 'slow-database', 'long-ways'] as const;
export type Plainness = (typeof PLAINNESS)[number];

export interface Options {
  readonly seeds: number;
  readonly from: number;
  readonly seed: number | null;
  readonly steps: number | null;
  readonly only: readonly number[] | null;
  readonly plain: readonly Plainness[];
  readonly named: boolean;
  readonly jobs: number;
  readonly mutants: boolean;
  readonly mutant: string | null;
  /** Ends with the first seed that fails. */
  readonly untilFound: boolean;
  /** This process is one of the jobs: it tells in JSON. */
  readonly job: boolean;
  readonly help: boolean;
}

/** @throws an error that says what is wrong with them */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      steps: { type: 'string' },
      only: { type: 'string' },
      plain: { type: 'string' },
      named: { type: 'boolean', default: false },
      jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
      mutants: { type: 'boolean', default: false },
      mutant: { type: 'string' },
      'until-found': { type: 'boolean', default: false },
      job: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    seeds: whole('seeds', values.seeds),
    from: whole('from', values.from),
    seed: values.seed === undefined ? null : whole('seed', values.seed),
    steps: values.steps === undefined ? null : whole('steps', values.steps),
    only: values.only === undefined ? null : values.only.split(',').map((one) => whole('only', one)),
    plain: (values.plain ?? '')
      .split(',')
      .filter((one) => one !== '')
      .map(plainness),
    named: values.named,
    jobs: whole('jobs', values.jobs),
    mutants: values.mutants,
    mutant: values.mutant ?? null,
    untilFound: values['until-found'],
    job: values.job,
    help: values.help,
  };
}

function whole(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} must be a whole number, not "${text}"`);
  return Number(text);
}

function plainness(text: string): Plainness {
  const known = PLAINNESS.find((one) => one === text);
  if (known === undefined) throw new Error(`--plain knows ${PLAINNESS.join(', ')}, not "${text}"`);
  return known;
}
