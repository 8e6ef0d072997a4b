import { z } from 'zod';
import { invalid, notFound, valueNotFound } from '../core/errors.ts';
import type { Comment, Thread } from '../state/activities.ts';
import type { World } from '../state/world.ts';
import { parseInstant } from '../values/times.ts';
import type { EventType } from '../webhooks/events.ts';
import { type Call, param, route } from './router.ts';
import { data, page, slice, uuid } from './schemas.ts';

const common = {
  format: z.literal('plaintext'),
  content: z.string(),
  author: z.object({ type: z.literal('workspace-member'), id: uuid }),
  created_at: z.string().optional(),
};

const newComment = z.union([
  z.strictObject({ ...common, thread_id: uuid }),
  z.strictObject({ ...common, record: z.object({ object: z.string(), record_id: uuid }) }),
  z.strictObject({ ...common, entry: z.object({ list: z.string(), entry_id: z.string() }) }),
]);

type NewComment = z.output<typeof newComment>;
type Place = Pick<Thread, 'objectId' | 'recordId' | 'listId' | 'entryId'>;

function render(world: World, comment: Comment): Record<string, unknown> {
  const thread = world.threads.get(comment.threadId);
  const entry = thread?.entryId === null || thread === undefined;
  return {
    id: { workspace_id: world.workspace.id, comment_id: comment.id },
    thread_id: comment.threadId,
    content_plaintext: comment.content,
    entry: entry ? null : { entry_id: thread.entryId, list_id: thread.listId },
    record: { record_id: thread?.recordId, object_id: thread?.objectId },
    resolved_at: comment.resolvedAt,
    resolved_by: comment.resolvedBy,
    created_at: comment.createdAt,
    author: comment.author,
  };
}

function renderThread(world: World, thread: Thread): Record<string, unknown> {
  return {
    id: { workspace_id: world.workspace.id, thread_id: thread.id },
    comments: thread.commentIds.flatMap((id) => {
      const comment = world.comments.get(id);
      return comment === undefined ? [] : [render(world, comment)];
    }),
    created_at: thread.createdAt,
  };
}

function emit(call: Call, type: EventType, comment: Comment, thread: Thread): void {
  call.world.emit(type, { comment_id: comment.id }, call.stamp().actor, {
    thread_id: thread.id,
    object_id: thread.objectId,
    record_id: thread.recordId,
    list_id: thread.listId,
    entry_id: thread.entryId,
  });
}

function recordPlace(world: World, objectRef: string, recordId: string): Place {
  const object = world.findObject(objectRef);
  if (object === undefined) throw valueNotFound(`Object with slug/ID "${objectRef}" not found.`);
  if (object.table.get(recordId) === undefined)
    throw valueNotFound(`Record with ID "${recordId}" not found.`);
  return { objectId: object.id, recordId, listId: null, entryId: null };
}

function entryPlace(world: World, listRef: string, entryId: string): Place {
  const list = world.findList(listRef);
  const entry = list?.table.get(entryId);
  if (list === undefined) throw valueNotFound(`List with slug/ID "${listRef}" not found.`);
  if (entry === undefined || entry.parent === null)
    throw valueNotFound(`Entry with ID "${entryId}" not found.`);
  return { ...entry.parent, listId: list.id, entryId };
}

/** The thread that is answered, or the place where a new one begins. */
function threadOrPlace(world: World, input: NewComment): Thread | Place {
  if ('record' in input) return recordPlace(world, input.record.object, input.record.record_id);
  if ('entry' in input) return entryPlace(world, input.entry.list, input.entry.entry_id);
  const thread = world.threads.get(input.thread_id);
  if (thread !== undefined) return thread;
  throw valueNotFound('The referenced Thread could not be found, it might have been deleted.');
}

function found(call: Call, message: (id: string) => string): Comment {
  const id = param(call, 'comment_id');
  const comment = call.world.comments.get(id);
  if (comment === undefined) throw notFound(message(id));
  return comment;
}

function createdAt(given: string | undefined, fallback: string): string {
  if (given === undefined) return fallback;
  const read = parseInstant(given);
  if (read === null) throw invalid('created_at must be an ISO 8601 timestamp.');
  return read.iso;
}

/** The first comment of a thread has the thread's id. */
function addComment(call: Call, input: NewComment): { comment: Comment; thread: Thread } {
  const { world } = call;
  const target = threadOrPlace(world, input);
  if (world.member(input.author.id) === undefined) {
    throw valueNotFound(`Workspace member with ID "${input.author.id}" not found.`);
  }
  const id = world.newId();
  const at = createdAt(input.created_at, call.stamp().at);
  const thread: Thread = 'commentIds' in target ? target : { ...target, id, commentIds: [], createdAt: at };
  const { content, author } = input;
  const comment = {
    id,
    threadId: thread.id,
    content,
    author,
    resolvedAt: null,
    resolvedBy: null,
    createdAt: at,
  };
  thread.commentIds.push(id);
  world.threads.set(thread.id, thread);
  world.comments.set(id, comment);
  return { comment, thread };
}

/** Deleting the head of a thread deletes the thread. */
function removeComment(call: Call, comment: Comment): void {
  const { world } = call;
  const thread = world.threads.get(comment.threadId);
  if (thread === undefined) return;
  const head = thread.commentIds[0] === comment.id;
  const gone = head ? [...thread.commentIds] : [comment.id];
  for (const id of gone) {
    const one = world.comments.get(id);
    world.comments.delete(id);
    if (one !== undefined) emit(call, 'comment.deleted', one, thread);
  }
  if (head) world.threads.delete(thread.id);
  else thread.commentIds.splice(thread.commentIds.indexOf(comment.id), 1);
}

const threadQuery = z.object({
  ...page(10, 50),
  record_id: uuid.optional(),
  object: z.string().optional(),
  entry_id: uuid.optional(),
  list: z.string().optional(),
});

function threadsOf(world: World, query: z.output<typeof threadQuery>): Thread[] {
  const { record_id, object, entry_id, list } = query;
  if ((record_id === undefined) !== (object === undefined))
    throw invalid('object and record_id go together.');
  if ((entry_id === undefined) !== (list === undefined)) throw invalid('list and entry_id go together.');
  return [...world.threads.values()].filter((thread) => {
    if (entry_id !== undefined) return thread.entryId === entry_id;
    return record_id === undefined || (thread.recordId === record_id && thread.entryId === null);
  });
}

export const commentRoutes = [
  route({
    method: 'GET',
    path: '/threads',
    query: threadQuery,
    handle: ({ world, query }) => ({
      data: slice(threadsOf(world, query), query).map((thread) => renderThread(world, thread)),
    }),
  }),
  route({
    method: 'GET',
    path: '/threads/{thread_id}',
    handle(call) {
      const id = param(call, 'thread_id');
      const thread = call.world.threads.get(id);
      if (thread === undefined) throw notFound(`Thread with ID "${id}" was not found.`);
      return { data: renderThread(call.world, thread) };
    },
  }),
  route({
    method: 'POST',
    path: '/comments',
    body: data(newComment),
    handle(call) {
      const { comment, thread } = addComment(call, call.body.data);
      emit(call, 'comment.created', comment, thread);
      return { data: render(call.world, comment) };
    },
  }),
  route({
    method: 'GET',
    path: '/comments/{comment_id}',
    handle: (call) => ({
      data: render(
        call.world,
        found(call, (id) => `Comment with ID "${id}" was not found.`),
      ),
    }),
  }),
  route({
    method: 'DELETE',
    path: '/comments/{comment_id}',
    handle(call) {
      removeComment(
        call,
        found(call, (id) => `Could not find Comment with ID "${id}".`),
      );
      return {};
    },
  }),
];
