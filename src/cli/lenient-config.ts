import { type AppConfig, ConfigError, type ConfigProblem, loadConfig } from '../config.ts';
import type { Io } from './io.ts';

/** Where a value is required, any will do to read the rest. */
const REQUIRED: ReadonlySet<string> = new Set(['ATTIO_API_KEY', 'ATTIO_WEBHOOK_SECRET', 'SERVICE_API_KEYS']);

export interface LenientConfig {
  /** With defaults in place of what is wrong; null: nothing can be made of it. */
  readonly config: AppConfig | null;
  readonly problems: readonly ConfigProblem[];
  /** Names of what is wrong. */
  readonly bad: ReadonlySet<string>;
}

/** Reads what can be read, and says what is wrong with the rest. */
export function readLenientConfig(env: Io['env']): LenientConfig {
  try {
    return { config: loadConfig(env), problems: [], bad: new Set() };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const bad = new Set(error.problems.map(({ name }) => name));
    return { config: withoutBad(env, bad), problems: error.problems, bad };
  }
}

function withoutBad(env: Io['env'], bad: ReadonlySet<string>): AppConfig | null {
  const repaired = [...bad].map((name) => [name, REQUIRED.has(name) ? 'unset' : undefined]);
  // The addresses require the secret.
  if (bad.has('CHANGE_WEBHOOK_SECRET')) repaired.push(['CHANGE_WEBHOOK_URLS', undefined]);
  try {
    return withoutUnset(loadConfig({ ...env, ...Object.fromEntries(repaired) }), bad);
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
}

function withoutUnset(config: AppConfig, bad: ReadonlySet<string>): AppConfig {
  return {
    ...config,
    ...(bad.has('ATTIO_WEBHOOK_SECRET') ? { webhooks: { ...config.webhooks, secrets: [] } } : {}),
    ...(bad.has('SERVICE_API_KEYS') ? { http: { ...config.http, apiKeys: [] } } : {}),
  };
}

/**
 * The configuration, for a command that does not need all of it.
 * @param mayBeBad what it does without, such as a secret that is only to be made
 * @throws ConfigError
 */
export function configWithout(env: Io['env'], ...mayBeBad: readonly string[]): AppConfig {
  const { config, problems } = readLenientConfig(env);
  const serious = problems.filter(({ name }) => !mayBeBad.includes(name));
  if (config === null || serious.length > 0) throw new ConfigError(serious.length > 0 ? serious : problems);
  return config;
}
