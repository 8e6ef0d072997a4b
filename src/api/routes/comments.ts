import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Synced } from '../../services/inputs.ts';
import type { CommentPlace, CommentView } from '../../services/items/inputs.ts';
import { cursorOf } from '../cursor.ts';
import type { ActivityApi } from '../deps.ts';
import { emailThat } from '../fields.ts';
import { contentField } from '../item-bodies.ts';
import { headMembers, itemParams, itemToJson } from '../item-schemas.ts';
import {
  entryId,
  instant,
  limit,
  listOf,
  noQuery,
  objectSlug,
  ownId,
  problems,
  recordId,
  SLUG,
  waitFlag,
} from '../schemas.ts';
import { nextCursor, statusOf, toListQuery, withSync } from '../things.ts';
import { waitSignal } from '../wait.ts';

const LIST = 'comments';
const NO_AUTHOR = 'is missing: it says which member of the workspace comments';

const commentSchema = z
  .object({
    ...headMembers,
    commentId: z.string().nullable().meta({ description: "Attio's id; null until Attio has it" }),
    threadId: z.string().nullable().meta({ description: 'Null until Attio has begun the thread' }),
    object: z.string().nullable(),
    recordId: z.string().nullable(),
    list: z.string().nullable().meta({ description: 'Of a comment on an entry' }),
    entryId: z.string().nullable(),
    content: z.string(),
    author: z.object({ id: z.string().nullable(), email: z.string().nullable() }),
    resolvedAt: instant.nullable(),
  })
  .meta({
    id: 'Comment',
    examples: [
      {
        id: '6f7081a2-b3c4-4d5e-8f60-718293a4b5c6',
        commentId: '6f7081a2-b3c4-4d5e-8f60-718293a4b5c6',
        threadId: '6f7081a2-b3c4-4d5e-8f60-718293a4b5c6',
        object: 'people',
        recordId: 'bf071e1f-6035-429d-b874-d83ea64ea13b',
        list: null,
        entryId: null,
        content: 'Who calls her?',
        author: { id: '5a6b7c8d-9e0f-4a1b-8c2d-3e4f5a6b7c8d', email: 'robin@example.com' },
        resolvedAt: null,
        version: 1,
        createdAt: '2026-01-01T09:30:00.000Z',
        updatedAt: '2026-01-01T09:30:00.000Z',
        deletedAt: null,
        sync: { status: 'synced', recordId: '6f7081a2-b3c4-4d5e-8f60-718293a4b5c6' },
      },
    ],
  });

const newComment = z
  .strictObject(
    {
      object: objectSlug.exactOptional(),
      recordId: recordId.exactOptional(),
      list: z.string().regex(SLUG, 'is not the slug of a list').exactOptional(),
      entryId: ownId.exactOptional(),
      threadId: recordId
        .exactOptional()
        .meta({ description: 'Answers in this thread, instead of beginning one on a record or an entry' }),
      content: contentField,
      authorEmail: emailThat(NO_AUTHOR).meta({ description: 'Of a member of the workspace' }),
    },
    'must be an object with recordId, entryId and list, or threadId; and content and authorEmail',
  )
  .check(({ value, issues }) => {
    const fault = faultOfPlace(value);
    if (fault !== null) issues.push({ code: 'custom', input: value, ...fault });
  })
  .meta({
    id: 'PostComment',
    examples: [
      {
        recordId: 'bf071e1f-6035-429d-b874-d83ea64ea13b',
        content: 'Who calls her?',
        authorEmail: 'robin@example.com',
      },
    ],
  });

type Given = z.output<typeof newComment>;

function faultOfPlace({
  recordId: record,
  entryId,
  threadId,
  list,
  object,
}: Given): { path: string[]; message: string } | null {
  const given = [record, entryId, threadId].filter((id) => id !== undefined).length;
  if (given !== 1) {
    const message =
      given === 0
        ? 'is missing: send it, or entryId and list, or threadId'
        : 'is one place too many: send one';
    return { path: ['recordId'], message };
  }
  if ((entryId === undefined) !== (list === undefined)) {
    return {
      path: [list === undefined ? 'list' : 'entryId'],
      message: 'is missing: entryId and list go together',
    };
  }
  if (object !== undefined && record === undefined)
    return { path: ['object'], message: 'goes with recordId' };
  return null;
}

function placeOf({ recordId: record, entryId, threadId, list, object }: Given): CommentPlace {
  if (threadId !== undefined) return { threadId };
  if (entryId !== undefined && list !== undefined) return { list, entryId };
  return { recordId: record ?? '', ...(object === undefined ? {} : { object }) };
}

const listQuery = z
  .strictObject({
    recordId: recordId.exactOptional(),
    entryId: entryId.exactOptional(),
    limit,
    cursor: cursorOf(LIST, 'string').exactOptional(),
  })
  .refine((query) => query.recordId === undefined || query.entryId === undefined, {
    path: ['entryId'],
    error: 'is given beside recordId: send one of the two',
  });

/** Comments on records and entries: read from the local database, written there first and then to Attio. */
export function commentsRoutes(activity: ActivityApi, ending: AbortSignal): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/comments',
      {
        schema: {
          summary:
            'Comments on a record or an entry, or answers in a thread; 202 when Attio is yet to have it',
          tags: ['activity'],
          querystring: z.strictObject({ wait: waitFlag }),
          body: newComment,
          response: { 200: withSync(commentSchema), 202: withSync(commentSchema), ...problems },
        },
      },
      async (request, reply) => {
        const { content, authorEmail } = request.body;
        const input = { place: placeOf(request.body), content, authorEmail };
        const { wait } = request.query;
        const signal = waitSignal(reply, ending);
        const result = await activity.addComment(input, { wait, signal, requestKey: request.requestKey });
        return reply.code(statusOf(result, wait)).send({ data: toJson(result), sync: result.sync });
      },
    );

    app.get(
      '/comments',
      {
        schema: {
          summary:
            "Comments, all that are known here or those on a record or an entry; Attio's are read again behind it",
          tags: ['activity'],
          querystring: listQuery,
          response: { 200: listOf(commentSchema), ...problems },
        },
      },
      async (request) => {
        const page = await activity.comments(toListQuery(request.query));
        return { data: page.rows.map(toJson), nextCursor: nextCursor(LIST, page.next) };
      },
    );

    app.get(
      '/comments/:id',
      {
        schema: {
          summary: 'One comment',
          tags: ['activity'],
          params: itemParams,
          querystring: noQuery,
          response: { 200: withSync(commentSchema), ...problems },
        },
      },
      async (request) => {
        const found = await activity.comment(request.params.id);
        return { data: toJson(found), sync: found.sync };
      },
    );
  };
}

function toJson(comment: Synced<CommentView>): z.input<typeof commentSchema> {
  return itemToJson(comment, 'commentId');
}
