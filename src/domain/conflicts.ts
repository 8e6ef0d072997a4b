import type { Json } from './json.ts';

/** A field that was changed here and in Attio since both last agreed, with what was decided. */
export interface Conflict {
  readonly id: string;
  /** Object slug, such as `people`. */
  readonly object: string;
  /** Our id of the thing. */
  readonly entityId: string;
  readonly recordId: string;
  /** Slug of the attribute. */
  readonly field: string;
  /** What both had agreed on; null when there was no value. */
  readonly base: Json;
  readonly local: Json;
  readonly attio: Json;
  /** Whose value stands. */
  readonly decided: 'local' | 'attio';
  readonly status: 'open' | 'resolved';
  /** In words, why it was decided so. */
  readonly reason: string;
  readonly at: string;
}
