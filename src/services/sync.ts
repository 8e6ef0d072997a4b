import { ClaimLostError } from '../domain/claims.ts';
import type { Clock } from '../domain/clock.ts';
import { addCounts, NO_COUNTS, type RunStatus, type SyncRun } from '../domain/sync-runs.ts';
import { isForbidden } from './attio-errors.ts';
import { isOutage, ServiceError } from './errors.ts';
import type { Page, SyncEvents, SyncRunStore } from './ports.ts';
import { forbiddenRun } from './sync/forbidden.ts';
import type { FullSync } from './sync/full-sync.ts';
import { ALL_OBJECTS, assertMirrored, type Mirrored } from './sync/mirrored.ts';
import { CancelledError, LetGoError, RunsInHand } from './sync/runs-in-hand.ts';
import { listRun } from './sync/target.ts';
import type { WorkspaceGuard } from './workspace.ts';

/** A run; one of `all` shows the runs it consists of, and their counts added up. */
export type SyncRunView = SyncRun & { readonly runs?: readonly SyncRun[] };

export interface SyncServiceDeps extends Mirrored {
  readonly runs: SyncRunStore;
  readonly fullSync: Pick<FullSync, 'complete'>;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly events: SyncEvents;
  readonly workspace: Pick<WorkspaceGuard, 'assertMaySync' | 'whenMaySync'>;
  /** How long an outage may hold up a run before it fails. */
  readonly outagePatienceMs: number;
  /** A run has ended: other instances may wait for it, or work on it. */
  readonly onEnded: () => void;
}

const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 30_000;

/**
 * Full syncs: one per object, list, or kind of activity at a time, started by cron or a person, resumed under the same id after a crash.
 *
 * The database says which runs run (a second one for an object is refused by it), and which instance works on each. A
 * stop leaves them `running`, for another instance or the next start to take up.
 */
export class SyncService {
  readonly #deps: SyncServiceDeps;
  readonly #inHand: RunsInHand;
  #stopping = false;

  constructor(deps: SyncServiceDeps) {
    this.#deps = deps;
    this.#inHand = new RunsInHand(deps);
  }

  /**
   * @param object a mirrored object's slug, `lists/<slug>`, `notes`, `tasks`, or `all`
   * @throws ServiceError `not_found` for another, `unavailable` when syncing is stopped
   */
  async start(
    object: string,
    options: { force: boolean },
  ): Promise<{ runId: string; alreadyRunning: boolean }> {
    await assertMirrored(object, this.#deps);
    this.#deps.workspace.assertMaySync();
    if (this.#stopping)
      throw new ServiceError('unavailable', 'the service is stopping', { retryAfterSeconds: 10 });
    const { run, alreadyRunning } = await this.#open(object, options.force, null);
    return { runId: run.runId, alreadyRunning };
  }

  /** Waits for a run to end, at most `timeoutMs`. @returns the run as it is then */
  async wait(runId: string, timeoutMs: number, signal: AbortSignal): Promise<SyncRunView> {
    const { clock } = this.#deps;
    const waited = new AbortController();
    const limit = clock.sleep(timeoutMs, AbortSignal.any([signal, waited.signal])).catch(() => {});
    const ended = this.#inHand.ended(runId, waited.signal);
    await Promise.race([ended, limit]).finally(() => waited.abort(new LetGoError('nobody waits')));
    await ended.catch((error: unknown) => {
      if (!(error instanceof LetGoError)) throw error;
    });
    return this.get(runId);
  }

  /** @throws ServiceError `not_found` */
  async get(runId: string): Promise<SyncRunView> {
    const run = await this.#deps.runs.get(runId);
    if (run === undefined) throw new ServiceError('not_found', 'there is no sync run with this id');
    return this.#view(run);
  }

  /** Newest first. @param query.before the `next` of the page before */
  async list(query: { before: string | null; limit: number }): Promise<Page<SyncRunView, string>> {
    const before = query.before === null ? null : await this.#deps.runs.get(query.before);
    if (before === undefined) throw new ServiceError('invalid', 'the cursor is too old', { path: 'cursor' });
    const rows = await this.#deps.runs.list(before, query.limit + 1);
    const page = rows.slice(0, query.limit);
    const views = await Promise.all(page.map((run) => this.#view(run)));
    return { rows: views, next: rows.length > query.limit ? (page.at(-1)?.runId ?? null) : null };
  }

  /** Cancels a run and those it consists of; one that has ended stays as it ended. @throws ServiceError `not_found` */
  async cancel(runId: string): Promise<SyncRunView> {
    const run = await this.get(runId);
    // The whole before its parts: once it has ended it begins no other part.
    await this.#cancel(run);
    for (const part of await this.#deps.runs.children(runId)) await this.#cancel(part);
    return this.get(runId);
  }

  /** One that is worked on elsewhere, or by nobody, is ended here; whoever works on it is told. */
  async #cancel({ runId }: SyncRun): Promise<void> {
    await this.#inHand.abort([runId], new CancelledError('cancelled'));
    const run = await this.#deps.runs.get(runId);
    if (run?.status === 'running') await this.#finish(run, 'cancelled', null);
  }

  /** Runs have ended at another instance: ours among them, if they were cancelled there. */
  heard(): void {
    this.#inHand.heard();
    for (const runId of this.#inHand.ids) {
      this.#dropCancelled(runId).catch(() => {}); // the database: what is stored next is refused
    }
  }

  async #dropCancelled(runId: string): Promise<void> {
    const { runs } = this.#deps;
    const run = await runs.get(runId);
    const whole = run?.parentRunId == null ? undefined : await runs.get(run.parentRunId);
    if (run?.status !== 'cancelled' && whole?.status !== 'cancelled') return;
    await this.#inHand.abort([runId], new CancelledError('cancelled'));
  }

  /** Runs are another instance's now. */
  async letGo(): Promise<void> {
    await this.#inHand.abort(this.#inHand.ids, new LetGoError('another instance works on it'));
  }

  /** Takes up the runs that a stop or a crash has cut off, and that no other instance has. */
  async resumeAll(): Promise<void> {
    const running = await this.#deps.runs.running();
    // Those of `all` find their parts already under way.
    const partsFirst = running.toSorted(
      (a, b) => Number(a.object === ALL_OBJECTS) - Number(b.object === ALL_OBJECTS),
    );
    for (const run of partsFirst) await this.#takeUp(run, true);
  }

  /** The same, in the background. What the database does not answer now is taken up by the next call, or the next start. */
  takeUp(): void {
    this.resumeAll().catch((error: unknown) => {
      if (!isOutage(error)) this.#deps.events.unexpected('runs to take up', error);
    });
  }

  /** Stops work; runs stay `running` for the next start. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#inHand.abort(this.#inHand.ids, new LetGoError('stopping'));
  }

  /** @param isResumed one that is new is ours already */
  async #takeUp(run: SyncRun, isResumed: boolean): Promise<void> {
    const isOurs = () => this.#stopping || this.#inHand.has(run.runId);
    if (isOurs() || (isResumed && !(await this.#deps.runs.take(run.runId))) || isOurs()) return;
    this.#deps.events.runStarted(run, isResumed);
    this.#inHand.begin(run.runId, (signal) => this.#complete(run, signal));
  }

  async #open(
    object: string,
    force: boolean,
    parentRunId: string | null,
  ): Promise<{ run: SyncRun; alreadyRunning: boolean }> {
    const opened = await this.#deps.runs.start({
      ...NO_COUNTS,
      runId: this.#deps.newId(),
      object,
      status: 'running',
      startedAt: this.#now(),
      finishedAt: null,
      error: null,
      force,
      parentRunId,
    });
    // One that the database says runs, and that nobody works on, is taken up.
    await this.#takeUp(opened.run, opened.alreadyRunning);
    return opened;
  }

  /** Never rejects: how a run ends stands in its row. */
  async #complete(run: SyncRun, signal: AbortSignal): Promise<void> {
    const end = await this.#attempt(run, signal);
    while (!this.#stopping && end !== null) {
      try {
        return await this.#finish(run, end.status, end.error);
      } catch (error) {
        // The database: a run that has ended must not stand there as running.
        if (!isOutage(error)) this.#deps.events.unexpected('the end of a full sync', error);
        await this.#deps.clock.sleep(FIRST_PAUSE_MS);
      }
    }
  }

  /** @returns how the run has ended; null when it goes on elsewhere, or later */
  async #attempt(
    run: SyncRun,
    signal: AbortSignal,
  ): Promise<{ status: Exclude<RunStatus, 'running'>; error: string | null } | null> {
    try {
      await this.#patiently(signal, (onProgress) =>
        run.object === ALL_OBJECTS
          ? this.#completeAll(run, signal, onProgress)
          : this.#completeOne(run, signal, onProgress),
      );
      return { status: 'succeeded', error: null };
    } catch (error) {
      if (signal.reason instanceof LetGoError || error instanceof ClaimLostError) return null;
      if (signal.reason instanceof CancelledError) return { status: 'cancelled', error: null };
      if (!(error instanceof ServiceError || isOutage(error)))
        this.#deps.events.unexpected('full sync', error);
      return { status: 'failed', error: messageOf(error) };
    }
  }

  /** An outage, of Attio or of the database, holds a run up; only when it lasts does the run fail. */
  async #patiently(signal: AbortSignal, work: (onProgress: () => void) => Promise<void>): Promise<void> {
    const { clock, outagePatienceMs } = this.#deps;
    let failingSince: number | null = null;
    let pauseMs = FIRST_PAUSE_MS;
    const onProgress = () => {
      failingSince = null;
      pauseMs = FIRST_PAUSE_MS;
    };
    for (;;) {
      try {
        return await work(onProgress);
      } catch (error) {
        failingSince ??= clock.now();
        if (signal.aborted || !isOutage(error) || clock.now() - failingSince > outagePatienceMs) throw error;
        const asked = error instanceof ServiceError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
        await clock.sleep(Math.max(pauseMs, asked), signal);
        pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS);
      }
    }
  }

  async #completeOne(run: SyncRun, signal: AbortSignal, onProgress: () => void): Promise<void> {
    await this.#deps.workspace.whenMaySync(signal);
    const current = (await this.#deps.runs.get(run.runId)) ?? run;
    const completed = this.#deps.fullSync.complete(current, signal, (counts) => {
      onProgress();
      this.#deps.events.runProgressed({ ...current, ...counts });
    });
    await completed.catch((error: unknown) => {
      // No time gives a token more scopes.
      throw isForbidden(error) ? forbiddenRun(run.object) : error;
    });
  }

  async #completeAll(parent: SyncRun, signal: AbortSignal, onProgress: () => void): Promise<void> {
    const failures: string[] = [];
    const { objects, activity } = this.#deps;
    const complete = async (names: readonly string[]) => {
      for (const name of names) {
        signal.throwIfAborted();
        const run = await this.#completePart(parent, name, signal);
        onProgress();
        if (run.status !== 'succeeded') failures.push(`${name}: ${run.error ?? run.status}`);
      }
    };
    await complete(objects);
    await complete(await this.#listRuns(failures));
    await complete(activity);
    signal.throwIfAborted();
    if (failures.length > 0) throw new ServiceError('refused', failures.join('; '));
  }

  /** @param failures gets a line when the token may not even read which lists there are */
  async #listRuns(failures: string[]): Promise<string[]> {
    const mirrored = this.#deps.lists.mirrored();
    try {
      return (await mirrored).map((list) => listRun(list.slug));
    } catch (error) {
      if (!isForbidden(error)) throw error;
      failures.push(`lists: ${forbiddenRun(listRun('lists')).message}`);
      return [];
    }
  }

  async #completePart(parent: SyncRun, object: string, signal: AbortSignal): Promise<SyncRun> {
    const parts = await this.#deps.runs.children(parent.runId);
    let run = parts.find((part) => part.object === object);
    while (run === undefined) {
      const opened = await this.#open(object, parent.force, parent.runId);
      // Somebody else's run of this object began before ours: a pass of our own comes after it.
      if (opened.alreadyRunning) await this.#inHand.ended(opened.run.runId, signal);
      else run = opened.run;
    }
    // Stored, but its answer was lost: nobody works on it yet.
    if (run.status === 'running') await this.#takeUp(run, true);
    await this.#inHand.ended(run.runId, signal);
    return (await this.#deps.runs.get(run.runId)) ?? run;
  }

  async #finish(run: SyncRun, status: Exclude<RunStatus, 'running'>, error: string | null): Promise<void> {
    const { runs, events, onEnded } = this.#deps;
    const isEnded = await runs.finish(run.runId, status, this.#now(), error);
    // Another instance has taken it over, and its checkpoints with it.
    if (!isEnded && (await runs.get(run.runId))?.status === 'running') return;
    await runs.dropPages(run.runId);
    events.runFinished(await this.get(run.runId));
    onEnded();
  }

  async #view(run: SyncRun): Promise<SyncRunView> {
    if (run.object !== ALL_OBJECTS) return run;
    const runs = await this.#deps.runs.children(run.runId);
    return { ...run, ...runs.reduce(addCounts, NO_COUNTS), runs };
  }

  #now(): string {
    return new Date(this.#deps.clock.now()).toISOString();
  }
}

function messageOf(error: unknown): string {
  return error instanceof ServiceError || isOutage(error)
    ? error.message
    : 'an unexpected error; see the log';
}
