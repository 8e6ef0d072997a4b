import { randomUUID } from 'node:crypto';
import type { Change, TestService } from './service.ts';

/** What people do in Attio with what hangs on records, and what the mirror holds of it. */

type Values = Readonly<Record<string, unknown>>;

export function act<T = Record<string, unknown>>(
  service: TestService,
  method: string,
  path: string,
  data?: unknown,
): T {
  const { sandbox } = service.sandbox;
  return sandbox.act({ method, path, ...(data === undefined ? {} : { body: { data } }) }) as T; // what Attio answers
}

/** Ids of an object's records, or of a list's entries, the oldest first. */
export function idsIn(service: TestService, place: { object: string } | { list: string }): string[] {
  const { world } = service.sandbox.sandbox;
  const table = 'object' in place ? world.object(place.object).table : world.list(place.list).table;
  return [...table.inOrder()].map((row) => row.id);
}

export function personId(service: TestService, index = 0): string {
  const id = idsIn(service, { object: 'people' })[index];
  if (id === undefined) throw new Error('there are fewer people');
  return id;
}

export function addEntry(service: TestService, recordId: string, values: Values = {}): string {
  const entry = act<{ id: { entry_id: string } }>(service, 'POST', '/lists/recruiting/entries', {
    parent_record_id: recordId,
    parent_object: 'people',
    entry_values: values,
  });
  return entry.id.entry_id;
}

export function addList(service: TestService, slug: string): string {
  const list = act<{ id: { list_id: string } }>(service, 'POST', '/lists', {
    name: slug,
    api_slug: slug,
    parent_object: 'people',
    workspace_access: 'full-access',
    workspace_member_access: [],
  });
  return list.id.list_id;
}

export function addNote(service: TestService, recordId: string, title = 'A call'): string {
  const note = act<{ id: { note_id: string } }>(service, 'POST', '/notes', {
    parent_object: 'people',
    parent_record_id: recordId,
    title,
    format: 'markdown',
    content: 'They **like** it',
  });
  return note.id.note_id;
}

export function addTask(service: TestService, recordId: string | null, content = 'Call back'): string {
  const task = act<{ id: { task_id: string } }>(service, 'POST', '/tasks', {
    content,
    format: 'plaintext',
    deadline_at: '2027-01-31T09:00:00.000Z',
    is_completed: false,
    linked_records: recordId === null ? [] : [{ target_object: 'people', target_record_id: recordId }],
    assignees: [],
  });
  return task.id.task_id;
}

export function addComment(
  service: TestService,
  on: { recordId: string } | { entryId: string } | { threadId: string },
  content = 'Interesting',
): { commentId: string; threadId: string } {
  const [member] = service.sandbox.sandbox.world.members;
  const target =
    'threadId' in on
      ? { thread_id: on.threadId }
      : 'recordId' in on
        ? { record: { object: 'people', record_id: on.recordId } }
        : { entry: { list: 'recruiting', entry_id: on.entryId } };
  const made = act<{ id: { comment_id: string }; thread_id: string }>(service, 'POST', '/comments', {
    format: 'plaintext',
    content,
    author: { type: 'workspace-member', id: member?.id },
    ...target,
  });
  return { commentId: made.id.comment_id, threadId: made.thread_id };
}

/** A signed delivery made by hand, of one event. */
export async function tell(
  service: TestService,
  type: string,
  ids: Readonly<Record<string, string>>,
  more: Values = {},
): Promise<void> {
  const id = { workspace_id: service.sandbox.sandbox.world.workspace.id, ...ids };
  const actor = { type: 'system', id: null };
  const events = [{ event_type: type, id, actor, ...more }];
  const answer = await service.deliver({ webhook_id: randomUUID(), events });
  if (answer.status !== 202) throw new Error(`the delivery was answered ${answer.status}`);
}

/** What followers are told of an item next. */
export async function told(
  service: TestService,
  cursor: string,
  type: string,
  attioId: string,
): Promise<Change & { readonly data: Values }> {
  return service.change(cursor, (row) => {
    const data: Values = row.data;
    return row.type === type && data['attioId'] === attioId;
  });
}

export interface ItemRow {
  readonly attio_id: string;
  readonly deleted_at: string | null;
  readonly shown_json: string;
  readonly version: number;
}

export async function items(service: TestService, kind: string): Promise<ItemRow[]> {
  const rows = await service.database.rows(`select * from item where kind = '${kind}' order by attio_id`);
  return rows as unknown as ItemRow[]; // the columns that are looked at
}

export async function living(service: TestService, kind: string): Promise<string[]> {
  return (await items(service, kind)).filter((row) => row.deleted_at === null).map((row) => row.attio_id);
}

/** How often Attio was asked, by route. */
export function asked(service: TestService, route: string): number {
  return service.sandbox.sandbox.requests().counts[route] ?? 0;
}
