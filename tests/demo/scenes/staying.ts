import { setTimeout as sleep } from 'node:timers/promises';
import { duration } from '../screen.ts';
import type { Happening } from '../workspace.ts';
import { firstOf } from './cast.ts';
import { follow, PATIENCE_MS, type Play } from './telling.ts';

const EVERY_MS = 5_000;

const JOBS = ['Analyst', 'Buyer', 'Founder', 'Designer', 'Engineer', 'Head of Operations'] as const;
const TIERS = ['Gold', 'Silver', 'Bronze'] as const;
const STAGES = ['Lead', 'In Progress', 'Won 🎉', 'Lost'] as const;

export function addresses({ screen, stage }: Play): void {
  const { api, sandbox, service, directory } = stage;
  const shown: readonly [string, string][] = [
    [`${api.url}/docs`, 'the REST, to try out'],
    [`${api.url}/health`, ''],
    [`${api.url}/v1/contacts?limit=5`, ''],
    [`${api.url}/v1/changes`, 'from the oldest; ?after=latest&wait=30 waits for the next'],
    [`${api.url}/v1/conflicts`, 'what both sides have changed'],
    [`${api.url}/v1/sync/runs`, ''],
    [`${api.url}/metrics`, 'Prometheus'],
    [`${sandbox.url}/_sandbox/requests`, 'what Attio was asked'],
  ];
  for (const [url, about] of shown) {
    screen.say(about === '' ? url : `${url}  ${screen.style('dim', about)}`);
  }
  screen.say(screen.style('dim', `The service's log: ${service.logPath}; its database is beside it.`));
  screen.say(screen.style('dim', `Ctrl-C stops everything and removes ${directory}.`));
}

/** Traffic both ways, which goes on until the signal. */
export async function stay(play: Play, signal: AbortSignal): Promise<void> {
  const { screen, feed, stage } = play;
  for (let turn = 0; !signal.aborted; turn += 1) {
    await sleep(EVERY_MS, undefined, { signal });
    if (stage.service.hasEnded) throw new Error(`the service has ended:\n${stage.service.logTail()}`);
    await feed.skip();
    const { said, done } = turn % 4 === 3 ? await ours(play, turn) : await theirs(play, turn);
    screen.say(`${new Date().toLocaleTimeString('en-GB')}  ${said} ${screen.style('green', done)}`);
  }
}

interface Line {
  readonly said: string;
  readonly done: string;
}

/** From Attio to here. */
async function theirs(play: Play, turn: number): Promise<Line> {
  const { happening, tookMs } = await follow(play, () => something(play, turn));
  return { said: happening.said, done: `Mirrored after ${duration(tookMs)}.` };
}

/** From here to Attio. */
async function ours({ workspace, stage, feed }: Play, turn: number): Promise<Line> {
  const { name, email, jobTitle } = pick(workspace.people(), turn);
  const wanted = other(JOBS, jobTitle, turn);
  const { status, contact, tookMs } = await stage.api.putContact({ email, jobTitle: wanted });
  const said = `The web shop writes the job title of ${name}, "${wanted}": ${status}.`;
  await feed.find(({ id, source }) => id === contact.id && source === 'local', said, PATIENCE_MS);
  return { said, done: `In Attio after ${duration(tookMs)}.` };
}

/** Every turn something else, and another value than the one that is there. */
function something({ workspace }: Play, turn: number): Happening {
  if (turn % 4 === 1) {
    const company = pick(workspace.companies(), turn);
    return workspace.setTier(company, other(TIERS, company.tier, turn));
  }
  if (turn % 4 === 2) {
    const deal = pick(workspace.deals(), turn);
    return workspace.setStage(deal, other(STAGES, deal.stage, turn));
  }
  const person = pick(workspace.people(), turn);
  return workspace.setJobTitle(person, other(JOBS, person.jobTitle, turn));
}

function other(choices: readonly string[], now: string, turn: number): string {
  return pick(
    choices.filter((choice) => choice !== now),
    turn,
  );
}

function pick<T>(all: readonly T[], turn: number): T {
  const [found] = firstOf(all.slice(turn % all.length), 1);
  return found;
}
