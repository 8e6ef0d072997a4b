import type { Clock } from '../../domain/clock.ts';
import { type EventFacts, MEMBERS } from '../../domain/echoes.ts';
import type { ItemKind, ItemScope, ItemSnapshot } from '../../domain/items.ts';
import type { Json } from '../../domain/json.ts';
import type { RecordValues } from '../../domain/records.ts';
import type { EchoLedger } from '../echoes/ledger.ts';
import { contentOf, membersOf } from '../echoes/lines.ts';
import type { ListsService } from '../lists.ts';
import type { BatcherFactory, ItemStore, SyncRunStore } from '../ports.ts';
import { type Expectation, Looks } from '../sync/looks.ts';
import { listRun } from '../sync/target.ts';
import type { ItemApply } from './apply.ts';
import type { ItemGone } from './gone.ts';
import type { ItemSource } from './source.ts';

const COMMENTS: ItemScope = { kind: 'comments', listId: null };

/** Comments of one thread that are looked at again together. */
const MAX_OF_THREAD = 1_000;

/** Turns hints about entries, notes, tasks and comments into reads (see `Looks`), and reads into the mirror. */
export class ItemRefresh {
  readonly #gone: ItemGone;
  readonly #items: Pick<ItemStore, 'find' | 'list'>;
  readonly #lists: Pick<ListsService, 'byId' | 'attributesOf'>;
  readonly #runs: Pick<SyncRunStore, 'runningFor'>;
  readonly #echoes: Pick<EchoLedger, 'meet' | 'judge'>;
  readonly #looks: Looks<ItemScope, ItemSnapshot>;

  constructor(deps: {
    source: Pick<ItemSource, 'byIds'>;
    apply: ItemApply;
    gone: ItemGone;
    items: Pick<ItemStore, 'find' | 'list'>;
    lists: Pick<ListsService, 'byId' | 'attributesOf'>;
    echoes: Pick<EchoLedger, 'meet' | 'judge'>;
    runs: Pick<SyncRunStore, 'runningFor'>;
    batcher: BatcherFactory;
    clock: Clock;
  }) {
    this.#gone = deps.gone;
    this.#items = deps.items;
    this.#lists = deps.lists;
    this.#runs = deps.runs;
    this.#echoes = deps.echoes;
    const { source, apply, batcher, clock } = deps;
    this.#looks = new Looks({
      keyOf: ({ kind, listId }) => `${kind}/${listId ?? ''}`,
      read: async (scope, attioIds, signal) => {
        const { snapshots, ...page } = await source.byIds(scope, attioIds, signal);
        await apply.apply(scope.kind, snapshots, { touchUnchanged: await this.#isReadElsewhere(scope) });
        return { ...page, present: new Map(snapshots.map((snapshot) => [snapshot.attioId, snapshot])) };
      },
      batcher,
      clock,
    });
  }

  /**
   * Resolves when what Attio says about the item is committed.
   * @throws ServiceError `unavailable` during an outage; what the read or the write threw otherwise
   */
  async refresh(
    scope: ItemScope,
    attioId: string,
    { expect, event }: { readonly expect: Expectation; readonly event: EventFacts },
  ): Promise<void> {
    const thing = { kind: scope.kind, attioId };
    const met = await this.#echoes.meet(thing, event);
    if (met.isNoNews) return;
    const look = await this.#looks.look(scope, attioId, expect, met.patienceMs);
    if (look.present) {
      await this.#echoes.judge(thing, event, met, (aspect) => this.#contentOf(look.seen, aspect));
    } else {
      await this.#gone.settle(scope.kind, [{ attioId, readAt: look.readAt, isTold: expect === 'gone' }]);
    }
  }

  /** The same when there is no event. */
  async lookAgain(scope: ItemScope, attioId: string): Promise<void> {
    const look = await this.#looks.once(scope, attioId);
    if (!look.present) await this.#gone.settle(scope.kind, [{ attioId, readAt: look.readAt }]);
  }

  /**
   * A comment, and those of its thread that are held: resolving changes them all, and the first takes them along.
   * @param threadId as an event names it, if it does
   */
  async refreshThread(
    commentId: string,
    threadId: string | null,
    told: { readonly expect: Expectation; readonly event: EventFacts },
  ): Promise<void> {
    const known = threadId ?? (await this.#items.find('comments', commentId))?.threadId ?? null;
    await this.refresh(COMMENTS, commentId, told);
    if (known === null) return;
    const ofThread = await this.#items.list('comments', { threadId: known }, '', MAX_OF_THREAD);
    const others = ofThread.flatMap(({ attioId }) => (attioId === null ? [] : [attioId]));
    await Promise.all(others.filter((id) => id !== commentId).map((id) => this.lookAgain(COMMENTS, id)));
  }

  /** Whether the mirror holds one of that id. */
  async holds(kind: ItemKind, attioId: string): Promise<boolean> {
    return (await this.#items.find(kind, attioId)) !== undefined;
  }

  close(): void {
    this.#looks.close();
  }

  async #contentOf({ kind, listId, links, body }: ItemSnapshot, aspect: string): Promise<Json | undefined> {
    if (kind !== 'entries') return aspect === MEMBERS ? membersOf({ links, body }) : undefined;
    // The body of an entry is its values.
    return contentOf(await this.#lists.attributesOf(listId ?? ''), body as RecordValues, aspect);
  }

  /** Another read may hold an older answer for the same items: then the later instant must be on record. */
  async #isReadElsewhere({ kind, listId }: ItemScope): Promise<boolean> {
    if (kind === 'comments') return true;
    if (kind !== 'entries') return (await this.#runs.runningFor(kind)) !== undefined;
    const list = listId === null ? null : await this.#lists.byId(listId);
    return list !== null && (await this.#runs.runningFor(listRun(list.slug))) !== undefined;
  }
}
