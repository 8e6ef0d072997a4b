import { buildOperations } from '../../app/operations.ts';
import { type AppConfig, loadConfig } from '../../config.ts';
import { judgeDatabase } from '../../services/doctor/database.ts';
import { type Api, ask, askState, isLive, openApi, serviceUrl } from '../api.ts';
import type { Call, Command } from '../command.ts';
import { count, duration } from '../io.ts';
import { conflictList, type Health, health, type Run, runList } from './answers.ts';

/** Runs that are looked through for the latest of each object. */
const RUNS = 200;

export const status: Command = {
  usage: 'status',
  summary: 'How the service is, in words; also when it is down, by what its database knows.',
  details: 'Exit code 0 while it runs and has its database, also where Attio is out of reach; else 1.',
  async run(call) {
    const config = loadConfig(call.io.env);
    const url = serviceUrl(config);
    const runs = url !== null && (await isLive(url));
    const missing = runs ? null : await whyNoDatabase(config, call);
    return missing === null ? showAll(config, call) : showMissing(config, call, missing);
  },
};

function showMissing(config: AppConfig, call: Call, missing: string): 1 {
  if (call.json) call.answer({ running: false, database: missing });
  else {
    call.say(`The service does not run${at(config)}.`);
    call.say(`Of its database: ${missing}.`);
  }
  return 1;
}

async function showAll(config: AppConfig, call: Call): Promise<0 | 1> {
  const api = await openApi(config, call.io);
  try {
    const found = await look(api);
    if (call.json)
      call.answer({ running: api.face === 'service', url: urlOf(api, config), ...machine(found) });
    else for (const line of inWords(api, config, found)) call.say(line);
    return api.face === 'service' && found.known !== null ? 0 : 1;
  } finally {
    await api.close();
  }
}

interface Found {
  readonly health: Health;
  /** What the database says. Null: it does not serve just now. */
  readonly known: {
    /** The latest of each object. */
    readonly runs: readonly Run[];
    readonly openConflicts: number;
  } | null;
}

function machine({ health, known }: Found) {
  return { health, runs: known?.runs ?? [], openConflicts: known?.openConflicts ?? null };
}

/** Looking must neither make nor migrate a database. @returns null when it can be asked */
async function whyNoDatabase(config: AppConfig, call: Call): Promise<string | null> {
  const operations = buildOperations(config, call.io.overrides);
  try {
    const state = await operations.inspectDatabase();
    return state.trouble === null && state.isOurs && state.pending.length === 0
      ? null
      : judgeDatabase(state).message;
  } finally {
    await operations.close();
  }
}

async function look(api: Api): Promise<Found> {
  const found = await askState(api, health, '/health');
  if (found.status === 'down') return { health: found, known: null };
  const { data } = await ask(api, runList, 'GET', `/v1/sync/runs?limit=${RUNS}`);
  const conflicts = await ask(api, conflictList, 'GET', '/v1/conflicts?status=open&limit=1000');
  const latest = new Map<string, Run>();
  for (const run of data) if (!latest.has(run.object)) latest.set(run.object, run);
  return { health: found, known: { runs: [...latest.values()], openConflicts: conflicts.data.length } };
}

function inWords(api: Api, config: AppConfig, { health, known }: Found): string[] {
  const { attio, inbox, outbox, changeWebhooks: pushes, redis, database, mapping } = health.checks;
  const first =
    api.face === 'service'
      ? `The service runs${at(config)} (version ${health.version}, for ${duration(health.uptimeSeconds)}): ${health.status}.`
      : `The service does not run${at(config)}. By its database and by asking Attio:`;
  const state = [
    first,
    `Attio: ${attioInWords(attio)}.`,
    `Database: ${database.status === 'ok' ? 'can store' : 'cannot store; see npm run cli -- doctor'}.`,
    ...(redis === null ? [] : [`Redis: ${redis.status}.`]),
    ...(mapping?.problems ?? []).map((problem) => `Mapping: ${problem.replace(/\.$/, '')}.`),
  ];
  if (known === null) return state;
  const { runs, openConflicts } = known;
  const dead = inbox.dead + outbox.dead + (pushes?.dead ?? 0);
  return [
    ...state,
    `Events of Attio that wait: ${queue(inbox)}.`,
    `Writes for Attio that wait: ${queue(outbox)}.`,
    ...(pushes === null ? [] : [`Changes to be pushed: ${pushesInWords(pushes)}.`]),
    `Dead letters: ${count(dead)}${dead > 0 ? '; see npm run cli -- dead-letters list' : ''}.`,
    `Open conflicts: ${count(openConflicts)}.`,
    ...(runs.length === 0 ? ['No full sync yet: npm run cli -- sync all'] : ['Latest full syncs:']),
    ...runs.map(
      (run) =>
        `  ${run.object}: ${run.status}, ${count(run.seen)} seen, ${run.finishedAt ?? `began ${run.startedAt}`}`,
    ),
  ];
}

function attioInWords({ status: state, latencyMs, circuit, problem }: Health['checks']['attio']): string {
  const words: Readonly<Record<string, string>> = {
    ok: `answers${latencyMs === null ? '' : ` (in ${Math.round(latencyMs)} ms)`}`,
    unknown: 'has not been asked yet',
    unreachable: 'cannot be reached',
    refused: 'refuses the token, or some of what is asked with it',
    wrong_workspace: 'the token is of another workspace',
  };
  const circuits = circuit === 'closed' ? '' : `; the circuit is ${circuit}`;
  return `${problem ?? words[state] ?? state}${circuits}`;
}

function queue({ pending, oldestAgeSeconds }: Health['checks']['inbox']): string {
  return pending === 0 ? 'none' : `${count(pending)}, the oldest for ${duration(oldestAgeSeconds)}`;
}

function pushesInWords(pushes: NonNullable<Health['checks']['changeWebhooks']>): string {
  const { disabled } = pushes;
  if (disabled === 0) return queue(pushes);
  const many = disabled === 1 ? 'an address is' : `${count(disabled)} addresses are`;
  return `${queue(pushes)}; ${many} disabled, see npm run cli -- change-webhooks list`;
}

function at(config: AppConfig): string {
  const url = serviceUrl(config);
  return url === null ? '' : ` at ${url}`;
}

function urlOf(api: Api, config: AppConfig): string | null {
  return api.face === 'service' ? serviceUrl(config) : null;
}
