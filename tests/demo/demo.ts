/**
 * The main job on a fresh machine: a made-up Attio in this process, the real service in one of its own, and people
 * who work in Attio meanwhile, and internal systems that read and write. `--check` ends by itself, with an exit code; otherwise it stays up for looking around.
 */
import { parseArgs } from 'node:util';
import { Checks } from './checks.ts';
import { Feed } from './feed.ts';
import { batch } from './scenes/batch.ts';
import { cachedReads } from './scenes/cached-reads.ts';
import { forgedAndRepeated } from './scenes/deliveries.ts';
import { firstFullSync, moreFullSyncs } from './scenes/full-sync.ts';
import { burst, livePeople } from './scenes/live.ts';
import { outage } from './scenes/outage.ts';
import { refusals } from './scenes/refusals.ts';
import { addresses, stay } from './scenes/staying.ts';
import { summary } from './scenes/summary.ts';
import { teamWork } from './scenes/team-work.ts';
import type { Play } from './scenes/telling.ts';
import { internalWrites } from './scenes/writes.ts';
import { count, duration, Screen } from './screen.ts';
import { LATENCY_MS, Stage } from './stage.ts';
import { Workspace } from './workspace.ts';

const HELP = `npm run demo               the demo; stays up until Ctrl-C
npm run demo -- --check    the same, asserted: ends by itself, exit code 0 or 1
`;

/** Of `--check`. It takes well below a minute on an ordinary laptop; a machine that freezes gets more. */
const CHECK_LIMIT_MS = 170_000;

type Scene = readonly [title: string, run: (play: Play) => void | Promise<void>];

const SCENES: readonly Scene[] = [
  ['The first full sync', firstFullSync],
  ['People work in Attio', livePeople],
  ['Many edits in a moment', burst],
  ["Attio's own records, cached", cachedReads],
  ['Internal systems write', internalWrites],
  ['Lists, notes, tasks, comments, deals', teamWork],
  ['What cannot be written', refusals],
  ['Many at once', batch],
  ['A forged delivery, and one that comes twice', forgedAndRepeated],
  ['Attio is down for a while', outage],
  ['Full syncs again', moreFullSyncs],
  ['What Attio was asked in all this', summary],
];

/** The machine's own wish to end: a signal, or the time limit. */
class Ended extends Error {
  override readonly name = 'Ended';
}

async function setUp(screen: Screen, checks: Checks, stage: Stage): Promise<Play> {
  const { service, sandbox, webhook, api } = stage;
  const workspace = new Workspace(sandbox.sandbox);
  if (stage.movedPorts.length > 0)
    screen.say(`Something else listens on ${stage.movedPorts.join(' and ')}; using free ports instead.`);
  screen.say(
    `Attio: the sandbox on ${sandbox.url}, with ${count(workspace.count('people'))} people, ${count(workspace.count('companies'))} companies and ${count(workspace.count('deals'))} deals.`,
  );
  screen.say(`It has Attio's rate limits, and answers ${LATENCY_MS} ms late, as over the internet.`);
  screen.say(
    `A webhook for ${webhook.types} types of events is registered there; its secret goes to the service.`,
  );
  const startedAt = performance.now();
  await service.ready(api.url);
  screen.say(
    `The service: ${api.url}, process ${service.pid}, on an empty SQLite file. Ready after ${duration(performance.now() - startedAt)}.`,
  );
  return { screen, checks, stage, workspace, feed: await Feed.fromNow(api) };
}

async function perform(play: Play, signal: AbortSignal): Promise<void> {
  for (const [title, run] of SCENES) {
    play.screen.scene(title);
    try {
      await run(play);
    } catch (error) {
      if (signal.aborted) return;
      play.checks.that(`"${title}" goes to its end`, false, messageOf(error));
      if (play.stage.service.hasEnded) {
        throw new Error(`the service has ended:\n${play.stage.service.logTail()}`);
      }
    }
  }
}

async function run(screen: Screen, options: { check: boolean; signal: AbortSignal }): Promise<boolean> {
  const { check, signal } = options;
  const checks = new Checks(screen, { showAll: check });
  const startedAt = performance.now();
  screen.title('attio-bridge: a demo without an account');
  screen.scene('A made-up Attio, and the service in front of it');
  const stage = await Stage.build();
  try {
    await Promise.race([
      aborted(signal),
      (async () => {
        const play = await setUp(screen, checks, stage);
        await perform(play, signal);
        if (check) return;
        screen.scene('Over to you');
        addresses(play);
        screen.say(`All of this was checked on the way: ${checks.summary}. Traffic goes on:`);
        await stay(play, signal);
      })(),
    ]);
  } catch (error) {
    const byHand = error instanceof Ended && !check;
    if (!byHand) checks.that('the demo goes to its end', false, messageOf(error));
  } finally {
    screen.line('');
    await stage.close();
  }
  const took = duration(performance.now() - startedAt);
  if (check) screen.line(`Took ${took}. Everything is stopped and removed.\n\n${checks.summary}`);
  else screen.line('Everything is stopped and removed.');
  return checks.failed === 0;
}

function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return promise;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: { check: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const ending = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(name, () => ending.abort(new Ended(`stopped by ${name}`)));
  }
  if (values.check) {
    const reason = new Ended(`it took longer than ${CHECK_LIMIT_MS / 1000} s`);
    setTimeout(() => ending.abort(reason), CHECK_LIMIT_MS).unref();
  }
  const ok = await run(new Screen(process.stdout), { check: values.check, signal: ending.signal });
  return ok ? 0 : 1;
}

let code = 1;
try {
  code = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`demo: ${messageOf(error)}\n`);
}
// Late answers of the sandbox may still wait on timers: they are left, what was written is not.
process.stdout.write('', () => process.exit(code));
