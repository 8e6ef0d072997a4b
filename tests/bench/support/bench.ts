import { parseArgs } from 'node:util';
import { type Engine, whyNoPostgres } from '../../support/engines.ts';
import { redisProgram } from '../../support/redis-program.ts';
import type { Report } from './report.ts';

/** By name: in full, and with `--small`. Each is an option of the command line, too. */
export type Sizes = Readonly<Record<string, readonly [full: number, small: number]>>;

export interface Context<S extends Sizes = Sizes> {
  readonly sizes: Readonly<Record<keyof S, number>>;
  /** Named by `--engine`, else those that there are. */
  readonly engines: readonly Engine[];
  /** For what is asked of one: named by `--engine`, else SQLite. */
  readonly engine: Engine;
  /** Why there is no PostgreSQL; null when there is. */
  readonly withoutPostgres: string | null;
  readonly withoutRedis: string | null;
  /** Where CPU profiles of the service go; null: none are made, because they cost. */
  readonly profiles: string | null;
  /** Says what goes on. */
  readonly say: (text: string) => void;
}

export interface Bench<S extends Sizes = Sizes> {
  readonly name: string;
  /** In one sentence. */
  readonly question: string;
  readonly sizes: S;
  run(context: Context<S>): Promise<Report>;
}

/** What all of them are kept as: each is called with the sizes that it names itself. */
export type AnyBench = Omit<Bench, 'run'> & { run(context: Context): Promise<Report> };

export function defineBench<S extends Sizes>(bench: Bench<S>): AnyBench {
  return { ...bench, run: (context) => bench.run(context as Context<S>) }; // its sizes are read from its own names
}

export interface Chosen {
  readonly names: readonly string[];
  readonly isSmall: boolean;
  readonly isMarkdown: boolean;
  readonly engine: Engine | null;
  readonly profiles: string | null;
  readonly given: Readonly<Record<string, number>>;
}

/** @throws Error in words for whoever typed the options */
export function readOptions(argv: readonly string[], benches: readonly AnyBench[]): Chosen {
  const sizes = new Set(benches.flatMap((bench) => Object.keys(bench.sizes)));
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      small: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      engine: { type: 'string' },
      'cpu-prof': { type: 'string' },
      ...Object.fromEntries([...sizes].map((name) => [name, { type: 'string' as const }])),
    },
  });
  const known = benches.map(({ name }) => name);
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new Error(`There is no benchmark "${unknown}". There are: ${known.join(', ')}.`);
  const { small, markdown, engine = null, 'cpu-prof': profiles = null, ...rest } = values;
  if (engine !== null && engine !== 'sqlite' && engine !== 'postgres') {
    throw new Error(`--engine ${engine} is neither sqlite nor postgres`);
  }
  const given = Object.entries(rest).map(([name, text]) => [name, numberOf(name, String(text))] as const);
  const names = positionals.length === 0 ? known : positionals;
  const usable = new Set(
    benches.filter(({ name }) => names.includes(name)).flatMap((one) => Object.keys(one.sizes)),
  );
  const stray = given.find(([name]) => !usable.has(name));
  if (stray !== undefined) throw new Error(`--${stray[0]} is no option of ${names.join(', ')}`);
  return {
    names,
    isSmall: small === true,
    isMarkdown: markdown === true,
    engine,
    profiles: profiles === null ? null : String(profiles),
    given: Object.fromEntries(given),
  };
}

function numberOf(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`--${name} must be a whole number, not "${text}"`);
  return Number(text);
}

export async function contextOf(chosen: Chosen, bench: AnyBench): Promise<Context> {
  const sizes = Object.entries(bench.sizes).map(([name, [full, small]]) => [
    name,
    chosen.given[name] ?? (chosen.isSmall ? small : full),
  ]);
  const withoutPostgres = await whyNoPostgres();
  const engines: Engine[] = withoutPostgres === null ? ['sqlite', 'postgres'] : ['sqlite'];
  if (chosen.engine === 'postgres' && withoutPostgres !== null)
    throw new Error(`no PostgreSQL: ${withoutPostgres}`);
  return {
    sizes: Object.fromEntries(sizes),
    engines: chosen.engine === null ? engines : [chosen.engine],
    engine: chosen.engine ?? 'sqlite',
    withoutPostgres,
    withoutRedis: redisProgram() === null ? 'there is no redis-server in PATH' : null,
    profiles: chosen.profiles,
    say: (text) => process.stderr.write(`${text}\n`),
  };
}
