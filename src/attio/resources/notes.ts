import { z } from 'zod';
import { route } from '../route.ts';
import type { AttioResponse, RequestOptions } from '../transport.ts';
import { type Note, note } from '../types.ts';
import { type PageOptions, read, remove, type Sender, write } from './sender.ts';

export interface NewNote {
  /** Object slug or id. */
  readonly parent_object: string;
  readonly parent_record_id: string;
  readonly title: string;
  readonly format: 'plaintext' | 'markdown';
  readonly content: string;
  /** ISO 8601; Attio takes now when left out. */
  readonly created_at?: string;
}

/** `content` replaces all of it. Attio has this route since 2026-08. */
export interface NoteChanges {
  readonly title?: string;
  readonly format?: 'plaintext' | 'markdown';
  readonly content?: string;
}

/** Attio's maximum; its default is 10. */
export const MAX_NOTES_PER_PAGE = 50;

const notes = z.array(note);

export class NotesResource {
  readonly #sender: Sender;

  constructor(deps: { sender: Sender }) {
    this.#sender = deps.sender;
  }

  /** One page, of one record's notes when given. */
  async list(
    page: PageOptions & { readonly parentObject?: string; readonly parentRecordId?: string } = {},
  ): Promise<AttioResponse<Note[]>> {
    const { limit, offset, parentObject, parentRecordId, ...options } = page;
    const query = { limit, offset, parent_object: parentObject, parent_record_id: parentRecordId };
    return read(this.#sender, { route: route('GET /notes', {}), query, schema: notes, options });
  }

  async get(noteId: string, options?: RequestOptions): Promise<AttioResponse<Note>> {
    const to = route('GET /notes/{note_id}', { note_id: noteId });
    return read(this.#sender, { route: to, schema: note, options });
  }

  /** Not repeatable. */
  async create(data: NewNote, options?: RequestOptions): Promise<AttioResponse<Note>> {
    return write(this.#sender, { route: route('POST /notes', {}), data, schema: note, options });
  }

  async update(noteId: string, data: NoteChanges, options?: RequestOptions): Promise<AttioResponse<Note>> {
    const to = route('PATCH /notes/{note_id}', { note_id: noteId });
    return write(this.#sender, { route: to, data, schema: note, options });
  }

  async delete(noteId: string, options?: RequestOptions): Promise<{ readonly alreadyGone: boolean }> {
    return remove(this.#sender, route('DELETE /notes/{note_id}', { note_id: noteId }), options);
  }
}
