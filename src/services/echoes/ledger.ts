import type { Clock } from '../../domain/clock.ts';
import { CREATION, decideEcho, type EchoLine, type EchoTimes, type EventFacts } from '../../domain/echoes.ts';
import { isItemKind } from '../../domain/items.ts';
import type { Json } from '../../domain/json.ts';
import type { Batcher, BatcherFactory, EchoEvents, EchoStore, ItemStore, RecordStore } from '../ports.ts';
import { contentHash, type EchoThing } from './lines.ts';

/** What is to be done about an event. */
export interface Met {
  /** It tells nothing that is not mirrored: nothing is read. */
  readonly isNoNews: boolean;
  /** How long its read may wait for others of its kind. */
  readonly patienceMs: number;
  /** What a write of ours has left of what the event is about. */
  readonly line: EchoLine | null;
}

interface Known {
  /** By aspect. */
  readonly lines: ReadonlyMap<string, EchoLine>;
  readonly isPending: boolean;
  /** Any write of the kind is. */
  readonly isKindPending: boolean;
}

const STRANGER: Met = { isNoNews: false, patienceMs: 0, line: null };

/** How often it is asked, while an echo may wait, whether the write that it may be of has been settled. */
const ASKS = 4;

/**
 * Knows the webhooks of our own writes: see `domain/echoes.ts` for what follows from that, and what does not.
 *
 * What a write has left is stored in the transaction that settles it; until then, the write's own row stands for it. So
 * nothing is to be lost by a crash, and every instance on the database knows the same. Without a line an event is an
 * event like any other: it is read.
 */
export class EchoLedger {
  readonly #store: EchoStore;
  readonly #records: Pick<RecordStore, 'states'>;
  readonly #items: Pick<ItemStore, 'states'>;
  readonly #clock: Clock;
  readonly #events: EchoEvents;
  readonly #times: EchoTimes;
  readonly #asked: Batcher<Known>;
  readonly #closed = new AbortController();

  /** @param deps.batcher makes batchers that do not wait */
  constructor(deps: {
    store: EchoStore;
    records: Pick<RecordStore, 'states'>;
    items: Pick<ItemStore, 'states'>;
    batcher: BatcherFactory;
    clock: Clock;
    events: EchoEvents;
    times: EchoTimes;
  }) {
    this.#store = deps.store;
    this.#records = deps.records;
    this.#items = deps.items;
    this.#clock = deps.clock;
    this.#events = deps.events;
    this.#times = deps.times;
    this.#asked = deps.batcher((keys) => this.#ask(keys));
  }

  /** Resolves when something is to be done about the event: at once, as a rule. @throws what the store threw */
  async meet(thing: EchoThing, event: EventFacts): Promise<Met> {
    const { aspect } = event;
    if (aspect === null) return STRANGER;
    for (;;) {
      const { decision, line, now } = await this.#consider(thing, event, aspect);
      if (decision === 'gather') {
        return { isNoNews: false, patienceMs: event.receivedAt + this.#times.gatherMs - now, line };
      }
      if (decision !== 'ask-again') {
        const isNoNews = decision === 'no-news' && (await this.#isMirrored(thing));
        if (isNoNews) this.#events.echoMet(thing.kind, 'suppressed');
        return { isNoNews, patienceMs: 0, line };
      }
      await this.#clock.sleep(this.#times.gatherMs / ASKS, this.#closed.signal);
    }
  }

  async #consider(thing: EchoThing, event: EventFacts, aspect: string) {
    const { lines, isPending, isKindPending } = await this.#known(thing);
    const line = lines.get(aspect) ?? null;
    const writtenAt = line === null ? null : Date.parse(line.writtenAt);
    const own = { writtenAt, isPending: aspect === CREATION ? isKindPending : isPending };
    const now = this.#clock.now();
    return { decision: decideEcho(event, own, this.#times, now), line, now };
  }

  /**
   * Counts what an event has turned out to be, once its thing has been read.
   * @param contentNow gives what the event is about, as read; undefined when that cannot be told
   */
  async judge(
    thing: EchoThing,
    event: EventFacts,
    met: Met,
    contentNow: (aspect: string) => Promise<Json | undefined>,
  ): Promise<void> {
    const { aspect } = event;
    if (aspect === null || (met.line === null && met.patienceMs === 0)) return;
    const content = await contentNow(aspect);
    if (content === undefined) return;
    const hash = contentHash(thing, aspect, content);
    // Its write, or another one, may have been settled since.
    const line = met.line?.hash === hash ? met.line : (await this.#known(thing)).lines.get(aspect);
    if (line === undefined) return;
    const isLate = this.#clock.now() - Date.parse(line.writtenAt) > this.#times.expectedMs;
    const outcome = line.hash === hash ? 'suppressed' : 'near_miss';
    this.#events.echoMet(thing.kind, isLate ? 'expired' : outcome);
  }

  close(): void {
    this.#closed.abort(new Error('closing'));
    this.#asked.close();
  }

  #known({ kind, attioId }: EchoThing): Promise<Known> {
    return this.#asked.add(`${kind}/${attioId}`);
  }

  async #ask(keys: readonly string[]): Promise<Map<string, Known>> {
    const found = new Map<string, Known>();
    for (const [kind, ofKind] of Map.groupBy(keys, kindIn)) {
      const idIn = (key: string) => key.slice(kind.length + 1);
      const ids = ofKind.map(idIn);
      const isKindPending = await this.#store.isPending(kind);
      const pending = isKindPending ? await this.#store.pendingAmong(kind, ids) : new Set();
      const lines = Map.groupBy(await this.#store.of(kind, ids), (line) => line.attioId);
      for (const key of ofKind) {
        const own = lines.get(idIn(key)) ?? [];
        found.set(key, {
          lines: new Map(own.map((line) => [line.aspect, line])),
          isPending: pending.has(idIn(key)),
          isKindPending,
        });
      }
    }
    return found;
  }

  async #isMirrored({ kind, attioId }: EchoThing): Promise<boolean> {
    const state = isItemKind(kind)
      ? (await this.#items.states(kind, [attioId])).get(attioId)
      : (await this.#records.states(kind, [attioId])).get(attioId);
    return state !== undefined && state.deletedAt === null;
  }
}

function kindIn(key: string): string {
  return key.slice(0, key.lastIndexOf('/'));
}
