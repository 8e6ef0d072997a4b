import type { RunCounts, RunStatus, SyncRun } from '../../domain/sync-runs.ts';

/** One page of a full sync, once its records are applied. */
export interface SyncPage {
  readonly offset: number;
  /** In Attio's order. */
  readonly recordIds: readonly string[];
  readonly readAt: string;
  readonly last: boolean;
}

export interface SyncRunStore {
  /** @returns the new run, which is ours, or the one that runs already for this object */
  start(run: SyncRun): Promise<{ run: SyncRun; alreadyRunning: boolean }>;
  /** @returns whether a run that runs is ours now, and in no other instance's hand */
  take(runId: string): Promise<boolean>;
  get(runId: string): Promise<SyncRun | undefined>;
  children(runId: string): Promise<SyncRun[]>;
  /** Newest first. */
  list(before: { startedAt: string; runId: string } | null, limit: number): Promise<SyncRun[]>;
  running(): Promise<SyncRun[]>;
  runningFor(object: string): Promise<SyncRun | undefined>;
  /** @throws ClaimLostError when another instance works on the run, or somebody has ended it */
  addCounts(runId: string, counts: Partial<RunCounts>): Promise<void>;
  /** @returns whether this has ended it: it runs no more, or is in another's hand */
  finish(
    runId: string,
    status: Exclude<RunStatus, 'running'>,
    finishedAt: string,
    error: string | null,
  ): Promise<boolean>;
  /** Replaces the page of the same offset. */
  savePage(runId: string, page: SyncPage): Promise<void>;
  page(runId: string, offset: number): Promise<SyncPage | undefined>;
  /** By offset, from after `afterOffset`. */
  pages(runId: string, afterOffset: number, limit: number): Promise<SyncPage[]>;
  dropPages(runId: string): Promise<void>;
}
