import type { Json } from './json.ts';

/** A field that both sides changed, and which side was taken. */
export interface NewConflict {
  readonly object: string;
  /** Our id of the thing. */
  readonly entityId: string;
  readonly recordId: string | null;
  /** An attribute's slug, or a half of a name. */
  readonly field: string;
  /** Plain values: what was last agreed on, what we were asked to write, what Attio had. Null: unset or unknown. */
  readonly base: Json;
  readonly local: Json;
  readonly attio: Json;
  /** Whose value stands. */
  readonly decided: 'local' | 'attio';
  readonly status: 'open' | 'resolved';
  readonly reason: string;
  /** ISO 8601 UTC. */
  readonly at: string;
}

export interface Conflict extends NewConflict {
  readonly id: string;
}
