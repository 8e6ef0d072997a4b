import type { Actor } from '../core/types.ts';

export interface Note {
  readonly id: string;
  parentObjectId: string;
  parentRecordId: string;
  title: string;
  format: 'plaintext' | 'markdown';
  content: string;
  readonly meetingId: string | null;
  readonly createdBy: Actor;
  readonly createdAt: string;
}

export interface Task {
  readonly id: string;
  readonly content: string;
  deadlineAt: string | null;
  isCompleted: boolean;
  completedAt: string | null;
  linked: readonly { readonly objectId: string; readonly recordId: string }[];
  assignees: readonly string[];
  readonly createdBy: Actor;
  readonly createdAt: string;
}

export interface Thread {
  readonly id: string;
  /** The record the thread is on, or the entry's parent. */
  objectId: string;
  recordId: string;
  readonly listId: string | null;
  readonly entryId: string | null;
  readonly commentIds: string[];
  readonly createdAt: string;
}

export interface Comment {
  readonly id: string;
  readonly threadId: string;
  readonly content: string;
  readonly author: Actor;
  resolvedAt: string | null;
  resolvedBy: Actor | null;
  readonly createdAt: string;
}
