import type { JsonObject } from './json.ts';

export type ChangeType = 'record.created' | 'record.updated' | 'record.deleted' | 'record.merged';

/** A change to the local mirror, before it has its place in the feed. */
export interface NewChange {
  readonly type: ChangeType;
  readonly object: string;
  /** Our id of the thing; the Attio record id for a thing first seen in Attio. */
  readonly id: string;
  /** The id that was merged away (`record.merged` only). */
  readonly mergedId?: string;
  readonly source: 'attio' | 'local';
  /** Slugs whose values changed, sorted. */
  readonly changed: readonly string[];
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly data: JsonObject;
}

export interface Change extends NewChange {
  /** Place in the feed: rises by commit order, without gaps that a reader could skip over. */
  readonly seq: number;
}
