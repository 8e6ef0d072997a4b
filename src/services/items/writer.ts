import type { Clock } from '../../domain/clock.ts';
import type { ItemKind } from '../../domain/items.ts';
import type { WriteOptions } from '../inputs.ts';
import type { OutboxWriter, Progress } from '../outbox/writer.ts';
import type { ItemAcceptance, ItemAccepted } from './intake.ts';

/** How far a write of an item has come. */
export interface ItemProgress extends Pick<Progress, 'isDone' | 'held'> {
  readonly itemId: string;
}

export interface ItemWriterDeps {
  /** Takes one write; those that come together share a commit. */
  readonly log: { add(item: ItemAcceptance): Promise<ItemAccepted> };
  readonly outbox: Pick<OutboxWriter, 'makeRoom' | 'follow'>;
  readonly clock: Clock;
  /** How long a caller waits for Attio. */
  readonly writeWaitMs: number;
}

/** Where writes of items come in once they are checked: stored, and waited for. */
export class ItemWriter {
  readonly #deps: ItemWriterDeps;

  constructor(deps: ItemWriterDeps) {
    this.#deps = deps;
  }

  /**
   * Durable when it resolves. Waits for Attio as the options say.
   * @returns our id of the item, and how far this write has come
   * @throws ServiceError `not_found`, `gone`; `refused` with Attio's words when it has refused; `unavailable`
   */
  async write(write: ItemAcceptance['write'], options: WriteOptions): Promise<ItemProgress> {
    const { log, outbox, clock, writeWaitMs } = this.#deps;
    const until = clock.now() + writeWaitMs;
    await outbox.makeRoom(1);
    const accepted = await log.add({ write, expected: options.wait });
    if ('refused' in accepted) throw accepted.refused;
    const { itemId, outboxId } = accepted;
    if (outboxId === null) return { itemId, isDone: false, held: 0 };
    const done = await outbox.follow(kindOf(write), outboxId, options, until);
    return { itemId, isDone: done !== null, held: done?.held ?? 0 };
  }
}

function kindOf(write: ItemAcceptance['write']): ItemKind {
  return 'create' in write ? write.create.kind : write.change.kind;
}
