import type { WebhookEventType } from '../../domain/webhook-events.ts';
import type { WebhookRouter } from '../router.ts';

const ENTRY_EVENTS = [
  'list-entry.created',
  'list-entry.updated',
  'list-entry.deleted',
  'list.created',
  'list.updated',
  'list.deleted',
  'list-attribute.created',
  'list-attribute.updated',
] as const satisfies readonly WebhookEventType[];

/** Lists are not mirrored by this version: their events are kept in the inbox for the one that does. */
export function registerEntryEvents(router: WebhookRouter): void {
  for (const type of ENTRY_EVENTS) router.on(type, async () => 'kept');
}
