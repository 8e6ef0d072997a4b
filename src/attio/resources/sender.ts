import { z } from 'zod';
import { isAttioError } from '../errors.ts';
import type { Route } from '../route.ts';
import type { AttioRequest, AttioResponse, QueryParameters, RequestOptions } from '../transport.ts';
import { dataOf } from '../types.ts';

/** What the resources need of the transport. */
export interface Sender {
  send<T>(request: AttioRequest<T>): Promise<AttioResponse<T>>;
}

/** Which page of a list. */
export interface PageOptions extends RequestOptions {
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
}

interface Call<T> {
  readonly route: Route;
  readonly schema: z.ZodType<T>;
  readonly options?: RequestOptions | undefined;
  readonly query?: QueryParameters | undefined;
}

interface WriteCall<T> extends Call<T> {
  /** Becomes `{data: …}`. */
  readonly data: unknown;
  /** @default false for POST, true for the rest */
  readonly idempotent?: boolean;
}

/** Reads and unwraps `{data}`. */
export async function read<T>(sender: Sender, call: Call<T>): Promise<AttioResponse<T>> {
  const { route, schema, query, options } = call;
  const request = {
    ...route,
    ...options,
    query,
    schema: dataOf(schema),
    idempotent: true,
    lane: 'read',
  } as const;
  const { data, meta } = await sender.send(request);
  return { data: data.data, meta };
}

/** Writes `{data}` and unwraps the answer's. */
export async function write<T>(sender: Sender, call: WriteCall<T>): Promise<AttioResponse<T>> {
  const { route, schema, query, options } = call;
  const idempotent = options?.resend ?? call.idempotent ?? route.method !== 'POST';
  const body = { data: call.data };
  const request = {
    ...route,
    ...options,
    query,
    body,
    schema: dataOf(schema),
    idempotent,
    lane: 'write',
  } as const;
  const { data, meta } = await sender.send(request);
  return { data: data.data, meta };
}

/** Deletes. What is not there is deleted: a repeated DELETE whose first answer was lost finds nothing. */
export async function remove(
  sender: Sender,
  route: Route,
  options: RequestOptions = {},
): Promise<{ readonly alreadyGone: boolean }> {
  try {
    const idempotent = options.resend ?? true;
    await sender.send({ ...route, ...options, idempotent, lane: 'write', schema: z.unknown() });
    return { alreadyGone: false };
  } catch (error) {
    if (isAttioError(error, 'not_found')) return { alreadyGone: true };
    throw error;
  }
}
