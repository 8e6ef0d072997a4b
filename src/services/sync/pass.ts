import { addCounts, type RunCounts, type SyncRun } from '../../domain/sync-runs.ts';
import type { SyncPage, SyncRunStore } from '../ports.ts';
import type { SyncTarget, TargetPage } from './target.ts';

export interface PassDeps {
  readonly target: Pick<SyncTarget, 'page' | 'options'>;
  readonly runs: Pick<SyncRunStore, 'pages' | 'savePage' | 'addCounts'>;
}

export interface PassResult {
  /** Every record that the pass saw. */
  readonly seen: ReadonlySet<string>;
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
  readonly #pages = new Map<number, SyncPage>();
  readonly #seen = new Set<string>();
  #counts: RunCounts;
  /** No page beyond this offset has records. */
  #lastOffset = Number.POSITIVE_INFINITY;

  constructor(deps: PassDeps, run: SyncRun, signal: AbortSignal, onProgress: (counts: RunCounts) => void) {
    this.#deps = deps;
    this.#run = run;
    this.#signal = signal;
    this.#onProgress = onProgress;
    this.#counts = run;
  }

  /** @throws ServiceError when Attio or the database gives up; the signal's reason */
  async complete(): Promise<PassResult> {
    for (const page of await this.#deps.runs.pages(this.#run.runId)) this.#note(page);
    await this.#readAll();
    await this.#linkAll();
    const instants = [...this.#pages.values()].map((page) => page.readAt).sort();
    return { seen: this.#seen, startedReadAt: instants[0] ?? '' };
  }

  get #step(): number {
    const { pageSize, overlap } = this.#deps.target.options;
    return pageSize - overlap;
  }

  async #readAll(): Promise<void> {
    const failures: unknown[] = [];
    let next = 0;
    const readPages = async () => {
      while (next <= this.#lastOffset && failures.length === 0) {
        const offset = next;
        next += this.#step;
        if (!this.#pages.has(offset)) await this.#readPage(offset);
      }
    };
    // One that fails stops the others from beginning a page, not from ending one: while a circuit is half-open, one
    // of them is the probe that closes it again. All are waited for, so that nothing is written after the pass.
    const readers = Array.from({ length: this.#deps.target.options.width }, readPages);
    await Promise.all(readers.map((reader) => reader.catch((error: unknown) => failures.push(error))));
    if (failures.length > 0) throw failures[0];
  }

  async #readPage(offset: number): Promise<void> {
    const page = await this.#fetch(offset);
    const last = page.size < this.#deps.target.options.pageSize;
    const beyondTheEnd = page.size === 0 && offset > this.#lastOffset;
    if (last) this.#lastOffset = Math.min(this.#lastOffset, offset);
    if (!beyondTheEnd) await this.#save(offset, page, last);
  }

  async #fetch(offset: number): Promise<TargetPage> {
    const { target } = this.#deps;
    return target.page(offset, target.options.pageSize, this.#signal);
  }

  /** Applies a page and adds it to the checkpoint of its offset. */
  async #save(offset: number, page: TargetPage, last: boolean): Promise<void> {
    const { runId } = this.#run;
    const earlier = this.#pages.get(offset);
    const recordIds = [...(earlier?.recordIds ?? []), ...page.ids, ...page.invalidIds];
    const checkpoint: SyncPage = { offset, recordIds, readAt: earlier?.readAt ?? page.readAt, last };
    const fresh = page.ids.filter((id) => !this.#seen.has(id));
    for (const id of fresh) this.#seen.add(id);
    await page.apply(async (stores, applied) => {
      // Records of the overlap were counted with the page that saw them first, and are unchanged in this one.
      const unchanged = applied.unchanged - (page.ids.length - fresh.length);
      const counts = { ...applied, unchanged: Math.max(0, unchanged), pages: 1, seen: fresh.length };
      await stores.runs.savePage(runId, checkpoint);
      await stores.runs.addCounts(runId, counts);
      this.#counts = addCounts(this.#counts, counts);
    });
    this.#note(checkpoint);
    this.#onProgress(this.#counts);
  }

  #note(page: SyncPage): void {
    this.#pages.set(page.offset, page);
    for (const id of page.recordIds) this.#seen.add(id);
    if (page.last) this.#lastOffset = Math.min(this.#lastOffset, page.offset);
  }

  async #linkAll(): Promise<void> {
    // From the end: reading a page again never unlinks it from the one behind it.
    for (let offset = this.#lastOffset; offset > 0; offset -= this.#step) {
      if (!this.#linked(offset - this.#step, offset)) await this.#readAgain(offset - this.#step);
    }
  }

  #linked(before: number, after: number): boolean {
    const ids = new Set(this.#pages.get(before)?.recordIds);
    return this.#pages.get(after)?.recordIds.some((id) => ids.has(id)) ?? false;
  }

  /** Reads backwards from a page until what is read now meets what the page held when it was first read. */
  async #readAgain(pageOffset: number): Promise<void> {
    const held = new Set(this.#pages.get(pageOffset)?.recordIds);
    for (let offset = pageOffset; ; offset = Math.max(0, offset - this.#step)) {
      const page = await this.#fetch(offset);
      await this.#save(pageOffset, page, this.#pages.get(pageOffset)?.last ?? false);
      if (offset === 0 || page.ids.some((id) => held.has(id))) return;
    }
  }
}
