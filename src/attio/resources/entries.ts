import { z } from 'zod';
import { pagesByOffset } from '../pagination.ts';
import { route } from '../route.ts';
import type { AttioResponse, RequestOptions, ResponseMeta } from '../transport.ts';
import { type AttributeValue, attributeValue, type Entry, entry } from '../types.ts';
import { QUERY_PAGE_SIZE, type Query, queryPage } from './query.ts';
import type { WritableValues } from './records.ts';
import { type PageOptions, read, remove, type Sender, write } from './sender.ts';

export interface NewEntry {
  /** A record id (UUID). */
  readonly parentRecordId: string;
  /** Object slug or id. */
  readonly parentObject: string;
  readonly values: WritableValues;
}

export interface InvalidEntry {
  readonly index: number;
  readonly entryId: string | null;
  /** Where and how it differs from what Attio documents; no values. */
  readonly issue: string;
}

export interface EntryPage {
  readonly entries: Entry[];
  readonly invalid: InvalidEntry[];
  readonly meta: ResponseMeta;
}

const values = z.array(attributeValue);
const identified = z.object({ id: z.object({ entry_id: z.string() }) });

export class EntriesResource {
  readonly #sender: Sender;

  constructor(deps: { sender: Sender }) {
    this.#sender = deps.sender;
  }

  /** One page. An entry that is not what Attio documents is reported beside the others. */
  async query(list: string, query: Query = {}, options?: RequestOptions): Promise<EntryPage> {
    const to = route('POST /lists/{list}/entries/query', { list });
    const found = await queryPage(this.#sender, {
      route: to,
      query,
      schema: entry,
      idOf: entryIdOf,
      options,
    });
    const invalid = found.invalid.map(({ id, ...rest }) => ({ ...rest, entryId: id }));
    return { entries: found.items, invalid, meta: found.meta };
  }

  /** All pages from `query.offset` on; see `pagesByOffset` for what their order is worth. */
  pages(
    list: string,
    query: Query = {},
    options: RequestOptions = {},
  ): AsyncGenerator<EntryPage & { readonly offset: number }> {
    return pagesByOffset({
      offset: query.offset ?? 0,
      limit: query.limit ?? QUERY_PAGE_SIZE,
      signal: options.signal,
      load: (position) => this.query(list, { ...query, ...position }, options),
      count: (page) => page.entries.length + page.invalid.length,
    });
  }

  async get(list: string, entryId: string, options?: RequestOptions): Promise<AttioResponse<Entry>> {
    const to = route('GET /lists/{list}/entries/{entry_id}', { list, entry_id: entryId });
    return read(this.#sender, { route: to, schema: entry, options });
  }

  /** Not repeatable: Attio allows several entries of one parent. */
  async create(list: string, created: NewEntry, options?: RequestOptions): Promise<AttioResponse<Entry>> {
    const to = route('POST /lists/{list}/entries', { list });
    return write(this.#sender, { route: to, data: wire(created), schema: entry, options });
  }

  /**
   * Creates, or updates the parent's one entry; multi-value attributes are replaced.
   * @throws AttioApiError `multiple_match_results` when the parent has several entries
   */
  async assert(list: string, asserted: NewEntry, options?: RequestOptions): Promise<AttioResponse<Entry>> {
    const to = route('PUT /lists/{list}/entries', { list });
    return write(this.#sender, { route: to, data: wire(asserted), schema: entry, options });
  }

  /** Values of multi-value attributes are put before those that are there. */
  async update(
    list: string,
    entryId: string,
    newValues: WritableValues,
    options?: RequestOptions,
  ): Promise<AttioResponse<Entry>> {
    const to = route('PATCH /lists/{list}/entries/{entry_id}', { list, entry_id: entryId });
    return write(this.#sender, { route: to, data: { entry_values: newValues }, schema: entry, options });
  }

  /** Values of the attributes named replace what is there; `[]` clears; others stay. */
  async replace(
    list: string,
    entryId: string,
    newValues: WritableValues,
    options?: RequestOptions,
  ): Promise<AttioResponse<Entry>> {
    const to = route('PUT /lists/{list}/entries/{entry_id}', { list, entry_id: entryId });
    return write(this.#sender, { route: to, data: { entry_values: newValues }, schema: entry, options });
  }

  async delete(
    list: string,
    entryId: string,
    options?: RequestOptions,
  ): Promise<{ readonly alreadyGone: boolean }> {
    const to = route('DELETE /lists/{list}/entries/{entry_id}', { list, entry_id: entryId });
    return remove(this.#sender, to, options);
  }

  /** One attribute's values, oldest first; with `showHistoric` also the past ones. */
  async values(
    where: { readonly list: string; readonly entryId: string; readonly attribute: string },
    page: PageOptions & { readonly showHistoric?: boolean } = {},
  ): Promise<AttioResponse<AttributeValue[]>> {
    const { limit, offset, showHistoric, ...options } = page;
    const to = route('GET /lists/{list}/entries/{entry_id}/attributes/{attribute}/values', {
      list: where.list,
      entry_id: where.entryId,
      attribute: where.attribute,
    });
    const query = { show_historic: showHistoric, limit, offset };
    return read(this.#sender, { route: to, query, schema: values, options });
  }
}

function wire({ parentRecordId, parentObject, values: entryValues }: NewEntry) {
  return { parent_record_id: parentRecordId, parent_object: parentObject, entry_values: entryValues };
}

function entryIdOf(item: unknown): string | null {
  const parsed = identified.safeParse(item);
  return parsed.success ? parsed.data.id.entry_id : null;
}
