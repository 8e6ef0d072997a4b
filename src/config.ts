/**
 * Environment and `config/attio.{environment}.json` → AppConfig, once, at the start.
 *
 * The environment holds what differs per deployment and what is secret; the JSON file holds tuning. Nothing else
 * under `src/` reads `process.env`. Names bear their units.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type AttioSettings, attioEnvironment } from './attio/config.ts';
import {
  isHost,
  isHttpsAddress,
  isLoopbackHost,
  isPostgresUrl,
  isRedisUrl,
  isSqliteUrl,
} from './config/addresses.ts';
import {
  changeWebhookEnvironment,
  changeWebhookFaults,
  changeWebhookMends,
} from './config/change-webhooks.ts';
import { readSettings, type Settings } from './config/settings.ts';
import { CONFLICT_POLICIES, type ConflictRules } from './domain/conflict-policies.ts';
import { keySlugs, type Mappings } from './domain/mapping.ts';
import { resolveMapping } from './domain/mapping-rules.ts';

export type Environment = 'development' | 'staging' | 'production' | 'test';

export interface AppConfig {
  readonly environment: Environment;
  readonly logLevel: LogLevel;
  readonly http: {
    readonly host: string;
    /** 0: any free one. */
    readonly port: number;
    /** Where internal systems reach us from outside; null: unknown, so no webhook can be registered. */
    readonly publicUrl: string | null;
    /** Bearer tokens for `/v1`; none: open to callers on this machine. */
    readonly apiKeys: readonly string[];
    /** Development: callers on this machine see the details of health without a key. */
    readonly trustLoopback: boolean;
    /** Staging and production: metrics and documentation need a key. */
    readonly protectOperations: boolean;
  };
  readonly webhooks: {
    /** Any of them may have signed; none: deliveries are refused with 503. */
    readonly secrets: readonly string[];
  };
  readonly attio: AttioSettings & { readonly apiKey: string; readonly baseUrl: string };
  readonly database: Settings['database'] & {
    /** `sqlite:<path>`, `sqlite::memory:` or `postgres://…`; may hold a password. */
    readonly url: string;
  };
  /** Null: caches are in process. The address may hold a password. */
  readonly redis: { readonly url: string } | null;
  readonly instances: Settings['instances'];
  readonly sync: Settings['sync'] & {
    /** Slugs, at least one. */
    readonly objects: readonly string[];
    /** Slugs of the lists to mirror; null: all of them. */
    readonly lists: readonly string[] | null;
  };
  readonly conflicts: ConflictRules;
  readonly changeWebhooks: Settings['changeWebhooks'] & {
    /** Where changes are pushed to; may hold a password in their path or query. None: changes are not pushed. */
    readonly urls: readonly string[];
    /** Each signs; at least one where there is an address. */
    readonly secrets: readonly string[];
  };
  readonly cache: Settings['cache'];
  readonly inbox: Settings['inbox'];
  readonly outbox: Settings['outbox'];
  readonly automations: Settings['automations'];
  readonly deals: Settings['deals'];
  readonly mapping: Mappings;
  readonly echoes: Settings['echoes'];
  readonly deletes: Settings['deletes'];
  readonly retention: Settings['retention'];
  readonly health: Settings['health'];
}

/** One thing to mend, by the name of its variable or by its file and path. Never holds a value. */
export interface ConfigProblem {
  readonly name: string;
  readonly problem: string;
  readonly mend: string;
}

/** Everything that is wrong with the configuration, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ name, problem, mend }) => `  ${name} ${problem}. ${mend}`);
    super(`The configuration has ${lines.length === 1 ? 'a problem' : 'problems'}:\n${lines.join('\n')}`);
    this.problems = problems;
  }
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const ENVIRONMENTS = ['development', 'staging', 'production', 'test'] as const;
/** Words that the REST routes of syncing use themselves. */
const RESERVED_OBJECTS = ['all', 'comments', 'lists', 'notes', 'runs', 'tasks'];
const COMPARE_FILE = 'Compare the file with the one in the repository.';

const list = z.string().transform((text) => text.split(',').map((item) => item.trim()));
const secrets = list.refine((items) => !items.includes(''), 'has an empty part between commas').optional();

const environmentSchema = z.object({
  NODE_ENV: z
    .enum(ENVIRONMENTS, `is none of ${ENVIRONMENTS.join(', ')}`)
    .default('development')
    .transform((name): Environment => name),
  HOST: z.string().refine(isHost, 'is neither an IP address nor a host name').optional(),
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'is not a whole number')
    .default('3000')
    .transform(Number)
    .refine((port) => port <= 65_535, 'is above 65535'),
  ...attioEnvironment.shape,
  ATTIO_WEBHOOK_SECRET: secrets,
  DATABASE_URL: z
    .string()
    .refine(
      (url) => isSqliteUrl(url) || isPostgresUrl(url),
      'is not an address of a SQLite or PostgreSQL database',
    )
    .default('sqlite:./data/attio.db'),
  REDIS_URL: z.string().refine(isRedisUrl, 'is not an address of a Redis server').optional(),
  SERVICE_API_KEYS: secrets,
  SYNC_OBJECTS: list
    .refine((slugs) => slugs.every((slug) => /^[a-z0-9_-]+$/.test(slug)), 'has a part that is no object slug')
    .refine(
      (slugs) => !slugs.some((slug) => RESERVED_OBJECTS.includes(slug)),
      `has one of the reserved words ${RESERVED_OBJECTS.join(', ')}`,
    )
    .transform((slugs) => [...new Set(slugs)])
    .prefault('people,companies,deals'),
  SYNC_LISTS: list
    .refine((slugs) => slugs.every((slug) => /^[a-z0-9_-]+$/.test(slug)), 'has a part that is no list slug')
    .transform((slugs): readonly string[] => (slugs.join() === 'none' ? [] : [...new Set(slugs)]))
    .optional(),
  SYNC_CONFLICT_POLICY: z
    .enum(CONFLICT_POLICIES, `is none of ${CONFLICT_POLICIES.join(', ')}`)
    .default('last-write-wins'),
  ...changeWebhookEnvironment.shape,
  PUBLIC_URL: z
    .string()
    .refine(isHttpsAddress, 'is not a plain https address')
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS, `is none of ${LOG_LEVELS.join(', ')}`).default('info'),
});
type Env = z.infer<typeof environmentSchema>;
type VariableName = keyof Env;

/** Every variable that the service reads. */
export const ENVIRONMENT_VARIABLES: readonly string[] = Object.keys(environmentSchema.shape);

const MEND: Readonly<Record<VariableName, string>> = {
  NODE_ENV: `Set it to one of ${ENVIRONMENTS.join(', ')}, or leave it unset for development.`,
  HOST: 'Set it to an address to listen on, such as 127.0.0.1 or 0.0.0.0.',
  PORT: 'Set it to a number from 0 to 65535; 0 picks a free port.',
  ATTIO_API_KEY: 'Set it to an access token of the Attio workspace.',
  ATTIO_BASE_URL: 'Set it to an address such as https://api.attio.com/v2, or leave it unset.',
  ATTIO_WEBHOOK_SECRET:
    "Set it to the webhook's secret, several separated by commas; where there is no webhook yet, npm run cli -- webhooks register --env-file .env makes one and sets it.",
  DATABASE_URL:
    'Set it to sqlite:<path>, such as sqlite:./data/attio.db, or to postgres://user:password@host:5432/database, with what is not a letter or digit in the password percent-encoded.',
  REDIS_URL:
    'Set it to redis://user:password@host:6379/0, or to rediss:// for TLS, with what is not a letter or digit in the password percent-encoded, or leave it unset.',
  SERVICE_API_KEYS: 'Set it to one or several tokens that callers of /v1 send, separated by commas.',
  SYNC_OBJECTS: 'Set it to object slugs such as people,companies,deals.',
  SYNC_LISTS: 'Set it to list slugs such as recruiting,partnerships, or to none, or leave it unset for all.',
  SYNC_CONFLICT_POLICY: `Set it to one of ${CONFLICT_POLICIES.join(', ')}, or leave it unset.`,
  ...changeWebhookMends,
  PUBLIC_URL: 'Set it to an address such as https://bridge.example.com, or leave it unset.',
  LOG_LEVEL: `Set it to one of ${LOG_LEVELS.join(', ')}.`,
};

type Variables = Readonly<Record<string, string | undefined>>;

/** The variables of this process; the one place that reads them. */
export function processVariables(): Variables {
  return process.env;
}

/**
 * @param env the variables; an empty or blank value counts as unset
 * @param options.readFile reads a file of the package by its path from the package's root
 * @throws ConfigError listing everything that is wrong
 */
export function loadConfig(env: Variables, options: { readFile?: (path: string) => string } = {}): AppConfig {
  const problems: ConfigProblem[] = [];
  const values = readEnvironment(env, problems);
  const settings = settingsOf(env, options.readFile ?? readPackageFile, problems);
  if (values !== null && settings !== null) {
    const faults = changeWebhookFaults(values, settings.changeWebhooks);
    problems.push(...strayRules(values, settings));
    problems.push(...faults.map(({ name, problem }) => problemOf(name, problem)));
  }
  if (values === null || settings === null || problems.length > 0) throw new ConfigError(problems);
  return toConfig(values, settings);
}

function readEnvironment(env: Variables, problems: ConfigProblem[]): Env | null {
  const given = Object.fromEntries(
    ENVIRONMENT_VARIABLES.flatMap((name) => {
      const value = env[name];
      return value === undefined || value.trim() === '' ? [] : [[name, value]];
    }),
  );
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    const first = new Map(parsed.error.issues.toReversed().map((issue) => [String(issue.path[0]), issue]));
    for (const name of ENVIRONMENT_VARIABLES) {
      const issue = first.get(name);
      if (issue !== undefined) problems.push(problemOf(name, issue.message));
    }
  }
  for (const name of missingSecrets(given)) {
    problems.push(problemOf(name, 'is required in staging and production, or where others can reach HOST'));
  }
  return parsed.data ?? null;
}

/** What only some environments may leave out. */
function missingSecrets(given: Variables): string[] {
  const deployed = given['NODE_ENV'] === 'staging' || given['NODE_ENV'] === 'production';
  const reachable = given['HOST'] !== undefined && !isLoopbackHost(given['HOST']);
  const missing: string[] = [];
  if (deployed && given['ATTIO_WEBHOOK_SECRET'] === undefined) missing.push('ATTIO_WEBHOOK_SECRET');
  if ((deployed || reachable) && given['SERVICE_API_KEYS'] === undefined) missing.push('SERVICE_API_KEYS');
  return missing;
}

function problemOf(name: string, problem: string): ConfigProblem {
  return { name, problem, mend: MEND[name as VariableName] }; // a key of the schema, as all callers' are
}

/** An unknown environment has no file; its variable is reported. */
function settingsOf(
  env: Variables,
  readFile: (path: string) => string,
  problems: ConfigProblem[],
): Settings | null {
  const name = ENVIRONMENTS.find((environment) => environment === (env['NODE_ENV']?.trim() || 'development'));
  if (name === undefined) return null;
  const path = settingsPath(name);
  const { settings, faults } = readSettings(() => readFile(path));
  for (const { at, problem, mend = COMPARE_FILE } of faults) {
    problems.push({ name: at === '' ? path : `${path} at ${at}`, problem, mend });
  }
  return settings;
}

function settingsPath(name: Environment): string {
  return `config/attio.${name === 'test' ? 'development' : name}.json`;
}

/** Rules of conflicts for what is not mirrored: a slip of the pen, or a variable that was forgotten. */
function strayRules(env: Env, { conflicts }: Settings): ConfigProblem[] {
  const { SYNC_OBJECTS: objects, SYNC_LISTS: lists } = env;
  return Object.keys(conflicts.objects).flatMap((scope): ConfigProblem[] => {
    const list = /^lists\/(.+)$/.exec(scope)?.[1];
    const variable = list === undefined ? 'SYNC_OBJECTS' : 'SYNC_LISTS';
    const isMirrored =
      list === undefined ? scope === 'tasks' || objects.includes(scope) : (lists?.includes(list) ?? true);
    if (isMirrored) return [];
    return [
      {
        name: `${settingsPath(env.NODE_ENV)} at conflicts.objects.${scope}`,
        problem: 'names what is not mirrored',
        mend: `Add it to ${variable}, correct it, or take it out.`,
      },
    ];
  });
}

function readPackageFile(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
}

function toConfig(env: Env, settings: Settings): AppConfig {
  const deployed = env.NODE_ENV === 'staging' || env.NODE_ENV === 'production';
  return {
    environment: env.NODE_ENV,
    logLevel: env.LOG_LEVEL,
    http: {
      host: env.HOST ?? (env.NODE_ENV === 'production' ? '0.0.0.0' : '127.0.0.1'),
      port: env.PORT,
      publicUrl: env.PUBLIC_URL ?? null,
      apiKeys: env.SERVICE_API_KEYS ?? [],
      trustLoopback: !deployed,
      protectOperations: deployed,
    },
    webhooks: { secrets: env.ATTIO_WEBHOOK_SECRET ?? [] },
    attio: { ...settings.attio, apiKey: env.ATTIO_API_KEY, baseUrl: env.ATTIO_BASE_URL },
    database: { ...settings.database, url: env.DATABASE_URL },
    instances: settings.instances,
    redis: env.REDIS_URL === undefined ? null : { url: env.REDIS_URL },
    sync: {
      ...settings.sync,
      objects: env.SYNC_OBJECTS,
      lists: env.SYNC_LISTS ?? null,
    },
    conflicts: { policy: env.SYNC_CONFLICT_POLICY, ...settings.conflicts },
    changeWebhooks: {
      ...settings.changeWebhooks,
      urls: env.CHANGE_WEBHOOK_URLS ?? [],
      secrets: env.CHANGE_WEBHOOK_SECRET ?? [],
    },
    cache: settings.cache,
    inbox: settings.inbox,
    outbox: settings.outbox,
    automations: settings.automations,
    deals: settings.deals,
    mapping: resolveMapping(settings.mapping ?? {}, keySlugs(settings.deals.externalIdAttribute)).mappings,
    echoes: settings.echoes,
    deletes: settings.deletes,
    retention: settings.retention,
    health: settings.health,
  };
}
