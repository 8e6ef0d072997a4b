import { deletionLimit, type RunCounts, type SyncRun } from '../../domain/sync-runs.ts';
import { ServiceError } from '../errors.ts';
import type { UnitOfWork } from '../ports.ts';
import type { ApplyService } from './apply.ts';
import type { GoneService } from './gone.ts';
import { FullPass, type PassOptions, type PassResult } from './pass.ts';
import type { RecordSource } from './source.ts';

/** Ids compared, and records looked for again, at a time. */
const STEP = 500;

/** Records marked as gone per transaction. */
const GONE_PER_TRANSACTION = 200;

export interface FullSyncDeps {
  readonly source: RecordSource;
  readonly apply: ApplyService;
  readonly gone: GoneService;
  readonly store: UnitOfWork;
  readonly options: PassOptions;
}

interface Missing {
  readonly recordId: string;
  /** The instant of the second look that did not find it either. */
  readonly readAt: string;
}

/**
 * Makes the mirror of one object equal to Attio: a complete pass, then the records that the pass did not see.
 *
 * A record is marked as gone only after a complete pass has not seen it, a look for it alone has not found it
 * either, and the run would not thereby delete suspiciously much.
 */
export class FullSync {
  readonly #deps: FullSyncDeps;

  constructor(deps: FullSyncDeps) {
    this.#deps = deps;
  }

  /** @throws ServiceError when it fails; the signal's reason */
  async complete(run: SyncRun, signal: AbortSignal, onProgress: (counts: RunCounts) => void): Promise<void> {
    const { store, source, apply, options } = this.#deps;
    const pass = new FullPass({ source, apply, runs: store.runs, options }, run, signal, onProgress);
    const result = await pass.complete();
    const missing: Missing[] = [];
    for await (const ids of this.#unseen(run.object, result)) {
      missing.push(...(await this.#lookAgain(run, ids, signal)));
    }
    await this.#brake(run, missing.length);
    for (let start = 0; start < missing.length; start += GONE_PER_TRANSACTION) {
      signal.throwIfAborted();
      await this.#markGone(run, missing.slice(start, start + GONE_PER_TRANSACTION));
    }
  }

  /** Live records that the pass did not see and that nobody has read since it began. */
  async *#unseen(object: string, pass: PassResult): AsyncGenerator<string[]> {
    let afterId = '';
    for (;;) {
      const ids = await this.#deps.store.records.liveIds(object, pass.startedReadAt, afterId, STEP);
      const last = ids.at(-1);
      if (last === undefined) return;
      const unseen = ids.filter((id) => !pass.seen.has(id));
      if (unseen.length > 0) yield unseen;
      afterId = last;
    }
  }

  async #lookAgain(run: SyncRun, recordIds: string[], signal: AbortSignal): Promise<Missing[]> {
    const page = await this.#deps.source.byIds(run.object, recordIds, signal);
    const found = new Set([...page.snapshots.map((snapshot) => snapshot.recordId), ...page.invalidIds]);
    await this.#deps.apply.apply(run.object, page.snapshots, {
      touchUnchanged: false,
      within: (stores, applied) =>
        stores.runs.addCounts(run.runId, { ...applied, seen: page.snapshots.length }),
    });
    // One that could not even be told by its id may be any of those that seem missing.
    if (page.unidentified > 0) return [];
    return recordIds.filter((id) => !found.has(id)).map((recordId) => ({ recordId, readAt: page.readAt }));
  }

  async #brake(run: SyncRun, missing: number): Promise<void> {
    const live = await this.#deps.store.records.countLive(run.object);
    const limit = deletionLimit(live);
    if (missing <= limit || run.force) return;
    throw new ServiceError(
      'refused',
      `${missing} of ${live} ${run.object} are no longer in Attio, more than the ${limit} that one run may mark as deleted; nothing was deleted. If this is right, run it again with force=true.`,
    );
  }

  async #markGone(run: SyncRun, missing: readonly Missing[]): Promise<void> {
    await this.#deps.gone.settle(
      run.object,
      missing.map(({ recordId, readAt }) => ({ recordId, readAt, fate: { kind: 'look' } })),
      (stores, counts) => stores.runs.addCounts(run.runId, counts),
    );
  }
}
