import type { Actor } from '../core/types.ts';

/** The types a webhook can subscribe to. */
export const EVENT_TYPES = [
  'call-recording.created',
  'comment.created',
  'comment.resolved',
  'comment.unresolved',
  'comment.deleted',
  'list.created',
  'list.updated',
  'list.deleted',
  'list-attribute.created',
  'list-attribute.updated',
  'list-entry.created',
  'list-entry.updated',
  'list-entry.deleted',
  'object-attribute.created',
  'object-attribute.updated',
  'note.created',
  'note-content.updated',
  'note.updated',
  'note.deleted',
  'record.created',
  'record.merged',
  'record.updated',
  'record.deleted',
  'task.created',
  'task.updated',
  'task.deleted',
  'workspace-member.created',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** Ids only: no values, no slug, no time, no event id. */
export interface WebhookEvent {
  readonly event_type: EventType;
  readonly id: Readonly<Record<string, string>>;
  readonly actor: Actor;
  readonly [member: string]: unknown;
}
