/** What the writing services of items are given and give back. */
import type { Json, JsonObject } from '../../domain/json.ts';
import type { WriteOptions } from '../inputs.ts';

/** The record that an item is about: by Attio id, or a person by e-mail address. */
export type ParentInput =
  | { readonly object?: string; readonly recordId: string }
  /** In lower case. */
  | { readonly email: string };

export interface ItemWriteOptions extends WriteOptions {
  /** Of a request that must not be done twice, also across a crash; null: it bears no key. */
  readonly requestKey: string | null;
}

export interface EntryInput {
  readonly parent: ParentInput;
  /** Title in any case, or id. */
  readonly stage?: string;
  readonly value?: { readonly amount: number } | null;
  /** By slug, as for contacts. */
  readonly attributes?: JsonObject;
  readonly allowDuplicate?: boolean;
}

/** A member left out is untouched; null clears. */
export interface EntryChanges {
  readonly stage?: string | null;
  readonly value?: { readonly amount: number } | null;
  readonly attributes?: JsonObject;
}

export interface NoteInput {
  readonly parent: ParentInput;
  readonly title: string;
  readonly content: string;
  /** @default markdown */
  readonly format?: 'markdown' | 'plaintext';
}

export interface TaskInput {
  readonly content: string;
  /** ISO 8601 */
  readonly deadlineAt?: string | null;
  readonly linkedRecords?: readonly ParentInput[];
  readonly assigneeEmails?: readonly string[];
}

export interface TaskChanges {
  readonly isCompleted?: boolean;
  readonly deadlineAt?: string | null;
  readonly assigneeEmails?: readonly string[];
}

/** What a comment is on: a record, an entry of a list, or a thread that it answers. */
export type CommentPlace =
  | { readonly object?: string; readonly recordId: string }
  | { readonly list: string; readonly entryId: string }
  | { readonly threadId: string };

export interface CommentInput {
  readonly place: CommentPlace;
  readonly content: string;
  readonly authorEmail: string;
}

/** What every item shows of itself. Times are ISO 8601 UTC. */
export interface ItemHead {
  /** Ours. One first seen in Attio bears its Attio id. */
  readonly id: string;
  /** Null while Attio does not have it. */
  readonly attioId: string | null;
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly deletedAt: string | null;
}

export interface RecordName {
  readonly object: string;
  /** Null while the record is yet to be made in Attio. */
  readonly recordId: string | null;
}

export interface EntryView extends ItemHead {
  /** The list's slug. */
  readonly list: string;
  readonly object: string;
  readonly recordId: string | null;
  readonly stage: { readonly id: string | null; readonly title: string | null } | null;
  readonly value: { readonly amount: number; readonly currencyCode: string | null } | null;
  readonly attributes: { readonly [slug: string]: Json };
}

export interface NoteView extends ItemHead {
  readonly object: string;
  readonly recordId: string | null;
  readonly title: string;
  /** Markdown where Attio has it. */
  readonly content: string;
  readonly createdBy: Json;
}

export interface TaskView extends ItemHead {
  readonly content: string;
  readonly deadlineAt: string | null;
  readonly isCompleted: boolean;
  readonly completedAt: string | null;
  readonly linkedRecords: readonly RecordName[];
  readonly assignees: readonly { readonly id: string | null; readonly email: string | null }[];
}

export interface CommentView extends ItemHead {
  readonly threadId: string | null;
  readonly object: string | null;
  readonly recordId: string | null;
  /** The list's slug, of a comment on an entry. */
  readonly list: string | null;
  readonly entryId: string | null;
  readonly content: string;
  readonly author: { readonly id: string | null; readonly email: string | null };
  readonly resolvedAt: string | null;
}
