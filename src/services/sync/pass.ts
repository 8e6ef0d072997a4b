import { addCounts, type RunCounts, type SyncRun } from '../../domain/sync-runs.ts';
import type { SyncPage, SyncRunStore } from '../ports.ts';
import { IdSet } from './id-set.ts';
import { PageLinks, share } from './page-links.ts';
import type { SyncTarget, TargetPage } from './target.ts';

/** Checkpoints that a pass which was cut off is told of at once. */
const STORED_AT_ONCE = 20;

export interface PassDeps {
  readonly target: Pick<SyncTarget, 'page' | 'options'>;
  readonly runs: Pick<SyncRunStore, 'page' | 'pages' | 'savePage' | 'addCounts'>;
}

export interface PassResult {
  /** Every record that the pass saw. */
  readonly seen: Pick<IdSet, 'has'>;
  /** The earliest instant that a page reflects: what was read later than this is not missing, whatever the pass saw. */
  readonly startedReadAt: string;
}

/**
 * One complete pass over a target, oldest first, by offset pages.
 *
 * Attio promises no stable paging: a record that is deleted while we read moves everything behind it forward, past
 * pages that were read already. So consecutive pages overlap, and two pages are linked when they share a record:
 * everything behind it is then in one or the other. Where a link is missing, the earlier page is read again, and
 * the ones before it, until it holds. Records that are created meanwhile come last.
 *
 * Each page is applied and checkpointed in one transaction. A pass that was cut off reads only the pages that
 * have no checkpoint.
 */
export class FullPass {
  readonly #deps: PassDeps;
  readonly #run: SyncRun;
  readonly #signal: AbortSignal;
  readonly #onProgress: (counts: RunCounts) => void;
  /** Offsets of the pages that have a checkpoint. */
  readonly #stored = new Set<number>();
  readonly #links: PageLinks;
  readonly #seen = new IdSet();
  #counts: RunCounts;
  /** No page beyond this offset has records. */
  #lastOffset = Number.POSITIVE_INFINITY;
  #startedReadAt = '';

  constructor(deps: PassDeps, run: SyncRun, signal: AbortSignal, onProgress: (counts: RunCounts) => void) {
    this.#deps = deps;
    this.#run = run;
    this.#signal = signal;
    this.#onProgress = onProgress;
    this.#counts = run;
    this.#links = new PageLinks(this.#step);
  }

  /** @throws ServiceError when Attio or the database gives up; the signal's reason */
  async complete(): Promise<PassResult> {
    await this.#noteStored();
    await this.#readAll();
    await this.#linkAll();
    return { seen: this.#seen, startedReadAt: this.#startedReadAt };
  }

  get #step(): number {
    const { pageSize, overlap } = this.#deps.target.options;
    return pageSize - overlap;
  }

  async #noteStored(): Promise<void> {
    for (let after = -1; ; ) {
      const pages = await this.#deps.runs.pages(this.#run.runId, after, STORED_AT_ONCE);
      for (const page of pages) {
        this.#note(page);
        for (const id of page.recordIds) this.#seen.add(id);
      }
      if (pages.length < STORED_AT_ONCE) return;
      after = pages.at(-1)?.offset ?? after;
    }
  }

  async #readAll(): Promise<void> {
    const failures: unknown[] = [];
    const attempt = <T>(work: Promise<T>) =>
      work.catch((error: unknown): undefined => {
        failures.push(error);
      });
    let next = 0;
    const readPages = async () => {
      let storing: Promise<void> = Promise.resolve();
      while (next <= this.#lastOffset && failures.length === 0) {
        const offset = next;
        next += this.#step;
        if (this.#stored.has(offset)) continue;
        const page = await attempt(this.#readPage(offset));
        // While a page is stored the next one is under way. That one waits here, so that few are held.
        await storing;
        if (page !== undefined) storing = attempt(this.#store(offset, page));
      }
      await storing;
    };
    // One that fails stops the others from beginning a page, not from ending one: while a circuit is half-open, one
    // of them is the probe that closes it again. All are waited for, so that nothing is written after the pass.
    await Promise.all(Array.from({ length: this.#deps.target.options.width }, readPages));
    if (failures.length > 0) throw failures[0];
  }

  async #readPage(offset: number): Promise<TargetPage> {
    const page = await this.#fetch(offset);
    if (this.#isLast(page)) this.#lastOffset = Math.min(this.#lastOffset, offset);
    return page;
  }

  async #store(offset: number, page: TargetPage): Promise<void> {
    const isBeyondTheEnd = page.size === 0 && offset > this.#lastOffset;
    if (isBeyondTheEnd) return;
    const recordIds = [...page.ids, ...page.invalidIds];
    await this.#save(page, { offset, recordIds, readAt: page.readAt, last: this.#isLast(page) });
  }

  #isLast(page: TargetPage): boolean {
    return page.size < this.#deps.target.options.pageSize;
  }

  async #fetch(offset: number): Promise<TargetPage> {
    const { target } = this.#deps;
    return target.page(offset, target.options.pageSize, this.#signal);
  }

  /** Applies a page, and stores the checkpoint of which it is all or a part. */
  async #save(page: TargetPage, checkpoint: SyncPage): Promise<void> {
    const { runId } = this.#run;
    const fresh = page.ids.filter((id) => this.#seen.add(id)).length;
    for (const id of page.invalidIds) this.#seen.add(id);
    await page.apply(async (stores, applied) => {
      // Records of the overlap were counted with the page that saw them first, and are unchanged in this one.
      const unchanged = applied.unchanged - (page.ids.length - fresh);
      const counts = { ...applied, unchanged: Math.max(0, unchanged), pages: 1, seen: fresh };
      await stores.runs.savePage(runId, checkpoint);
      await stores.runs.addCounts(runId, counts);
      this.#counts = addCounts(this.#counts, counts);
    });
    this.#note(checkpoint);
    this.#onProgress(this.#counts);
  }

  #note({ offset, recordIds, readAt, last }: SyncPage): void {
    this.#stored.add(offset);
    this.#links.note(offset, recordIds);
    if (last) this.#lastOffset = Math.min(this.#lastOffset, offset);
    if (this.#startedReadAt === '' || readAt < this.#startedReadAt) this.#startedReadAt = readAt;
  }

  async #linkAll(): Promise<void> {
    // From the end: reading a page again never unlinks it from the one behind it.
    for (let offset = this.#lastOffset; offset > 0; offset -= this.#step) {
      const before = offset - this.#step;
      if (this.#links.isLinked(offset) || share(await this.#idsOf(before), await this.#idsOf(offset)))
        continue;
      await this.#readAgain(before);
    }
  }

  /** All that the page of an offset has shown, each time that it was read. */
  async #idsOf(offset: number): Promise<readonly string[]> {
    return (await this.#deps.runs.page(this.#run.runId, offset))?.recordIds ?? [];
  }

  /** Reads backwards from a page until what is read now meets what the page held when it was first read. */
  async #readAgain(pageOffset: number): Promise<void> {
    const { runs } = this.#deps;
    const held = new Set(await this.#idsOf(pageOffset));
    for (let offset = pageOffset; ; offset = Math.max(0, offset - this.#step)) {
      const page = await this.#fetch(offset);
      const known = await runs.page(this.#run.runId, pageOffset);
      const recordIds = [...(known?.recordIds ?? []), ...page.ids, ...page.invalidIds];
      const { readAt, last } = known ?? { readAt: page.readAt, last: false };
      await this.#save(page, { offset: pageOffset, recordIds, readAt, last });
      if (offset === 0 || page.ids.some((id) => held.has(id))) return;
    }
  }
}
