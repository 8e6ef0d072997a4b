import type { Clock } from '../../domain/clock.ts';
import type { ItemKind } from '../../domain/items.ts';
import type { WriteOptions } from '../inputs.ts';
import type { OutboxWriter } from '../outbox/writer.ts';
import type { ItemAcceptance, ItemAccepted } from './intake.ts';

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
   * @returns our id of the item. `isDone`: this write is in Attio
   * @throws ServiceError `not_found`, `gone`; `refused` with Attio's words when it has refused; `unavailable`
   */
  async write(
    write: ItemAcceptance['write'],
    options: WriteOptions,
  ): Promise<{ readonly itemId: string; readonly isDone: boolean }> {
    const { log, outbox, clock, writeWaitMs } = this.#deps;
    const until = clock.now() + writeWaitMs;
    await outbox.makeRoom(1);
    const accepted = await log.add({ write, expected: options.wait });
    if ('refused' in accepted) throw accepted.refused;
    const { itemId, outboxId } = accepted;
    if (outboxId === null) return { itemId, isDone: false };
    const doneFor = await outbox.follow(kindOf(write), outboxId, options, until);
    return { itemId, isDone: doneFor !== null };
  }
}

function kindOf(write: ItemAcceptance['write']): ItemKind {
  return 'create' in write ? write.create.kind : write.change.kind;
}
