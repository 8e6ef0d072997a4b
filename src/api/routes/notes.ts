import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Synced } from '../../services/inputs.ts';
import type { NoteView } from '../../services/items/inputs.ts';
import { cursorOf } from '../cursor.ts';
import type { ActivityApi } from '../deps.ts';
import { contentField, oneParent, parentMembers, toParent } from '../item-bodies.ts';
import { headMembers, itemParams, itemToJson } from '../item-schemas.ts';
import { limit, listOf, noQuery, problems, recordId, waitFlag } from '../schemas.ts';
import { nextCursor, statusOf, toListQuery, withSync } from '../things.ts';
import { waitSignal } from '../wait.ts';

const LIST = 'notes';

const noteSchema = z
  .object({
    ...headMembers,
    noteId: z.string().nullable().meta({ description: "Attio's id; null until Attio has it" }),
    object: z.string(),
    recordId: z.string().nullable(),
    title: z.string(),
    content: z.string().meta({ description: 'Markdown, as Attio has it' }),
    createdBy: z.unknown().meta({ description: '`{type, id}`, or null' }),
  })
  .meta({
    id: 'Note',
    examples: [
      {
        id: '0c9d8e7f-6a5b-4c3d-8e2f-1a0b9c8d7e6f',
        noteId: '0c9d8e7f-6a5b-4c3d-8e2f-1a0b9c8d7e6f',
        object: 'people',
        recordId: 'bf071e1f-6035-429d-b874-d83ea64ea13b',
        title: 'Call',
        content: 'Wants **two** engines.',
        createdBy: { type: 'api-token', id: null },
        version: 1,
        createdAt: '2026-01-01T09:30:00.000Z',
        updatedAt: '2026-01-01T09:30:00.000Z',
        deletedAt: null,
        sync: { status: 'synced', recordId: '0c9d8e7f-6a5b-4c3d-8e2f-1a0b9c8d7e6f' },
      },
    ],
  });

const newNote = z
  .strictObject(
    {
      ...parentMembers,
      title: z
        .string({ error: ({ input }) => (input === undefined ? 'is missing' : 'must be text') })
        .regex(/^[^\p{Cc}\u2028\u2029]*$/u, 'has a control character, such as a line break: take it out')
        .refine((text) => text.trim() !== '', 'is blank'),
      content: contentField,
      format: z
        .enum(['markdown', 'plaintext'], 'must be markdown or plaintext')
        .exactOptional()
        .meta({ description: 'Of the content; markdown when left out' }),
    },
    'must be an object with recordId or email, title and content',
  )
  .check(oneParent)
  .meta({
    id: 'PostNote',
    examples: [{ email: 'ada@example.com', title: 'Call', content: 'Wants **two** engines.' }],
  });

/** Notes on records: read from the local database, written there first and then to Attio. */
export function notesRoutes(activity: ActivityApi, ending: AbortSignal): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/notes',
      {
        schema: {
          summary: 'Makes a note on a record; 202 when Attio is yet to have it',
          tags: ['activity'],
          querystring: z.strictObject({ wait: waitFlag }),
          body: newNote,
          response: { 200: withSync(noteSchema), 202: withSync(noteSchema), ...problems },
        },
      },
      async (request, reply) => {
        const { title, content, format } = request.body;
        const input = {
          parent: toParent(request.body),
          title,
          content,
          ...(format === undefined ? {} : { format }),
        };
        const { wait } = request.query;
        const signal = waitSignal(reply, ending);
        const result = await activity.addNote(input, { wait, signal, requestKey: request.requestKey });
        return reply.code(statusOf(result, wait)).send({ data: toJson(result), sync: result.sync });
      },
    );

    app.get(
      '/notes',
      {
        schema: {
          summary: 'Notes, all or those on a record',
          tags: ['activity'],
          querystring: z.strictObject({
            recordId: recordId.exactOptional(),
            limit,
            cursor: cursorOf(LIST, 'string').exactOptional(),
          }),
          response: { 200: listOf(noteSchema), ...problems },
        },
      },
      async (request) => {
        const page = await activity.notes(toListQuery(request.query));
        return { data: page.rows.map(toJson), nextCursor: nextCursor(LIST, page.next) };
      },
    );

    app.get(
      '/notes/:id',
      {
        schema: {
          summary: 'One note',
          tags: ['activity'],
          params: itemParams,
          querystring: noQuery,
          response: { 200: withSync(noteSchema), ...problems },
        },
      },
      async (request) => {
        const found = await activity.note(request.params.id);
        return { data: toJson(found), sync: found.sync };
      },
    );
  };
}

function toJson(note: Synced<NoteView>): z.input<typeof noteSchema> {
  return itemToJson(note, 'noteId');
}
