import type { WebhookEventType } from '../../domain/webhook-events.ts';
import type { WebhookRouter } from '../router.ts';

const ACTIVITY_EVENTS = [
  'note.created',
  'note.updated',
  'note-content.updated',
  'note.deleted',
  'task.created',
  'task.updated',
  'task.deleted',
  'comment.created',
  'comment.resolved',
  'comment.unresolved',
  'comment.deleted',
  'call-recording.created',
  'workspace-member.created',
  'activity-attribute.created',
] as const satisfies readonly WebhookEventType[];

/** Notes, tasks, comments and the rest are not mirrored by this version: their events are kept for the one that does. */
export function registerActivityEvents(router: WebhookRouter): void {
  for (const type of ACTIVITY_EVENTS) router.on(type, async () => 'kept');
}
