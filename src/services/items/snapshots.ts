import type { Comment, Entry, Note, Task } from '../../attio/types.ts';
import type { ItemSnapshot } from '../../domain/items.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { isUuid, normalizeUuid } from '../../domain/webhook-events.ts';
import type { SchemaService } from '../schema.ts';

/** Attio names objects by slug in some answers and by id in others. */
export type ObjectNames = Pick<SchemaService, 'slugOf'>;

const NOWHERE = { listId: null, entryId: null, threadId: null };

/**
 * An entry as Attio answers it.
 * @param readAt the instant that the answer reflects
 * @throws ServiceError `unavailable` when an object has to be named and Attio cannot be asked
 */
export async function toEntrySnapshot(
  entry: Entry,
  readAt: string,
  names: ObjectNames,
): Promise<ItemSnapshot> {
  return {
    kind: 'entries',
    attioId: normalizeUuid(entry.id.entry_id),
    ...NOWHERE,
    listId: normalizeUuid(entry.id.list_id),
    createdAt: iso(entry.created_at),
    links: [await linkTo(entry.parent_object, entry.parent_record_id, names)],
    body: entry.entry_values as JsonObject, // JSON, which the loose schemas of the gateway cannot say
    readAt,
  };
}

/** The same for a note. */
export async function toNoteSnapshot(note: Note, readAt: string, names: ObjectNames): Promise<ItemSnapshot> {
  return {
    kind: 'notes',
    attioId: normalizeUuid(note.id.note_id),
    ...NOWHERE,
    createdAt: iso(note.created_at),
    links: [await linkTo(note.parent_object, note.parent_record_id, names)],
    body: {
      title: note.title,
      content: note.content_markdown ?? note.content_plaintext,
      contentPlaintext: note.content_plaintext,
      createdBy: actorOf(note.created_by_actor),
    },
    readAt,
  };
}

/** The same for a task. */
export async function toTaskSnapshot(task: Task, readAt: string, names: ObjectNames): Promise<ItemSnapshot> {
  const links = task.linked_records.map((link) => linkTo(objectIn(link), link.target_record_id, names));
  return {
    kind: 'tasks',
    attioId: normalizeUuid(task.id.task_id),
    ...NOWHERE,
    createdAt: iso(task.created_at),
    links: await Promise.all(links),
    body: {
      content: task.content_plaintext,
      deadlineAt: isoOrNull(task.deadline_at),
      isCompleted: task.is_completed,
      completedAt: isoOrNull(task.completed_at),
      assignees: task.assignees.map(({ referenced_actor_type: type, referenced_actor_id: id }) => {
        return { type, id: id === null ? null : normalizeUuid(id) };
      }),
      createdBy: actorOf(task.created_by_actor),
    },
    readAt,
  };
}

/** The same for a comment. */
export async function toCommentSnapshot(
  comment: Comment,
  readAt: string,
  names: ObjectNames,
): Promise<ItemSnapshot> {
  const { record, entry } = comment;
  return {
    kind: 'comments',
    attioId: normalizeUuid(comment.id.comment_id),
    listId: entry === null ? null : normalizeUuid(entry.list_id),
    entryId: entry === null ? null : normalizeUuid(entry.entry_id),
    threadId: normalizeUuid(comment.thread_id),
    createdAt: iso(comment.created_at),
    links: record === null ? [] : [await linkTo(record.object_id, record.record_id, names)],
    body: {
      content: comment.content_plaintext,
      author: actorOf(comment.author),
      resolvedAt: isoOrNull(comment.resolved_at),
      resolvedBy: actorOf(comment.resolved_by),
    },
    readAt,
  };
}

/** @param object slug or id; one that cannot be named keeps its id */
async function linkTo(object: string, recordId: string, names: ObjectNames) {
  const slug = isUuid(object) ? await names.slugOf(normalizeUuid(object)) : object;
  return { object: slug ?? normalizeUuid(object), recordId: normalizeUuid(recordId) };
}

/** The documented name of the member and the one that written tasks bear. */
function objectIn(link: Task['linked_records'][number]): string {
  const named = link.target_object_id ?? link['target_object'];
  return typeof named === 'string' ? named : '';
}

function actorOf(actor: { type?: string | null | undefined; id?: string | null | undefined } | null): Json {
  if (actor === null) return null;
  return { type: actor.type ?? null, id: actor.id == null ? null : normalizeUuid(actor.id) };
}

/** With milliseconds: Attio's further digits differ between its answers. */
function iso(instant: string): string {
  return isoOrNull(instant) ?? instant;
}

function isoOrNull(instant: string | null): string | null {
  const ms = instant === null ? Number.NaN : Date.parse(instant);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
