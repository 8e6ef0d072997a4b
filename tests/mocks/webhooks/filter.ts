import { z } from 'zod';
import type { WebhookEvent } from './events.ts';

const condition = z.object({
  field: z.string(),
  operator: z.enum(['equals', 'not_equals']),
  value: z.string(),
});

export const subscriptionFilter = z.union([
  z.strictObject({ $or: z.array(condition) }),
  z.strictObject({ $and: z.array(condition) }),
  z.null(),
]);

export type SubscriptionFilter = z.output<typeof subscriptionFilter>;

function fieldOf(event: WebhookEvent, path: string): unknown {
  let at: unknown = event;
  for (const part of path.split('.')) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<string, unknown>)[part];
  }
  return at;
}

function holds(event: WebhookEvent, { field, operator, value }: z.output<typeof condition>): boolean {
  return (fieldOf(event, field) === value) === (operator === 'equals');
}

export function passes(filter: SubscriptionFilter, event: WebhookEvent): boolean {
  if (filter === null) return true;
  if ('$or' in filter) return filter.$or.some((one) => holds(event, one));
  return filter.$and.every((one) => holds(event, one));
}
