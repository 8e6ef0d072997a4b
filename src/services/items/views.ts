/** Items as internal systems see them. */
import type { Item } from '../../domain/items.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import type { ListInfo } from '../lists.ts';
import type { CommentView, EntryView, NoteView, TaskView } from './inputs.ts';
import { headOf } from './items.ts';

/** E-mail addresses by member id, as far as they are known. */
type Emails = ReadonlyMap<string, string>;

export function toEntryView(item: Item, list: Pick<ListInfo, 'slug' | 'parentObjects'>): EntryView {
  const [link] = item.links;
  const shown = item.shown as Pick<EntryView, 'stage' | 'value' | 'attributes'>; // what `show` makes of an entry
  return {
    ...headOf(item),
    list: list.slug,
    object: link?.object ?? list.parentObjects[0] ?? '',
    recordId: link?.recordId ?? null,
    stage: shown.stage,
    value: shown.value,
    attributes: shown.attributes,
  };
}

export function toNoteView(item: Item): NoteView {
  const [link] = item.links;
  const { title, content, createdBy } = item.shown;
  return {
    ...headOf(item),
    object: link?.object ?? '',
    recordId: link?.recordId ?? null,
    title: text(title),
    content: text(content),
    createdBy: createdBy ?? null,
  };
}

export function toTaskView(item: Item, emails: Emails): TaskView {
  const { content, deadlineAt, completedAt, assignees } = item.shown;
  return {
    ...headOf(item),
    content: text(content),
    deadlineAt: textOrNull(deadlineAt),
    isCompleted: item.isCompleted ?? false,
    completedAt: item.isCompleted === true ? textOrNull(completedAt) : null,
    linkedRecords: item.links.map(({ object, recordId }) => ({ object, recordId })),
    assignees: (Array.isArray(assignees) ? assignees : []).map((one) => memberOf(one, emails)),
  };
}

/** @param slugs of lists, by id */
export function toCommentView(item: Item, emails: Emails, slugs: ReadonlyMap<string, string>): CommentView {
  const [link] = item.links;
  const { content, author, resolvedAt } = item.shown;
  return {
    ...headOf(item),
    threadId: item.threadId,
    object: link?.object ?? null,
    recordId: link?.recordId ?? null,
    list: item.listId === null ? null : (slugs.get(item.listId) ?? item.listId),
    entryId: item.entryId,
    content: text(content),
    author: memberOf(author, emails),
    resolvedAt: textOrNull(resolvedAt),
  };
}

function memberOf(actor: Json | undefined, emails: Emails): { id: string | null; email: string | null } {
  if (!isJsonObject(actor)) return { id: null, email: null };
  const id = textOrNull(actor['id']);
  return { id, email: textOrNull(actor['email']) ?? (id === null ? null : (emails.get(id) ?? null)) };
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function textOrNull(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
