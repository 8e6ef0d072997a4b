export type RunStatus = 'running' | 'succeeded' | 'failed' | 'cancelled';

/** What a run did, record by record. */
export interface RunCounts {
  readonly pages: number;
  readonly seen: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Gone from Attio. */
  readonly deleted: number;
  /** Gone from Attio by a merge; not counted in `deleted`. */
  readonly merged: number;
}

export interface SyncRun extends RunCounts {
  readonly runId: string;
  /** An object slug, `lists/<slug>`, `notes`, `tasks`, or `all`. */
  readonly object: string;
  readonly status: RunStatus;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly error: string | null;
  /** Lift the brake on mass deletion. */
  readonly force: boolean;
  /** The `all` run that this one is part of. */
  readonly parentRunId: string | null;
}

export const NO_COUNTS: RunCounts = {
  pages: 0,
  seen: 0,
  created: 0,
  updated: 0,
  unchanged: 0,
  deleted: 0,
  merged: 0,
};

export function addCounts(a: RunCounts, b: Partial<RunCounts>): RunCounts {
  return {
    pages: a.pages + (b.pages ?? 0),
    seen: a.seen + (b.seen ?? 0),
    created: a.created + (b.created ?? 0),
    updated: a.updated + (b.updated ?? 0),
    unchanged: a.unchanged + (b.unchanged ?? 0),
    deleted: a.deleted + (b.deleted ?? 0),
    merged: a.merged + (b.merged ?? 0),
  };
}

/** The brake of a run: more deletions than this at once look like a fault, not like housekeeping. */
export function deletionLimit(liveRecords: number): number {
  return Math.max(50, Math.floor(liveRecords * 0.1));
}
