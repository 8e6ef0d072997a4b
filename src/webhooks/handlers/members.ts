import { CREATION, type EventFacts, MEMBERS } from '../../domain/echoes.ts';
import { isJsonObject } from '../../domain/json.ts';
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

/** What it says of a thing that a write of ours may have changed. */
export function factsOf(event: WebhookEvent, receivedAt: number): EventFacts {
  const actor = event.raw['actor'];
  const type = isJsonObject(actor) ? actor['type'] : null;
  return { aspect: aspectOf(event), actorType: typeof type === 'string' ? type : null, receivedAt };
}

function aspectOf({ type, ids }: WebhookEvent): string | null {
  if (type.endsWith('.created')) return CREATION;
  return type === 'task.updated' ? MEMBERS : (ids['attribute_id'] ?? null);
}
