import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../config.ts';
import { type Api, ask, askState, openApi } from '../api.ts';
import { type Call, type Command, usageError } from '../command.ts';
import { estimateCount } from '../estimate.ts';
import { CommandError, count, duration } from '../io.ts';
import { ProgressLine } from '../progress.ts';
import { health, type OneRun, type Run, records, runAnswer, runList, started } from './answers.ts';

const POLL_MS = 250;
/** How long Attio may take to tell an app of our own whose token it is. */
const LEARN_TRIES = 10;

export const sync: Command = {
  usage: 'sync <object|lists/list|notes|tasks|all> [--force]',
  summary: 'Makes the mirror equal to Attio by a full sync, and shows how far it is.',
  details:
    'Starts a run, or joins the one that is under way: in the service when it runs, else in this command.\n' +
    'Ctrl-C ends the watching: a run in the service goes on; one in this command is left where it is, and goes on at\n' +
    'the next start of the service or of the same command.\n' +
    'Exit code 1 when the run has failed, was cancelled, or is left.',
  options: {
    force: {
      type: 'boolean',
      help: 'let the run delete more than the larger of 50 records and 10 % of them',
    },
  },
  async run(call) {
    const [target = ''] = call.args;
    if (!/^(lists\/)?[a-z0-9_-]+$/.test(target))
      throw usageError(sync, `"${target}" names no object or list.`);
    const config = loadConfig(call.io.env);
    const api = await openApi(config, call.io);
    try {
      if (api.face === 'own') await assertAttioAnswers(api);
      const watch = new Watch(call, api);
      // Before the run, whose many requests these few would wait behind.
      if (!call.json) watch.estimate(target === 'all' ? config.sync.objects : [target]);
      const query = call.flag('force') ? '?force=true' : '';
      const { data } = await ask(api, started, 'POST', `/v1/sync/${target}${query}`);
      if (!call.json) call.say(beginning(api, data.alreadyRunning));
      return await watch.follow(data.runId);
    } finally {
      await api.close();
    }
  },
};

function beginning(api: Api, alreadyRunning: boolean): string {
  const where = api.face === 'service' ? 'in the service' : 'here, as the service does not run';
  return alreadyRunning
    ? `A run that was under way already goes on ${where}.`
    : `The run takes place ${where}.`;
}

/** A run would wait for Attio without a word; an operator is to be told. */
async function assertAttioAnswers(api: Api): Promise<void> {
  for (let left = LEARN_TRIES; ; left -= 1) {
    const { attio } = (await askState(api, health, '/health')).checks;
    if (attio.status === 'ok') return;
    const isFinal = attio.status === 'refused' || attio.status === 'wrong_workspace';
    if (isFinal || left === 0) {
      const words = attio.problem ?? 'Attio cannot be reached';
      throw new CommandError(`No sync was started: ${words}.`, 'Run: npm run cli -- doctor');
    }
    await sleep(POLL_MS * 4);
  }
}

/** Shows one run, and those that it consists of, until it ends. */
class Watch {
  readonly #call: Call;
  readonly #api: Api;
  /** By object: about how many records it has. */
  readonly #totals = new Map<string, number>();
  readonly #lines = new Map<string, ProgressLine>();
  readonly #ended = new Set<string>();

  constructor(call: Call, api: Api) {
    this.#call = call;
    this.#api = api;
  }

  /** Goes on beside the run. */
  estimate(objects: readonly string[]): void {
    for (const object of objects) {
      void estimateTotal(this.#api, object, (total) => this.#totals.set(object, total));
    }
  }

  async follow(runId: string): Promise<0 | 1> {
    const { signal } = this.#call.io;
    for (;;) {
      const { data: run } = await ask(this.#api, runAnswer, 'GET', `/v1/sync/runs/${runId}`);
      if (!this.#call.json) this.#show(run);
      if (run.status !== 'running') return this.#end(run);
      await sleep(POLL_MS, undefined, signal === undefined ? {} : { signal }).catch(() => {});
      if (signal?.aborted === true) return this.#leave(run);
    }
  }

  #show(run: Run): void {
    for (const part of run.runs ?? [run]) {
      if (this.#ended.has(part.runId)) continue;
      const line = this.#line(part);
      if (part.status === 'running') {
        line.pace.setTotal(this.#totals.get(part.object) ?? null);
        line.update(part.seen, Date.now());
      } else {
        this.#ended.add(part.runId);
        line.end(summaryOf(part));
      }
    }
  }

  #line({ runId, object }: OneRun): ProgressLine {
    const known = this.#lines.get(runId);
    if (known !== undefined) return known;
    const { stdout, isTerminal } = this.#call.io;
    const line = new ProgressLine({ out: stdout, moves: isTerminal, label: object });
    this.#lines.set(runId, line);
    return line;
  }

  #end(run: Run): 0 | 1 {
    if (this.#call.json) this.#call.answer(run);
    else if (run.runs !== undefined) this.#call.say(summaryOf(run));
    return run.status === 'succeeded' ? 0 : 1;
  }

  #leave(run: Run): 1 {
    if (this.#call.json) {
      this.#call.answer(run);
      return 1;
    }
    const where =
      this.#api.face === 'service'
        ? `It goes on in the service. To cancel it: DELETE /v1/sync/runs/${run.runId}`
        : 'It is left where it is, and goes on at the next start of the service or of this command.';
    this.#call.say(`${this.#call.io.isTerminal ? '\n' : ''}${where}`);
    return 1;
  }
}

/** About how many records a run will see: Attio tells no totals. Never rejects; of a list its last run is all that there is to know. */
async function estimateTotal(api: Api, object: string, onBetter: (total: number) => void): Promise<void> {
  const last = await lastSeen(api, object).catch(() => null);
  if (last !== null) onBetter(last);
  if (object.startsWith('lists/')) return;
  const path = `/v1/records/${object}/query`;
  const hasAt = async (offset: number) =>
    (await ask(api, records, 'POST', path, { limit: 1, offset })).data.length > 0;
  await estimateCount(hasAt, onBetter, last).catch(() => {});
}

async function lastSeen(api: Api, object: string): Promise<number | null> {
  const { data } = await ask(api, runList, 'GET', '/v1/sync/runs?limit=200');
  const runs = data.flatMap((run) => run.runs ?? [run]);
  return runs.find((run) => run.object === object && run.status === 'succeeded')?.seen ?? null;
}

function summaryOf(run: OneRun): string {
  const seconds = (Date.parse(run.finishedAt ?? run.startedAt) - Date.parse(run.startedAt)) / 1000;
  const counts = (['created', 'updated', 'unchanged', 'deleted', 'merged'] as const)
    .filter((name) => run[name] > 0)
    .map((name) => `${count(run[name])} ${name}`);
  const facts = [`${count(run.seen)} seen`, ...counts].join(', ');
  const why = run.error === undefined ? '' : `: ${run.error}`;
  return `${run.object}: ${run.status} after ${duration(seconds)}, ${facts}${why}`;
}
