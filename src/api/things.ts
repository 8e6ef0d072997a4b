/** What the routes of contacts and companies share. */
import { z } from 'zod';
import type { Synced } from '../services/inputs.ts';
import { cursorOf, encodeCursor } from './cursor.ts';
import { instant, limit, ownId, shownObject } from './schemas.ts';

const conflicts = z
  .int()
  .optional()
  .meta({ description: 'Fields that wait for a person to decide: GET /v1/conflicts?status=open' });

export const syncState = z
  .discriminatedUnion('status', [
    z.object({ status: z.literal('synced'), recordId: z.string().nullable(), conflicts }),
    z.object({ status: z.literal('pending'), conflicts }),
    z.object({ status: z.literal('failed'), code: z.string(), detail: z.string(), conflicts }),
  ])
  .meta({
    id: 'SyncState',
    description:
      'Whether Attio has what is held here: `pending` is on its way or waits for a person to decide, `failed` was given up',
    examples: [{ status: 'synced', recordId: 'bf071e1f-6035-429d-b874-d83ea64ea13b' }, { status: 'pending' }],
  });

/** The members that follow a thing's own. */
export const commonMembers = {
  externalId: z.string().nullable(),
  attributes: shownObject.meta({ description: 'Other attributes by slug, in plain form' }),
  fields: shownObject
    .optional()
    .meta({ description: 'Fields that the configuration of the service adds; left out when it adds none' }),
  recordId: z.string().nullable(),
  webUrl: z.string().nullable(),
  version: z.int(),
  createdAt: instant,
  updatedAt: instant,
  deletedAt: instant.nullable(),
  mergedFrom: z.array(z.string()).optional().meta({ description: 'Ids that were merged into this one' }),
  sync: syncState,
};

export function withSync<T extends z.ZodType>(thing: T) {
  return z.object({ data: thing, sync: syncState });
}

export const thingParams = z.strictObject({
  id: ownId.meta({ description: "This service's id or the Attio record id" }),
});

/** The parameters of a list, beside the key that its things are found by. */
export function listParams(list: string) {
  return {
    externalId: z.string().min(1, 'is empty').exactOptional(),
    limit,
    cursor: cursorOf(list, 'string').exactOptional(),
  };
}

/** A list's parameters, as services take them. */
export function toListQuery<Q extends { readonly cursor?: string }>({ cursor, ...query }: Q) {
  return cursor === undefined ? query : { ...query, after: cursor };
}

export function nextCursor(list: string, next: string | null): string | null {
  return next === null ? null : encodeCursor(list, next);
}

/** A thing with what is told beside it. */
export function withState<T>({ thing, sync }: Synced<T>, mergedFrom: readonly string[] = []) {
  return { ...thing, sync, ...(mergedFrom.length === 0 ? {} : { mergedFrom: [...mergedFrom] }) };
}

/** 202: it is yet to reach Attio, or nobody waited to see whether it has. */
export function statusOf({ sync }: Synced<unknown>, wait: boolean): 200 | 202 {
  return wait && sync.status !== 'pending' ? 200 : 202;
}
