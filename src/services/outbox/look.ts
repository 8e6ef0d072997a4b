import type { EntityKind } from '../../domain/entities.ts';
import type { RecordSnapshot } from '../../domain/records.ts';
import { ServiceError } from '../errors.ts';
import type { Batcher, BatcherFactory } from '../ports.ts';
import type { ApplyService } from '../sync/apply.ts';
import { askDivided } from '../sync/divide.ts';
import type { Mapping } from '../sync/mapping.ts';
import type { RecordSource, SourcePage } from '../sync/source.ts';

/** What Attio says of a record: as it is, or that there is none. */
export interface Look {
  readonly snapshot: RecordSnapshot | null;
  /** The instant that the look reflects. */
  readonly readAt: string;
}

type Answer = Look | { readonly error: ServiceError };

/**
 * Looks at records right before they are written. Looks that are asked for while one is under way share the next one,
 * so that a burst of writes costs few reads; none is answered from before it was asked for. What is seen is applied to
 * the mirror, as everything that is read from Attio.
 */
export class LookService {
  readonly #source: RecordSource;
  readonly #apply: ApplyService;
  readonly #mapping: Mapping;
  readonly #batcher: BatcherFactory;
  readonly #batchers = new Map<string, Batcher<Answer>>();

  /** @param deps.batcher makes batchers that do not wait */
  constructor(deps: {
    source: RecordSource;
    apply: ApplyService;
    mapping: Mapping;
    batcher: BatcherFactory;
  }) {
    this.#source = deps.source;
    this.#apply = deps.apply;
    this.#mapping = deps.mapping;
    this.#batcher = deps.batcher;
  }

  /** @throws ServiceError */
  async byId(kind: EntityKind, recordId: string): Promise<Look> {
    return this.#ask(kind, 'id', recordId, (ids, signal) => this.#readIds(kind, ids, signal));
  }

  /** The record that holds a key. @throws ServiceError */
  async byKey(kind: EntityKind, key: string): Promise<Look> {
    return this.#ask(kind, 'key', key, (keys, signal) => this.#readKeys(kind, keys, signal));
  }

  close(): void {
    for (const batcher of this.#batchers.values()) batcher.close();
  }

  async #ask(
    kind: EntityKind,
    by: 'id' | 'key',
    key: string,
    read: (keys: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, Answer>>,
  ): Promise<Look> {
    const name = `${kind} by ${by}`;
    const batcher =
      this.#batchers.get(name) ??
      this.#batcher<Answer>((keys, signal) =>
        askDivided(
          keys,
          (some) => read(some, signal),
          (error) => ({ error }),
        ),
      );
    this.#batchers.set(name, batcher);
    const answer = await batcher.add(key);
    if ('error' in answer) throw answer.error;
    return answer;
  }

  async #readIds(
    kind: EntityKind,
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, Answer>> {
    const page = await this.#source.byIds(kind, ids, signal);
    await this.#applyAll(kind, page);
    const found = new Map(page.snapshots.map((snapshot) => [snapshot.recordId, snapshot]));
    return answers(ids, page, (id) => found.get(id));
  }

  async #readKeys(
    kind: EntityKind,
    keys: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, Answer>> {
    const page = await this.#source.byKeys(kind, keys, signal);
    await this.#applyAll(kind, page);
    const found = new Map(
      page.snapshots.flatMap((snapshot) =>
        this.#mapping.keysIn(kind, snapshot.values).map((key) => [key, snapshot] as const),
      ),
    );
    return answers(keys, page, (key) => found.get(key));
  }

  async #applyAll(kind: EntityKind, page: SourcePage): Promise<void> {
    await this.#apply.apply(kind, page.snapshots, { touchUnchanged: false });
  }
}

function answers(
  keys: readonly string[],
  page: SourcePage,
  find: (key: string) => RecordSnapshot | undefined,
): Map<string, Answer> {
  const unreadable = page.invalidIds.length + page.unidentified > 0;
  return new Map(
    keys.map((key): [string, Answer] => {
      const snapshot = find(key) ?? null;
      // What cannot be read may be what is looked for: neither there nor gone.
      if (snapshot === null && unreadable) return [key, { error: unreadableAnswer() }];
      return [key, { snapshot, readAt: page.readAt }];
    }),
  );
}

function unreadableAnswer(): ServiceError {
  return new ServiceError('unavailable', 'the record could not be read as Attio answered it', {
    isolated: true,
    retryAfterSeconds: 30,
  });
}
