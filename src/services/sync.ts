import type { Clock } from '../domain/clock.ts';
import { addCounts, NO_COUNTS, type RunStatus, type SyncRun } from '../domain/sync-runs.ts';
import { isForbidden } from './attio-errors.ts';
import { isOutage, ServiceError } from './errors.ts';
import type { ListsService } from './lists.ts';
import type { Page, SyncEvents, SyncRunStore } from './ports.ts';
import { forbiddenRun } from './sync/forbidden.ts';
import type { FullSync } from './sync/full-sync.ts';
import { type ActivityRun, listOfRun, listRun } from './sync/target.ts';
import type { WorkspaceGuard } from './workspace.ts';

/** A run; one of `all` shows the runs it consists of, and their counts added up. */
export type SyncRunView = SyncRun & { readonly runs?: readonly SyncRun[] };

/** Every configured object and list, notes and tasks, one after the other. */
export const ALL_OBJECTS = 'all';

export interface SyncServiceDeps {
  readonly objects: readonly string[];
  readonly lists: Pick<ListsService, 'get' | 'isMirrored' | 'mirrored'>;
  /** Of notes and tasks, those that are mirrored. */
  readonly activity: readonly ActivityRun[];
  readonly runs: SyncRunStore;
  readonly fullSync: Pick<FullSync, 'complete'>;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly events: SyncEvents;
  readonly workspace: Pick<WorkspaceGuard, 'assertMaySync' | 'whenMaySync'>;
  /** How long an outage may hold up a run before it fails. */
  readonly outagePatienceMs: number;
}

const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 30_000;

class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

class ShutdownError extends Error {
  override readonly name = 'ShutdownError';
}

interface Active {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/**
 * Full syncs: one per object, list, or kind of activity at a time, started by cron or a person, resumed under the same id after a crash.
 *
 * The database says which runs run (a second one for an object is refused by it); this process's memory says
 * which of them it works on. A stop leaves them `running`, for the next start to take up.
 */
export class SyncService {
  readonly #deps: SyncServiceDeps;
  readonly #active = new Map<string, Active>();
  #stopping = false;

  constructor(deps: SyncServiceDeps) {
    this.#deps = deps;
  }

  /**
   * @param object a mirrored object's slug, `lists/<slug>`, `notes`, `tasks`, or `all`
   * @throws ServiceError `not_found` for another, `unavailable` when syncing is stopped
   */
  async start(
    object: string,
    options: { force: boolean },
  ): Promise<{ runId: string; alreadyRunning: boolean }> {
    await this.#assertMirrored(object);
    this.#deps.workspace.assertMaySync();
    if (this.#stopping)
      throw new ServiceError('unavailable', 'the service is stopping', { retryAfterSeconds: 10 });
    const { run, alreadyRunning } = await this.#open(object, options.force, null);
    return { runId: run.runId, alreadyRunning };
  }

  async #assertMirrored(name: string): Promise<void> {
    const { objects, activity, lists } = this.#deps;
    const slug = listOfRun(name);
    if (slug === null) {
      if (name === ALL_OBJECTS || [...objects, ...activity].includes(name)) return;
      const more = activity.length === 0 ? '' : `; beside them there are ${activity.join(', ')}`;
      throw new ServiceError(
        'not_found',
        `"${name}" is not mirrored here; SYNC_OBJECTS names ${objects.join(', ')}${more}`,
      );
    }
    if (lists.isMirrored(await lists.get(slug))) return;
    const mirrored = (await lists.mirrored()).map((list) => list.slug);
    throw new ServiceError(
      'not_found',
      `the list "${slug}" is not mirrored here; of the workspace's lists SYNC_LISTS names ${mirrored.join(', ') || 'none'}`,
    );
  }

  /** Waits for a run to end, at most `timeoutMs`. @returns the run as it is then */
  async wait(runId: string, timeoutMs: number, signal: AbortSignal): Promise<SyncRunView> {
    const waited = new AbortController();
    const limit = this.#deps.clock.sleep(timeoutMs, AbortSignal.any([signal, waited.signal])).catch(() => {});
    await Promise.race([this.#active.get(runId)?.ended ?? Promise.resolve(), limit]);
    waited.abort();
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
    await this.#abort([runId]);
    await this.#abort((await this.#deps.runs.children(runId)).map((part) => part.runId));
    // One that nobody works on, left behind by a crash.
    if ((await this.get(runId)).status === 'running') await this.#finish(run, 'cancelled', null);
    return this.get(runId);
  }

  async #abort(runIds: readonly string[]): Promise<void> {
    const active = runIds.flatMap((id) => this.#active.get(id) ?? []);
    for (const { abort } of active) abort.abort(new CancelledError('cancelled'));
    await Promise.all(active.map(({ ended }) => ended));
  }

  /** Takes up the runs that a stop or a crash has cut off. */
  async resumeAll(): Promise<void> {
    const running = await this.#deps.runs.running();
    // Those of `all` find their parts already under way.
    const partsFirst = running.toSorted(
      (a, b) => Number(a.object === ALL_OBJECTS) - Number(b.object === ALL_OBJECTS),
    );
    for (const run of partsFirst) {
      this.#deps.events.runStarted(run, true);
      this.#work(run);
    }
  }

  /** Stops work; runs stay `running` for the next start. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const active = [...this.#active.values()];
    for (const { abort } of active) abort.abort(new ShutdownError('stopping'));
    await Promise.all(active.map(({ ended }) => ended));
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
    if (!this.#active.has(opened.run.runId)) {
      this.#deps.events.runStarted(opened.run, opened.alreadyRunning);
      this.#work(opened.run);
    }
    return opened;
  }

  #work(run: SyncRun): void {
    const abort = new AbortController();
    const ended = this.#complete(run, abort.signal).finally(() => this.#active.delete(run.runId));
    this.#active.set(run.runId, { abort, ended });
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

  /** @returns how the run has ended; null when a stop has cut it off */
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
      if (signal.reason instanceof ShutdownError) return null;
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
      if (opened.alreadyRunning) await this.#ended(opened.run.runId, signal);
      else run = opened.run;
    }
    // Stored, but its answer was lost: nobody works on it yet.
    if (run.status === 'running' && !this.#active.has(run.runId)) this.#work(run);
    await this.#ended(run.runId, signal);
    return (await this.#deps.runs.get(run.runId)) ?? run;
  }

  /** @throws the signal's reason when it aborts first */
  async #ended(runId: string, signal: AbortSignal): Promise<void> {
    const active = this.#active.get(runId);
    if (active !== undefined) await Promise.race([active.ended, aborted(signal)]);
  }

  async #finish(run: SyncRun, status: Exclude<RunStatus, 'running'>, error: string | null): Promise<void> {
    await this.#deps.runs.finish(run.runId, status, this.#now(), error);
    await this.#deps.runs.dropPages(run.runId);
    this.#deps.events.runFinished(await this.get(run.runId));
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

function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return promise;
}

function messageOf(error: unknown): string {
  return error instanceof ServiceError || isOutage(error)
    ? error.message
    : 'an unexpected error; see the log';
}
