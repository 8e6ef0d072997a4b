import type { Change } from '../domain/changes.ts';
import type { Clock } from '../domain/clock.ts';
import { ServiceError } from './errors.ts';
import type { ChangeStore } from './ports.ts';

/** Followers that may wait at once; each holds a connection. */
const MAX_WAITING = 1_000;

export interface ChangesQuery {
  /** The last change seen; null: from the oldest kept; `latest`: from now on. */
  readonly after: number | 'latest' | null;
  readonly limit: number;
  /** How long to wait for the first change when there is none. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/** The change feed for internal systems: ordered, at least once, without gaps. */
export class ChangesService {
  readonly #changes: ChangeStore;
  readonly #clock: Clock;
  readonly #onNews: (() => void)[] = [];
  #waiting = new Set<AbortController>();

  constructor(deps: { changes: ChangeStore; clock: Clock }) {
    this.#changes = deps.changes;
    this.#clock = deps.clock;
  }

  /**
   * @returns the changes, and the place to continue after
   * @throws ServiceError `cursor_expired` when changes after it are no longer kept, `invalid` when it is not of this feed
   */
  async read(query: ChangesQuery): Promise<{ rows: readonly Change[]; next: number }> {
    let after = await this.#position(query.after);
    const deadline = this.#clock.now() + query.waitMs;
    for (;;) {
      // Listen before looking: a change that is committed in between is then not slept through.
      const news = this.#listen();
      try {
        const rows = await this.#changes.after(after, query.limit);
        const dropped = rows.length > 0 ? (await this.#changes.bounds()).prunedThrough : 0;
        if (dropped > after) {
          after = oldestInstead(dropped, query);
          continue;
        }
        const leftMs = deadline - this.#clock.now();
        if (rows.length > 0 || leftMs <= 0 || query.signal.aborted || this.#waiting.size > MAX_WAITING) {
          return { rows, next: rows.at(-1)?.seq ?? after };
        }
        await this.#clock.sleep(leftMs, AbortSignal.any([news.signal, query.signal])).catch(() => {});
      } finally {
        this.#waiting.delete(news);
      }
    }
  }

  /** Changes were committed. */
  notify(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const news of waiting) news.abort();
    for (const tell of this.#onNews) tell();
  }

  /** @param tell called whenever changes were committed by this process */
  onNews(tell: () => void): void {
    this.#onNews.push(tell);
  }

  #listen(): AbortController {
    const news = new AbortController();
    this.#waiting.add(news);
    return news;
  }

  async #position(after: ChangesQuery['after']): Promise<number> {
    if (after === 'latest') return this.#changes.latest();
    const { prunedThrough, newest } = await this.#changes.bounds();
    if (after === null) return prunedThrough;
    if (after < prunedThrough) {
      throw expired();
    }
    if (after > newest) {
      throw new ServiceError('invalid', 'the cursor was not given by this feed', { path: 'after' });
    }
    return after;
  }
}

/** What was dropped since we looked is not among the rows: only who asks for the oldest misses nothing. */
function oldestInstead(dropped: number, { after }: ChangesQuery): number {
  if (after !== null) throw expired();
  return dropped;
}

function expired(): ServiceError {
  return new ServiceError(
    'cursor_expired',
    'changes after this cursor are no longer kept; read the things themselves, then follow from `latest`',
    { path: 'after' },
  );
}
