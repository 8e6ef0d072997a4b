import { z } from 'zod';
import { AttioError, notFound, recordNotFound } from '../core/errors.ts';
import type { Note } from '../state/activities.ts';
import type { World } from '../state/world.ts';
import { parseInstant } from '../values/times.ts';
import type { EventType } from '../webhooks/events.ts';
import { type Call, param, route } from './router.ts';
import { data, page, slice, uuid } from './schemas.ts';

/** That notes can be too big is known, from what size on is not. */
const TOO_BIG = 1_000_000;

/** The subset of markdown that notes keep, without its marks. */
function plain(markdown: string): string {
  return markdown
    .replace(/^#{1,3}\s+/gm, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/(\*\*|__|~~|==)(.+?)\1/g, '$2')
    .replace(/(\*|_)(.+?)\1/g, '$2');
}

function render(world: World, note: Note): Record<string, unknown> {
  return {
    id: { workspace_id: world.workspace.id, note_id: note.id },
    parent_object: world.objectSlugOf(note.parentObjectId),
    parent_record_id: note.parentRecordId,
    title: note.title,
    meeting_id: note.meetingId,
    content_plaintext: note.format === 'markdown' ? plain(note.content) : note.content,
    content_markdown: note.content,
    tags: [],
    created_by_actor: note.createdBy,
    created_at: note.createdAt,
  };
}

function emit(call: Call, type: EventType, note: Note): void {
  call.world.emit(type, { note_id: note.id }, call.stamp().actor, {
    parent_object_id: note.parentObjectId,
    parent_record_id: note.parentRecordId,
  });
}

function checkSize(content: string): void {
  if (content.length <= TOO_BIG) return;
  throw new AttioError(413, 'validation_type', 'The content of the note is too large.');
}

function found(call: Call): Note {
  const id = param(call, 'note_id');
  const note = call.world.notes.get(id);
  if (note === undefined) throw notFound(`Note with ID "${id}" was not found.`);
  return note;
}

const instant = z.string().transform((text, context) => {
  const read = parseInstant(text);
  if (read !== null) return read.iso;
  context.addIssue({ code: 'custom', message: 'Expected an ISO 8601 timestamp.' });
  return z.NEVER;
});

export const noteRoutes = [
  route({
    method: 'GET',
    path: '/notes',
    query: z.object({
      ...page(10, 50),
      parent_object: z.string().optional(),
      parent_record_id: uuid.optional(),
    }),
    handle({ world, query }) {
      const object = query.parent_object === undefined ? undefined : world.object(query.parent_object);
      const notes = [...world.notes.values()].filter(
        (note) =>
          (object === undefined || note.parentObjectId === object.id) &&
          (query.parent_record_id === undefined || note.parentRecordId === query.parent_record_id),
      );
      return { data: slice(notes, query).map((note) => render(world, note)) };
    },
  }),
  route({
    method: 'POST',
    path: '/notes',
    body: data(
      z.object({
        parent_object: z.string(),
        parent_record_id: uuid,
        title: z.string(),
        format: z.enum(['plaintext', 'markdown']),
        content: z.string(),
        created_at: instant.optional(),
        meeting_id: uuid.nullable().optional(),
      }),
    ),
    handle(call) {
      const { world } = call;
      const { parent_object, parent_record_id, created_at, meeting_id, ...rest } = call.body.data;
      const object = world.object(parent_object);
      if (object.table.get(parent_record_id) === undefined) throw recordNotFound(parent_record_id);
      checkSize(rest.content);
      const { at, actor } = call.stamp();
      const note: Note = {
        ...rest,
        id: world.newId(),
        parentObjectId: object.id,
        parentRecordId: parent_record_id,
        meetingId: meeting_id ?? null,
        createdBy: actor,
        createdAt: created_at ?? at,
      };
      world.notes.set(note.id, note);
      emit(call, 'note.created', note);
      return { data: render(world, note) };
    },
  }),
  route({
    method: 'GET',
    path: '/notes/{note_id}',
    handle: (call) => ({ data: render(call.world, found(call)) }),
  }),
  route({
    method: 'PATCH',
    path: '/notes/{note_id}',
    body: data(
      z.object({
        title: z.string().optional(),
        content: z.string().optional(),
        format: z.enum(['plaintext', 'markdown']).optional(),
      }),
    ),
    handle(call) {
      const note = found(call);
      const { title, content, format } = call.body.data;
      if (title !== undefined && title !== note.title) {
        note.title = title;
        emit(call, 'note.updated', note);
      }
      if (content !== undefined && content !== note.content) {
        checkSize(content);
        note.content = content;
        note.format = format ?? note.format;
        emit(call, 'note-content.updated', note);
      }
      return { data: render(call.world, note) };
    },
  }),
  route({
    method: 'DELETE',
    path: '/notes/{note_id}',
    handle(call) {
      const note = found(call);
      call.world.notes.delete(note.id);
      emit(call, 'note.deleted', note);
      return {};
    },
  }),
];
