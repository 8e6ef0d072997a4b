import type { Json } from './json.ts';

/** A field that both sides changed, and which side was taken. */
export interface NewConflict {
  /** The slug of an object, or `entry` or `task`. */
  readonly object: string;
  /** Our id of the thing. */
  readonly entityId: string;
  readonly recordId: string | null;
  /** An attribute's slug, a half of a name, or a member of a task. */
  readonly field: string;
  /** Plain values: what was last agreed on, what we were asked to write, what Attio had. Null: unset or unknown. */
  readonly base: Json;
  readonly local: Json;
  readonly attio: Json;
  /** What was asked for here, as an input: it says whether a list is added to or replaced. */
  readonly wanted: Json;
  /** Whose value stands; null: it is open, or both came to be the same. */
  readonly decided: Decided | null;
  readonly status: 'open' | 'resolved';
  /** The policy that decided or opened it, `concurrent` for a tie; then why it was closed. */
  readonly reason: string;
  /** ISO 8601 UTC. */
  readonly at: string;
}

/** `merged`: a third value that a person has given. */
export type Decided = 'local' | 'attio' | 'merged';

export interface Conflict extends NewConflict {
  readonly id: string;
  /** What was written in place of both; undefined: nothing. */
  readonly merged: Json | undefined;
  /** ISO 8601 UTC; null while it is open. */
  readonly resolvedAt: string | null;
}

/** How a conflict ends. */
export interface Closing {
  readonly decided: Decided | null;
  /** `resolved` by a person, `agreed`, `deleted_in_attio`, `merged_in_attio`, `removed`. */
  readonly reason: string;
  readonly at: string;
  readonly merged?: Json;
}
