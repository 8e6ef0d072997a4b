import { deletionLimit, type RunCounts, type SyncRun } from '../../domain/sync-runs.ts';
import { ServiceError } from '../errors.ts';
import type { UnitOfWork } from '../ports.ts';
import { FullPass, type PassResult } from './pass.ts';
import type { SyncTarget, SyncTargets, TargetAbsence } from './target.ts';

/** Marked as gone per transaction. */
const GONE_PER_TRANSACTION = 200;

/**
 * Makes the mirror of one target equal to Attio: a complete pass, then those that the pass did not see.
 *
 * One is marked as gone only after a complete pass has not seen it, a look for it alone has not found it either, and
 * the run would not thereby delete suspiciously much.
 */
export class FullSync {
  readonly #targets: Pick<SyncTargets, 'of'>;
  readonly #store: UnitOfWork;

  constructor(deps: { targets: Pick<SyncTargets, 'of'>; store: UnitOfWork }) {
    this.#targets = deps.targets;
    this.#store = deps.store;
  }

  /** @throws ServiceError when it fails; the signal's reason */
  async complete(run: SyncRun, signal: AbortSignal, onProgress: (counts: RunCounts) => void): Promise<void> {
    const target = await this.#targets.of(run.object);
    const pass = new FullPass({ target, runs: this.#store.runs }, run, signal, onProgress);
    const result = await pass.complete();
    const missing = await this.#missing(target, run, result, signal);
    for (let start = 0; start < missing.length; start += GONE_PER_TRANSACTION) {
      signal.throwIfAborted();
      await target.settleGone(missing.slice(start, start + GONE_PER_TRANSACTION), (stores, counts) =>
        stores.runs.addCounts(run.runId, counts),
      );
    }
    await this.#store.changes.noteFullSync(target.scope);
  }

  async #missing(
    target: SyncTarget,
    run: SyncRun,
    pass: PassResult,
    signal: AbortSignal,
  ): Promise<TargetAbsence[]> {
    const live = await target.countLive();
    const limit = run.force ? Number.POSITIVE_INFINITY : deletionLimit(live);
    const missing: TargetAbsence[] = [];
    for await (const ids of unseen(target, pass)) {
      missing.push(...(await this.#lookAgain(target, run, ids, signal)));
      if (missing.length > limit) throw tooMany(missing.length, live, limit, target.noun);
    }
    return missing;
  }

  async #lookAgain(
    target: SyncTarget,
    run: SyncRun,
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<TargetAbsence[]> {
    const page = await target.byIds(ids, signal);
    const found = new Set([...page.ids, ...page.invalidIds]);
    await page.apply((stores, applied) =>
      stores.runs.addCounts(run.runId, { ...applied, seen: page.ids.length }),
    );
    // One that could not even be told by its id may be any of those that seem missing.
    if (page.unidentified > 0) return [];
    return ids.filter((id) => !found.has(id)).map((id) => ({ id, readAt: page.readAt }));
  }
}

/** Live ones that the pass did not see and that nobody has read since it began. */
async function* unseen(target: SyncTarget, pass: PassResult): AsyncGenerator<string[]> {
  let afterId = '';
  for (;;) {
    const ids = await target.liveIds(pass.startedReadAt, afterId, target.lookStep);
    const last = ids.at(-1);
    if (last === undefined) return;
    const notSeen = ids.filter((id) => !pass.seen.has(id));
    if (notSeen.length > 0) yield notSeen;
    afterId = last;
  }
}

function tooMany(missing: number, live: number, limit: number, noun: string): ServiceError {
  return new ServiceError(
    'refused',
    `${missing} of ${live} ${noun} are no longer in Attio, more than the ${limit} that one run may mark as deleted; nothing was deleted. If this is right, run it again with force=true.`,
  );
}
