import { ITEM_NOUNS, isItemKind } from '../../domain/items.ts';
import type { WriteKind } from '../../domain/outbox.ts';
import type { ConflictStore, OutboxStore } from '../ports.ts';
import type { Waiters } from './waiters.ts';

export interface SettledElsewhereDeps {
  readonly outbox: Pick<OutboxStore, 'ended'>;
  readonly conflicts: Pick<ConflictStore, 'openAmong'>;
  readonly waiters: Waiters;
  readonly onError: (error: unknown) => void;
}

/** Tells those who wait here for a write that another instance has brought over. */
export class SettledElsewhere {
  readonly #deps: SettledElsewhereDeps;
  #looking: Promise<void> | null = null;
  #again = false;

  constructor(deps: SettledElsewhereDeps) {
    this.#deps = deps;
  }

  /** Another instance has settled writes. One look at a time; what is heard meanwhile is one more. */
  heard(): void {
    this.#again = true;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
  }

  async idle(): Promise<void> {
    await this.#looking;
  }

  async #look(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      // Whoever is not told waits as long as for Attio.
      await this.#tell().catch(this.#deps.onError);
    }
  }

  async #tell(): Promise<void> {
    const { outbox, waiters } = this.#deps;
    const ids = waiters.waiting();
    if (ids.length === 0) return;
    for (const { id, kind, entityId, status } of await outbox.ended(ids)) {
      // What is refused where nobody waits leaves a dead letter: here it is as yet pending.
      if (status !== 'done') waiters.dismiss(id);
      else waiters.tell(id, { outcome: 'done', entityId, held: await this.#held(kind, entityId) });
    }
  }

  async #held(kind: WriteKind, entityId: string): Promise<number> {
    const object = isItemKind(kind) ? ITEM_NOUNS[kind] : kind;
    return (await this.#deps.conflicts.openAmong(object, [entityId])).get(entityId) ?? 0;
  }
}
