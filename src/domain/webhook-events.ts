import { isJsonObject, type Json, type JsonObject } from './json.ts';

/**
 * Every webhook event that Attio documents, with the members its `id` bears beside `workspace_id` and the
 * further members. Bodies carry ids only: no values, no slugs, no times (Attio webhook reference).
 */
const recordId = { id: ['object_id', 'record_id'], other: [] };
const entryId = { id: ['list_id', 'entry_id'], other: ['parent_object_id', 'parent_record_id'] };
const noteId = { id: ['note_id'], other: ['parent_object_id', 'parent_record_id'] };
const commentId = { id: ['comment_id'], other: ['thread_id', 'object_id', 'record_id'] };
const taskId = { id: ['task_id'], other: [] };
const listId = { id: ['list_id'], other: [] };

export const WEBHOOK_EVENTS = {
  'record.created': recordId,
  'record.updated': { id: ['object_id', 'record_id', 'attribute_id'], other: [] },
  'record.deleted': recordId,
  'record.merged': { id: ['object_id', 'record_id'], other: ['duplicate_object_id', 'duplicate_record_id'] },
  'list-entry.created': entryId,
  'list-entry.updated': { id: ['list_id', 'entry_id', 'attribute_id'], other: entryId.other },
  'list-entry.deleted': entryId,
  'list.created': listId,
  'list.updated': listId,
  'list.deleted': listId,
  'list-attribute.created': { id: ['list_id', 'attribute_id'], other: [] },
  'list-attribute.updated': { id: ['list_id', 'attribute_id'], other: [] },
  'object-attribute.created': { id: ['object_id', 'attribute_id'], other: [] },
  'object-attribute.updated': { id: ['object_id', 'attribute_id'], other: [] },
  'note.created': noteId,
  'note.updated': noteId,
  'note-content.updated': noteId,
  'note.deleted': noteId,
  'task.created': taskId,
  'task.updated': taskId,
  'task.deleted': taskId,
  'comment.created': commentId,
  'comment.resolved': commentId,
  'comment.unresolved': commentId,
  'comment.deleted': commentId,
  'call-recording.created': { id: ['meeting_id', 'call_recording_id'], other: [] },
  'workspace-member.created': { id: ['workspace_member_id'], other: [] },
  'activity-attribute.created': { id: ['activity_id', 'attribute_id'], other: [] },
} as const satisfies Record<string, { id: readonly string[]; other: readonly string[] }>;

export type WebhookEventType = keyof typeof WEBHOOK_EVENTS;

/** Documented as an event, but not among the types that a webhook can subscribe to. */
const NOT_SUBSCRIBABLE: ReadonlySet<string> = new Set(['activity-attribute.created']);

/** What our webhook subscribes to: every event that we handle and Attio lets one subscribe to. */
export const SUBSCRIBED_EVENTS: readonly string[] = Object.keys(WEBHOOK_EVENTS).filter(
  (type) => !NOT_SUBSCRIBABLE.has(type),
);

export function isKnownEventType(type: string): type is WebhookEventType {
  return Object.hasOwn(WEBHOOK_EVENTS, type);
}

/** One event of a delivery, once it is known to be readable. */
export interface WebhookEvent {
  /** As sent: may be a type that this version does not know. */
  readonly type: string;
  readonly workspaceId: string | null;
  /** `id` without `workspace_id`. */
  readonly ids: { readonly [member: string]: string };
  /** The event as Attio sent it. */
  readonly raw: JsonObject;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Attio's ids of workspaces, objects, records, lists, entries, … are UUIDs. */
export function isUuid(value: Json | undefined): value is string {
  return typeof value === 'string' && UUID.test(value);
}

/** A UUID in the one spelling that ids are compared in. */
export function normalizeUuid(value: string): string {
  return value.toLowerCase();
}

/**
 * Reads one member of a delivery's `events`.
 * @returns the event, or in words why it cannot be read
 */
export function readWebhookEvent(value: Json): WebhookEvent | { readonly unreadable: string } {
  if (!isJsonObject(value)) return { unreadable: 'the event is not an object' };
  const type = value['event_type'];
  if (typeof type !== 'string' || type === '') return { unreadable: 'event_type is missing' };
  const id = isJsonObject(value['id']) ? value['id'] : {};
  const ids = readIds(id);
  const missing = isKnownEventType(type) ? missingMembers(type, ids, value) : [];
  if (missing.length > 0) return { unreadable: `${type} without a UUID in ${missing.join(', ')}` };
  return {
    type,
    workspaceId: isUuid(id['workspace_id']) ? normalizeUuid(id['workspace_id']) : null,
    ids,
    raw: value,
  };
}

function readIds(id: JsonObject): { [member: string]: string } {
  const ids: { [member: string]: string } = {};
  for (const [member, value] of Object.entries(id)) {
    if (member !== 'workspace_id' && isUuid(value)) ids[member] = normalizeUuid(value);
  }
  return ids;
}

/** The id of what an event is about: of two of one thing the later one is settled later. Null: this version knows none. */
export function subjectOf({ type, ids }: WebhookEvent): string | null {
  if (!isKnownEventType(type)) return null;
  const member = WEBHOOK_EVENTS[type].id.findLast((name) => name !== 'attribute_id');
  return (member === undefined ? undefined : ids[member]) ?? null;
}

/** `attribute_id` only says which value changed: an event without it can still be acted on. */
function missingMembers(type: WebhookEventType, ids: WebhookEvent['ids'], event: JsonObject): string[] {
  const inId = WEBHOOK_EVENTS[type].id.filter(
    (member) => member !== 'attribute_id' && ids[member] === undefined,
  );
  const beside =
    type === 'record.merged' && !isUuid(event['duplicate_record_id']) ? ['duplicate_record_id'] : [];
  return [...inId.map((member) => `id.${member}`), ...beside];
}
