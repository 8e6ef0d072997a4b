import { isUuid, normalizeUuid, type WebhookEvent } from '../../domain/webhook-events.ts';

/** A member of an event's `id` that its type always has: one without it is not let into the inbox. */
export function idOf(event: WebhookEvent, name: string): string {
  const value = event.ids[name];
  if (value === undefined) throw new Error(`${event.type} without id.${name}`);
  return value;
}

/** A member beside `id`; null when it is left out or no UUID. */
export function besideId(event: WebhookEvent, name: string): string | null {
  const value = event.raw[name];
  return isUuid(value) ? normalizeUuid(value) : null;
}
