import type { Conflict } from '../domain/conflicts.ts';
import type { ConflictStore, Page } from './ports.ts';

/** Fields that both sides changed, with both values and whose stands. */
export class ConflictsService {
  readonly #conflicts: ConflictStore;

  constructor(deps: { conflicts: ConflictStore }) {
    this.#conflicts = deps.conflicts;
  }

  /** The oldest first. */
  async list(query: {
    readonly status: Conflict['status'] | null;
    readonly after: number;
    readonly limit: number;
  }): Promise<Page<Conflict, number>> {
    return this.#conflicts.list(query.status, query.after, query.limit);
  }
}
