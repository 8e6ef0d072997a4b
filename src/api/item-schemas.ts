/** What answers about entries, notes, tasks and comments share. */
import { z } from 'zod';
import type { Synced } from '../services/inputs.ts';
import type { ItemHead } from '../services/items/inputs.ts';
import { instant, ownId } from './schemas.ts';
import { syncState } from './things.ts';

export const headMembers = {
  id: z.string().meta({ description: "This service's id" }),
  version: z.int(),
  createdAt: instant,
  updatedAt: instant,
  deletedAt: instant.nullable(),
  sync: syncState,
};

export const itemParams = z.strictObject({ id: ownId.meta({ description: "This service's id or Attio's" }) });

/** A view with its Attio id under the name that it has outside, and its sync. */
export function itemToJson<V extends ItemHead, N extends string>({ thing, sync }: Synced<V>, name: N) {
  const { attioId, ...rest } = thing;
  return { ...rest, [name]: attioId, sync } as Omit<V, 'attioId'> &
    Record<N, string | null> & { sync: typeof sync };
}
