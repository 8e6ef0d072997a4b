import { z } from 'zod';

const direction = z.enum(['asc', 'desc']);
const pathTuple = z.tuple([z.string(), z.string()]);

const sort = z.union([
  z.object({ direction, attribute: z.string(), field: z.string().optional() }),
  z.object({ direction, path: z.array(pathTuple).min(1), field: z.string().optional() }),
]);

/** `limit` has no declared maximum in any version of the spec. */
export const queryBody = z.preprocess(
  (body) => body ?? {},
  z.object({
    filter: z.record(z.string(), z.unknown()).optional(),
    sorts: z.array(sort).optional(),
    limit: z.number().int().min(0).default(500),
    offset: z.number().int().min(0).default(0),
  }),
);

export type QueryBody = z.output<typeof queryBody>;
export type Sort = z.output<typeof sort>;
