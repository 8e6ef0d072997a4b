import { listScope } from '../../domain/changes.ts';
import type { ItemScope } from '../../domain/items.ts';
import { ServiceError } from '../errors.ts';
import type { ItemApply } from '../items/apply.ts';
import type { ItemGone } from '../items/gone.ts';
import type { ItemPage, ItemSource } from '../items/source.ts';
import type { ListsService } from '../lists.ts';
import type { Stores, UnitOfWork } from '../ports.ts';
import type { ApplyCounts, ApplyService } from './apply.ts';
import type { GoneCounts, GoneService } from './gone.ts';
import type { RecordSource, SourcePage } from './source.ts';

export interface PassOptions {
  /** Records per page. */
  readonly pageSize: number;
  /** Pages under way at once. */
  readonly width: number;
  /** Records that consecutive pages share, by which it is seen that nothing slipped between them. */
  readonly overlap: number;
}

/** One answer of Attio, before it is in the mirror. */
export interface TargetPage {
  /** Of what could be read, in Attio's order. */
  readonly ids: readonly string[];
  readonly invalidIds: readonly string[];
  readonly unidentified: number;
  readonly readAt: string;
  readonly size: number;
  /** @param within runs in the same transaction, with what was applied */
  apply(within: (stores: Stores, counts: ApplyCounts) => Promise<void>): Promise<unknown>;
}

export interface TargetAbsence {
  readonly id: string;
  /** The instant of the read that did not find it. */
  readonly readAt: string;
}

/** What one full sync makes equal to Attio: the records of an object, the entries of a list, all notes, all tasks. */
export interface SyncTarget {
  /** Such as `people`, `entries of recruiting`. */
  readonly noun: string;
  /** An object, `lists/<id>`, `notes` or `tasks`: what it is in the change feed, whatever its list is called. */
  readonly scope: string;
  readonly options: PassOptions;
  /** How many are looked for again at a time. */
  readonly lookStep: number;
  /** Oldest first, as far as Attio can be asked for that. */
  page(offset: number, limit: number, signal: AbortSignal): Promise<TargetPage>;
  byIds(ids: readonly string[], signal: AbortSignal): Promise<TargetPage>;
  /** Ids of live ones last read before `readAt`, in their order, from after `afterId`. */
  liveIds(beforeReadAt: string, afterId: string, limit: number): Promise<string[]>;
  countLive(): Promise<number>;
  settleGone(
    absences: readonly TargetAbsence[],
    within: (stores: Stores, counts: GoneCounts) => Promise<void>,
  ): Promise<GoneCounts>;
}

/** The run of a list's entries is named `lists/<slug>`; those of notes and tasks by their kind. */
const LIST_RUN = /^lists\/(.+)$/;

export function listRun(slug: string): string {
  return `lists/${slug}`;
}

export function listOfRun(name: string): string | null {
  return LIST_RUN.exec(name)?.[1] ?? null;
}

export type ActivityRun = 'notes' | 'tasks';
export const ACTIVITY_RUNS: readonly ActivityRun[] = ['notes', 'tasks'];

export function isActivityRun(name: string): name is ActivityRun {
  return ACTIVITY_RUNS.some((known) => known === name);
}

/** Where a query finds many by their ids. */
const QUERIED_STEP = 500;
/** Where each is asked for by itself. */
const ASKED_STEP = 50;

/** Attio's maximum for notes, and one page at a time: it allows ten a second. */
const NOTES: PassOptions = { pageSize: 50, width: 1, overlap: 5 };

export interface SyncTargetsDeps {
  readonly records: {
    readonly source: RecordSource;
    readonly apply: ApplyService;
    readonly gone: GoneService;
  };
  readonly items: { readonly source: ItemSource; readonly apply: ItemApply; readonly gone: ItemGone };
  readonly lists: Pick<ListsService, 'bySlug'>;
  readonly store: UnitOfWork;
  readonly options: PassOptions;
}

/** From the name of a run to what it makes equal to Attio. */
export class SyncTargets {
  readonly #deps: SyncTargetsDeps;

  constructor(deps: SyncTargetsDeps) {
    this.#deps = deps;
  }

  /** @throws ServiceError `not_found` when the list of a run is there no more; `unavailable` */
  async of(name: string): Promise<SyncTarget> {
    const { options } = this.#deps;
    const slug = listOfRun(name);
    if (slug !== null) {
      const list = await this.#deps.lists.bySlug(slug);
      if (list === null) throw new ServiceError('not_found', `the workspace has no list "${slug}" any more`);
      const scope = listScope(list.id);
      const more = { noun: `entries of ${slug}`, scope, options, lookStep: QUERIED_STEP };
      return this.#items({ kind: 'entries', listId: list.id }, more);
    }
    if (!isActivityRun(name)) return this.#records(name);
    const ofNotes = {
      pageSize: Math.min(NOTES.pageSize, options.pageSize),
      width: NOTES.width,
      overlap: Math.min(NOTES.overlap, options.overlap),
    };
    const more = {
      noun: name,
      scope: name,
      options: name === 'notes' ? ofNotes : options,
      lookStep: ASKED_STEP,
    };
    return this.#items({ kind: name, listId: null }, more);
  }

  #records(object: string): SyncTarget {
    const { records, store, options } = this.#deps;
    const { source, apply, gone } = records;
    const wrap = ({ snapshots, ...page }: SourcePage): TargetPage => ({
      ...page,
      ids: snapshots.map((snapshot) => snapshot.recordId),
      apply: (within) =>
        apply.apply(object, snapshots, { touchUnchanged: false, isPartOfPass: true, within }),
    });
    return {
      noun: object,
      scope: object,
      options,
      lookStep: QUERIED_STEP,
      page: async (offset, limit, signal) => wrap(await source.page(object, offset, limit, signal)),
      byIds: async (ids, signal) => wrap(await source.byIds(object, ids, signal)),
      liveIds: (...from) => store.records.liveIds(object, ...from),
      countLive: () => store.records.countLive(object),
      settleGone: (absences, within) =>
        gone.settle(
          object,
          absences.map(({ id: recordId, readAt }) => ({ recordId, readAt, fate: { kind: 'look' } })),
          within,
        ),
    };
  }

  #items(scope: ItemScope, more: Pick<SyncTarget, 'noun' | 'scope' | 'options' | 'lookStep'>): SyncTarget {
    const { items, store } = this.#deps;
    const { source, apply, gone } = items;
    const wrap = ({ snapshots, ...page }: ItemPage): TargetPage => ({
      ...page,
      ids: snapshots.map((snapshot) => snapshot.attioId),
      apply: (within) => apply.apply(scope.kind, snapshots, { touchUnchanged: false, within }),
    });
    return {
      ...more,
      page: async (offset, limit, signal) => wrap(await source.page(scope, offset, limit, signal)),
      byIds: async (ids, signal) => wrap(await source.byIds(scope, ids, signal)),
      liveIds: (...from) => store.items.liveIds(scope, ...from),
      countLive: () => store.items.countLive(scope),
      settleGone: (absences, within) =>
        gone.settle(
          scope.kind,
          absences.map(({ id: attioId, readAt }) => ({ attioId, readAt })),
          within,
        ),
    };
  }
}
