export interface OffsetPosition {
  readonly offset: number;
  readonly limit: number;
}

export interface OffsetPaging<P> extends OffsetPosition {
  readonly signal?: AbortSignal | undefined;
  readonly load: (position: OffsetPosition) => Promise<P>;
  /** How many items Attio sent in this page, the unreadable ones included. */
  readonly count: (page: P) => number;
}

/**
 * The pages from `offset` on. A page with fewer items than `limit` is the last: Attio gives no total.
 *
 * `limit` must not be above what the endpoint allows, or its first page would look like the last. Attio promises no
 * stable order between pages; a caller that must miss nothing sorts and overlaps.
 * @throws the signal's reason; what `load` throws
 */
export async function* pagesByOffset<P>(
  paging: OffsetPaging<P>,
): AsyncGenerator<P & { readonly offset: number }> {
  for (let offset = paging.offset; ; ) {
    paging.signal?.throwIfAborted();
    const page = await paging.load({ offset, limit: paging.limit });
    const count = paging.count(page);
    yield { ...page, offset };
    if (count < paging.limit) return;
    offset += count;
  }
}

export interface CursorPaging<P> {
  /** Where to begin; null: at the start. */
  readonly cursor: string | null;
  readonly signal?: AbortSignal | undefined;
  readonly load: (cursor: string | null) => Promise<P>;
  /** The cursor of the next page; null after the last. */
  readonly next: (page: P) => string | null;
}

/**
 * The pages from a cursor on.
 * @throws the signal's reason; what `load` throws; Error when a cursor repeats, which would never end
 */
export async function* pagesByCursor<P>(paging: CursorPaging<P>): AsyncGenerator<P> {
  for (let cursor = paging.cursor; ; ) {
    paging.signal?.throwIfAborted();
    const page = await paging.load(cursor);
    yield page;
    const next = paging.next(page);
    if (next === null) return;
    if (next === cursor) throw new Error('the next cursor is the one that led here');
    cursor = next;
  }
}
