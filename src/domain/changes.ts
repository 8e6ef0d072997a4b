import type { JsonObject } from './json.ts';

export const CHANGE_TYPES = [
  'record.created',
  'record.updated',
  'record.deleted',
  'record.merged',
  'entry.created',
  'entry.updated',
  'entry.deleted',
  'note.created',
  'note.updated',
  'note.deleted',
  'task.created',
  'task.updated',
  'task.deleted',
  'comment.created',
  'comment.updated',
  'comment.deleted',
] as const;
export type ChangeType = (typeof CHANGE_TYPES)[number];

/** A change to the local mirror, before it has its place in the feed. */
export interface NewChange {
  readonly type: ChangeType;
  /** Of an item: that of the first record it is about; empty when it is about none. */
  readonly object: string;
  /** Our id of the thing; the Attio record id for a thing first seen in Attio. */
  readonly id: string;
  /** The id that was merged away (`record.merged` only). */
  readonly mergedId?: string;
  readonly source: 'attio' | 'local';
  /** Slugs whose values changed, of an item its members; sorted. */
  readonly changed: readonly string[];
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly data: JsonObject;
}

export interface Change extends NewChange {
  /** Place in the feed: rises by commit order, without gaps that a reader could skip over. */
  readonly seq: number;
}

/** Of what one full sync makes equal to Attio: an object's slug, `notes` or `tasks`, or this of a list. */
export function listScope(listId: string): string {
  return `lists/${listId}`;
}
