import { z } from 'zod';

export const values = z.record(z.string(), z.unknown());
export const uuid = z.guid();
export const data = <Shape extends z.ZodType>(shape: Shape) => z.object({ data: shape });

const whole = z.coerce.number().int().min(0);

/** `limit` and `offset` of a query string. */
export function page(fallback: number, max = Number.MAX_SAFE_INTEGER, min = 0) {
  return {
    limit: whole.min(min).max(max).default(fallback),
    offset: whole.default(0),
  };
}

export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

export function slice<T>(
  items: readonly T[],
  { limit, offset }: { limit: number; offset: number },
): readonly T[] {
  return items.slice(offset, offset + limit);
}
