import type { JsonObject } from './json.ts';
import type { SyncFailure } from './sync-state.ts';

/** What hangs on records: entries of lists, notes, tasks, comments. */
export const ITEM_KINDS = ['entries', 'notes', 'tasks', 'comments'] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

export function isItemKind(kind: string): kind is ItemKind {
  return ITEM_KINDS.some((known) => known === kind);
}

/** The name of one, as the change feed and messages have it. */
export const ITEM_NOUNS = {
  entries: 'entry',
  notes: 'note',
  tasks: 'task',
  comments: 'comment',
} as const satisfies Record<ItemKind, string>;

/** A record that an item is about. */
export interface ItemLink {
  /** Object slug. */
  readonly object: string;
  /** Null while the record is yet to be made in Attio. */
  readonly recordId: string | null;
  /** Our id of the thing that the record is of; null: none, or not known. */
  readonly entityId: string | null;
}

/** Where an item is, beside the records that it is about. */
export interface ItemPlace {
  /** Of an entry, and of a comment on one. */
  readonly listId: string | null;
  /** Attio's id of the entry that a comment is on. */
  readonly entryId: string | null;
  /** Of a comment. */
  readonly threadId: string | null;
}

/** What one read of Attio said about one item. */
export interface ItemSnapshot extends ItemPlace {
  readonly kind: ItemKind;
  readonly attioId: string;
  /** ISO 8601 UTC. */
  readonly createdAt: string;
  readonly links: readonly { readonly object: string; readonly recordId: string }[];
  /** Its own members: of an entry its values, as Attio reads them; of the others in plain form. */
  readonly body: JsonObject;
  /** The instant the read reflects, as of records. */
  readonly readAt: string;
}

/** Which items are read from Attio together: all of a kind, or the entries of one list. */
export interface ItemScope {
  readonly kind: ItemKind;
  /** Of entries. */
  readonly listId: string | null;
}

/** An item as the local database holds it. */
export interface Item extends ItemPlace {
  readonly kind: ItemKind;
  /** Ours. One first seen in Attio bears its Attio id. */
  readonly id: string;
  readonly attioId: string | null;
  readonly links: readonly ItemLink[];
  /** What both sides last agreed on; of one that Attio does not have yet: empty. */
  readonly body: JsonObject;
  /** What internal systems see: the body in plain form, with pending writes laid over it. */
  readonly shown: JsonObject;
  /** Of an entry, as shown: the id of its stage; the title where the id is not known. */
  readonly stage: string | null;
  /** Of an entry, as shown. */
  readonly amount: number | null;
  readonly currencyCode: string | null;
  /** Of a task. */
  readonly isCompleted: boolean | null;
  /** Of what is compared; empty while Attio does not have it. */
  readonly hash: string;
  /** Empty while Attio does not have it. */
  readonly readAt: string;
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly deletedAt: string | null;
  /** Why its last write failed for good; null when it did not. */
  readonly syncFailure: SyncFailure | null;
  /** The keyed request that made it: the same request finds it again. */
  readonly requestKey: string | null;
}
