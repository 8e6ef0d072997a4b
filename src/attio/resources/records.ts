import { z } from 'zod';
import type { Json } from '../../domain/json.ts';
import { pagesByOffset } from '../pagination.ts';
import { route } from '../route.ts';
import type { AttioResponse, RequestOptions, ResponseMeta } from '../transport.ts';
import {
  type AttioRecord,
  type AttributeValue,
  attributeValue,
  type RecordEntry,
  record,
  recordEntry,
} from '../types.ts';
import { QUERY_PAGE_SIZE, type Query, queryPage } from './query.ts';
import { type PageOptions, read, remove, type Sender, write } from './sender.ts';

/** Values to write, by slug; always lists. `values/write.ts` makes them. */
export type WritableValues = Readonly<Record<string, readonly Json[]>>;

export interface InvalidRecord {
  readonly index: number;
  readonly recordId: string | null;
  /** Where and how it differs from what Attio documents; no values. */
  readonly issue: string;
}

export interface RecordPage {
  readonly records: AttioRecord[];
  readonly invalid: InvalidRecord[];
  readonly meta: ResponseMeta;
}

const values = z.array(attributeValue);
const entries = z.array(recordEntry);
const identified = z.object({ id: z.object({ record_id: z.string() }) });

export class RecordsResource {
  readonly #sender: Sender;

  constructor(deps: { sender: Sender }) {
    this.#sender = deps.sender;
  }

  /** One page. A record that is not what Attio documents is reported beside the others. */
  async query(object: string, query: Query = {}, options?: RequestOptions): Promise<RecordPage> {
    const to = route('POST /objects/{object}/records/query', { object });
    const found = await queryPage(this.#sender, {
      route: to,
      query,
      schema: record,
      idOf: recordIdOf,
      options,
    });
    const invalid = found.invalid.map(({ id, ...rest }) => ({ ...rest, recordId: id }));
    return { records: found.items, invalid, meta: found.meta };
  }

  /** All pages from `query.offset` on; see `pagesByOffset` for what their order is worth. */
  pages(
    object: string,
    query: Query = {},
    options: RequestOptions = {},
  ): AsyncGenerator<RecordPage & { readonly offset: number }> {
    return pagesByOffset({
      offset: query.offset ?? 0,
      limit: query.limit ?? QUERY_PAGE_SIZE,
      signal: options.signal,
      load: (position) => this.query(object, { ...query, ...position }, options),
      count: (page) => page.records.length + page.invalid.length,
    });
  }

  async get(object: string, recordId: string, options?: RequestOptions): Promise<AttioResponse<AttioRecord>> {
    return read(this.#sender, {
      route: route('GET /objects/{object}/records/{record_id}', { object, record_id: recordId }),
      schema: record,
      options,
    });
  }

  /** Not repeatable: sent twice it makes two records, unless a unique attribute forbids it. */
  async create(
    object: string,
    newValues: WritableValues,
    options?: RequestOptions,
  ): Promise<AttioResponse<AttioRecord>> {
    const to = route('POST /objects/{object}/records', { object });
    return write(this.#sender, { route: to, data: { values: newValues }, schema: record, options });
  }

  /**
   * Creates, or updates the one that has the same value of a unique attribute. Values of a matching multi-value
   * attribute are added; those of every other one replace what is there.
   */
  async assert(
    object: string,
    matchingAttribute: string,
    newValues: WritableValues,
    options?: RequestOptions,
  ): Promise<AttioResponse<AttioRecord>> {
    const to = route('PUT /objects/{object}/records', { object });
    const query = { matching_attribute: matchingAttribute };
    return write(this.#sender, { route: to, query, data: { values: newValues }, schema: record, options });
  }

  /** Values of multi-value attributes are put before those that are there. */
  async update(
    object: string,
    recordId: string,
    newValues: WritableValues,
    options?: RequestOptions,
  ): Promise<AttioResponse<AttioRecord>> {
    const to = route('PATCH /objects/{object}/records/{record_id}', { object, record_id: recordId });
    return write(this.#sender, { route: to, data: { values: newValues }, schema: record, options });
  }

  /** Values of the attributes named replace what is there; `[]` clears; others stay. */
  async replace(
    object: string,
    recordId: string,
    newValues: WritableValues,
    options?: RequestOptions,
  ): Promise<AttioResponse<AttioRecord>> {
    const to = route('PUT /objects/{object}/records/{record_id}', { object, record_id: recordId });
    return write(this.#sender, { route: to, data: { values: newValues }, schema: record, options });
  }

  async delete(
    object: string,
    recordId: string,
    options?: RequestOptions,
  ): Promise<{ readonly alreadyGone: boolean }> {
    return remove(
      this.#sender,
      route('DELETE /objects/{object}/records/{record_id}', { object, record_id: recordId }),
      options,
    );
  }

  /**
   * One attribute's values, oldest first. With `showHistoric` also the past ones, which Attio refuses for enriched
   * and communication attributes.
   */
  async values(
    where: { readonly object: string; readonly recordId: string; readonly attribute: string },
    page: PageOptions & { readonly showHistoric?: boolean } = {},
  ): Promise<AttioResponse<AttributeValue[]>> {
    const { limit, offset, showHistoric, ...options } = page;
    const to = route('GET /objects/{object}/records/{record_id}/attributes/{attribute}/values', {
      object: where.object,
      record_id: where.recordId,
      attribute: where.attribute,
    });
    const query = { show_historic: showHistoric, limit, offset };
    return read(this.#sender, { route: to, query, schema: values, options });
  }

  /** In which lists the record has entries. Attio's page is 100 by default, 1000 at most. */
  async entries(
    object: string,
    recordId: string,
    page: PageOptions = {},
  ): Promise<AttioResponse<RecordEntry[]>> {
    const { limit, offset, ...options } = page;
    const to = route('GET /objects/{object}/records/{record_id}/entries', { object, record_id: recordId });
    return read(this.#sender, { route: to, query: { limit, offset }, schema: entries, options });
  }
}

function recordIdOf(item: unknown): string | null {
  const parsed = identified.safeParse(item);
  return parsed.success ? parsed.data.id.record_id : null;
}
