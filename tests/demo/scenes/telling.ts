import type { Checks } from '../checks.ts';
import type { Attempt } from '../deliveries.ts';
import type { Feed } from '../feed.ts';
import { duration, type Screen } from '../screen.ts';
import type { Change } from '../service-api.ts';
import type { Stage } from '../stage.ts';
import type { Happening, Workspace } from '../workspace.ts';

/** What every scene plays with. */
export interface Play {
  readonly screen: Screen;
  readonly checks: Checks;
  readonly stage: Stage;
  readonly workspace: Workspace;
  readonly feed: Feed;
}

export interface Told {
  readonly happening: Happening;
  readonly attempt: Attempt;
  readonly change: Change;
  /** From the click in Attio until the change was in the feed. */
  readonly tookMs: number;
}

/** Generous: shared machines freeze for seconds. */
export const PATIENCE_MS = 30_000;

/** Does something in Attio and follows it to the change feed. @throws when it does not arrive */
export async function follow(play: Play, act: () => Happening): Promise<Told> {
  const startedAt = performance.now();
  const happening = act();
  const [attempt, change] = await Promise.all([
    play.stage.deliveries.find(happening.event, happening.recordId, startedAt, PATIENCE_MS),
    play.feed.find(happening.change, happening.said, PATIENCE_MS),
  ]);
  return { happening, attempt, change, tookMs: performance.now() - startedAt };
}

/** The same, in words. */
export async function tell(play: Play, act: () => Happening): Promise<Told> {
  const { screen, stage, checks } = play;
  const requestsBefore = stage.requests;
  const told = await follow(play, act);
  const { happening, attempt, change, tookMs } = told;
  const requests = stage.requests - requestsBefore;
  screen.say(happening.said);
  screen.fact(
    'webhook',
    `${happening.event}, signed; stored and answered ${attempt.status ?? 'not at all'} in ${duration(attempt.tookMs)}`,
  );
  screen.fact(
    'mirror',
    `read again with ${requests === 1 ? 'one request' : `${requests} requests`} to Attio, in the feed ${duration(tookMs)} after the click`,
  );
  screen.fact('change', describe(change));
  checks.equal(`the signed ${happening.event} is accepted`, attempt.status, 202);
  return told;
}

function describe({ type, object, id, mergedId, changed }: Change): string {
  const merged = mergedId === undefined ? '' : `, once ${mergedId}`;
  const what = changed.length === 0 || type !== 'record.updated' ? '' : `: ${changed.join(', ')}`;
  return `${type} ${object} ${id}${merged}${what}`;
}
