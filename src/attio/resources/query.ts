import { setImmediate as turn } from 'node:timers/promises';
import { z } from 'zod';
import type { Route } from '../route.ts';
import type { RequestOptions, ResponseMeta } from '../transport.ts';
import type { Sender } from './sender.ts';

/** Attio's filter language, passed on as it is. */
export type Filter = Readonly<Record<string, unknown>>;

export interface Sort {
  readonly direction: 'asc' | 'desc';
  readonly attribute: string;
  readonly field?: string;
}

export interface Query {
  readonly filter?: Filter | undefined;
  readonly sorts?: readonly Sort[] | undefined;
  /** @default 500 */
  readonly limit?: number | undefined;
  /** @default 0 */
  readonly offset?: number | undefined;
}

/** An item of a page that is not what Attio documents. */
export interface InvalidItem {
  readonly index: number;
  readonly id: string | null;
  /** Where and how it differs; no values. */
  readonly issue: string;
}

export interface QueryPage<T> {
  readonly items: T[];
  readonly invalid: InvalidItem[];
  readonly meta: ResponseMeta;
}

/** Attio's own default; no maximum is documented, and a limit above an unknown one would cut a scan short. */
export const QUERY_PAGE_SIZE = 500;

const LOOKED_AT_AT_ONCE = 10;

const page = z.looseObject({ data: z.array(z.unknown()) });

/** One page of a query. Each item is read by itself, so that one odd item does not lose the others. */
export async function queryPage<T>(
  sender: Sender,
  call: {
    readonly route: Route;
    readonly query: Query;
    readonly schema: z.ZodType<T>;
    readonly idOf: (item: unknown) => string | null;
    readonly options: RequestOptions | undefined;
  },
): Promise<QueryPage<T>> {
  const { limit = QUERY_PAGE_SIZE, offset = 0, filter, sorts } = call.query;
  const request = { ...call.route, ...call.options, idempotent: true, lane: 'query', schema: page } as const;
  const { data, meta } = await sender.send({ ...request, body: { filter, sorts, limit, offset } });
  const items: T[] = [];
  const invalid: InvalidItem[] = [];
  for (const [index, item] of data.data.entries()) {
    // A page takes some milliseconds to be looked at: others have a turn in between.
    if (index % LOOKED_AT_AT_ONCE === 0) await turn();
    const parsed = call.schema.safeParse(item);
    if (parsed.success) items.push(parsed.data);
    else invalid.push({ index, id: call.idOf(item), issue: describe(parsed.error) });
  }
  return { items, invalid, meta };
}

function describe(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.')}: ${issue.code}`)
    .join('; ');
}
