import { setTimeout as sleep } from 'node:timers/promises';
import { duration } from '../screen.ts';
import type { Happening } from '../workspace.ts';
import { firstOf } from './cast.ts';
import { follow, type Play } from './telling.ts';

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

/** Traffic that goes on until the signal. */
export async function stay(play: Play, signal: AbortSignal): Promise<void> {
  const { screen, feed, stage } = play;
  for (let turn = 0; !signal.aborted; turn += 1) {
    await sleep(EVERY_MS, undefined, { signal });
    if (stage.service.hasEnded) throw new Error(`the service has ended:\n${stage.service.logTail()}`);
    await feed.skip();
    const { happening, tookMs } = await follow(play, () => something(play, turn));
    const mirrored = screen.style('green', `Mirrored after ${duration(tookMs)}.`);
    screen.say(`${new Date().toLocaleTimeString('en-GB')}  ${happening.said} ${mirrored}`);
  }
}

/** Every turn something else, and another value than the one that is there. */
function something({ workspace }: Play, turn: number): Happening {
  if (turn % 3 === 1) {
    const company = pick(workspace.companies(), turn);
    return workspace.setTier(company, other(TIERS, company.tier, turn));
  }
  if (turn % 3 === 2) {
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
