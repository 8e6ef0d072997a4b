import type { AttioClient } from '../../attio/client.ts';
import { MAX_THREADS_PER_PAGE } from '../../attio/resources/comments.ts';
import { MAX_NOTES_PER_PAGE } from '../../attio/resources/notes.ts';
import type { Assignee, NewTask, TaskChanges } from '../../attio/resources/tasks.ts';
import type { Item, ItemSnapshot } from '../../domain/items.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import type { WriteIntent } from '../../domain/outbox.ts';
import { ServiceError } from '../errors.ts';
import { type ObjectNames, toCommentSnapshot, toNoteSnapshot, toTaskSnapshot } from './snapshots.ts';

/** Records in the order in which they were named, as they are in Attio now. */
export type LinkedRecords = readonly { readonly object: string; readonly recordId: string }[];

/** What an item is made of, once everything it refers to is known. */
export interface Making {
  readonly item: Item;
  readonly intent: WriteIntent;
  readonly records: LinkedRecords;
  /** Attio's id of the entry that a comment is on. */
  readonly entryId: string | null;
}

type Client = Pick<AttioClient, 'notes' | 'tasks' | 'comments' | 'threads'>;

/** How many pages are looked through for what a request may have made. Attio does not say in which order notes and threads come. */
const MAX_PAGES = 20;
const TASKS_PER_LOOK = 100;

/** Requests that make notes, tasks and comments, and that look for what an earlier one has made. */
export class ItemRequests {
  readonly #client: Client;
  readonly #names: ObjectNames;

  constructor(deps: { client: Client; names: ObjectNames }) {
    this.#client = deps.client;
    this.#names = deps.names;
  }

  /** Not repeatable. @throws AttioApiError */
  async make(making: Making, signal: AbortSignal): Promise<ItemSnapshot> {
    const { kind } = making.item;
    if (kind === 'notes') return this.#makeNote(making, signal);
    if (kind === 'tasks') return this.#makeTask(making, signal);
    if (kind === 'comments') return this.#makeComment(making, signal);
    throw new Error(`${kind} are made elsewhere`);
  }

  /** What is where an item would be: it may be among these. @throws AttioApiError */
  async around(making: Making, signal: AbortSignal): Promise<ItemSnapshot[]> {
    const { kind } = making.item;
    if (kind === 'notes') return this.#notesOf(making, signal);
    return kind === 'tasks' ? this.#newestTasks(making, signal) : this.#commentsOf(making, signal);
  }

  async task(taskId: string, signal: AbortSignal): Promise<ItemSnapshot> {
    const { data, meta } = await this.#client.tasks.get(taskId, { signal });
    return toTaskSnapshot(data, meta.accurateAt, this.#names);
  }

  /** @param changes members of ours */
  async changeTask(taskId: string, changes: WriteIntent, signal: AbortSignal): Promise<ItemSnapshot> {
    const { data, meta } = await this.#client.tasks.update(taskId, taskChanges(changes), { signal });
    return toTaskSnapshot(data, meta.accurateAt, this.#names);
  }

  async #makeNote({ item, intent, records: [parent] }: Making, signal: AbortSignal): Promise<ItemSnapshot> {
    if (parent === undefined) throw new ServiceError('refused', 'a note must be about a record');
    const created = {
      parent_object: parent.object,
      parent_record_id: parent.recordId,
      title: text(intent['title']),
      format: intent['noteFormat'] === 'plaintext' ? ('plaintext' as const) : ('markdown' as const),
      content: text(intent['content']),
      // By this it is told from others, when we have not heard of its making.
      created_at: item.createdAt,
    };
    const { data, meta } = await this.#client.notes.create(created, { signal });
    return toNoteSnapshot(data, meta.accurateAt, this.#names);
  }

  async #makeTask({ intent, records }: Making, signal: AbortSignal): Promise<ItemSnapshot> {
    const created: NewTask = {
      content: text(intent['content']),
      format: 'plaintext',
      deadline_at: textOrNull(intent['deadlineAt']),
      is_completed: false,
      linked_records: records.map(({ object, recordId }) => {
        return { target_object: object, target_record_id: recordId };
      }),
      assignees: assigneesIn(intent['assignees']),
    };
    const { data, meta } = await this.#client.tasks.create(created, { signal });
    return toTaskSnapshot(data, meta.accurateAt, this.#names);
  }

  async #makeComment(making: Making, signal: AbortSignal): Promise<ItemSnapshot> {
    const { item, intent } = making;
    const author = isJsonObject(intent['author']) ? text(intent['author']['id']) : '';
    const { data, meta } = await this.#client.comments.create(
      {
        format: 'plaintext',
        content: text(intent['content']),
        author: { type: 'workspace-member', id: author },
        created_at: item.createdAt,
        ...placeOf(making),
      },
      { signal },
    );
    return toCommentSnapshot(data, meta.accurateAt, this.#names);
  }

  async #notesOf({ records: [parent] }: Making, signal: AbortSignal): Promise<ItemSnapshot[]> {
    if (parent === undefined) return [];
    const of = { parentObject: parent.object, parentRecordId: parent.recordId };
    return this.#pages(MAX_NOTES_PER_PAGE, async (position) => {
      const { data, meta } = await this.#client.notes.list({ ...of, ...position, signal });
      return Promise.all(data.map((note) => toNoteSnapshot(note, meta.accurateAt, this.#names)));
    });
  }

  /** Those of the first record named; the newest of all where none is. */
  async #newestTasks({ records: [first] }: Making, signal: AbortSignal): Promise<ItemSnapshot[]> {
    const linked = first === undefined ? {} : { linkedObject: first.object, linkedRecordId: first.recordId };
    return this.#pages(TASKS_PER_LOOK, async (position) => {
      const filter = { ...linked, sort: 'created_at:desc' } as const;
      const { data, meta } = await this.#client.tasks.list(filter, { ...position, signal });
      return Promise.all(data.map((task) => toTaskSnapshot(task, meta.accurateAt, this.#names)));
    });
  }

  async #commentsOf(making: Making, signal: AbortSignal): Promise<ItemSnapshot[]> {
    const { item, records, entryId } = making;
    if (item.threadId !== null) {
      const { data, meta } = await this.#client.threads.get(item.threadId, { signal });
      return Promise.all(
        data.comments.map((comment) => toCommentSnapshot(comment, meta.accurateAt, this.#names)),
      );
    }
    const [parent] = records;
    const filter =
      entryId !== null && item.listId !== null
        ? { list: item.listId, entryId }
        : { object: parent?.object ?? '', recordId: parent?.recordId ?? '' };
    return this.#pages(MAX_THREADS_PER_PAGE, async (position) => {
      const { data, meta } = await this.#client.threads.list(filter, { ...position, signal });
      // A thread counts as one of the page, whatever it holds: what is looked for begins its thread.
      return Promise.all(
        data.flatMap(({ comments: [head] }) =>
          head === undefined ? [] : [toCommentSnapshot(head, meta.accurateAt, this.#names)],
        ),
      );
    });
  }

  async #pages(
    limit: number,
    load: (position: { limit: number; offset: number }) => Promise<ItemSnapshot[]>,
  ): Promise<ItemSnapshot[]> {
    const found: ItemSnapshot[] = [];
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const snapshots = await load({ limit, offset: page * limit });
      found.push(...snapshots);
      if (snapshots.length < limit) break;
    }
    return found;
  }
}

function placeOf({ item, records: [parent], entryId }: Making) {
  if (item.threadId !== null) return { thread_id: item.threadId };
  if (entryId !== null && item.listId !== null) return { entry: { list: item.listId, entry_id: entryId } };
  if (parent === undefined)
    throw new ServiceError('refused', 'a comment must be on a record, an entry or a thread');
  return { record: { object: parent.object, record_id: parent.recordId } };
}

function taskChanges(changes: WriteIntent): TaskChanges {
  return {
    ...('isCompleted' in changes ? { is_completed: changes['isCompleted'] === true } : {}),
    ...('deadlineAt' in changes ? { deadline_at: textOrNull(changes['deadlineAt']) } : {}),
    ...('assignees' in changes ? { assignees: assigneesIn(changes['assignees']) } : {}),
  };
}

function assigneesIn(given: Json | undefined): Assignee[] {
  if (!Array.isArray(given)) return [];
  return given.filter(isJsonObject).map((one): Assignee => {
    const id = one['id'];
    return typeof id === 'string'
      ? { referenced_actor_type: 'workspace-member', referenced_actor_id: id }
      : { workspace_member_email_address: text(one['email']) };
  });
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function textOrNull(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
