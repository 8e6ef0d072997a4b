import type { Clock } from '../../domain/clock.ts';
import { ServiceError } from '../errors.ts';
import type { Batcher, BatcherFactory } from '../ports.ts';
import { askDivided } from './divide.ts';

/** What a read said about one thing: as it was seen, or the instant of the read that did not see it. */
export type Look<T> =
  | { readonly present: true; readonly seen: T }
  | { readonly present: false; readonly readAt: string };
type Answer<T> = Look<T> | { readonly unreadable: string };

/** What one read showed, once it is in the mirror. */
export interface ReadTogether<T> {
  /** By id. */
  readonly present: ReadonlyMap<string, T>;
  /** Those in the answer that could not be read. */
  readonly invalidIds: readonly string[];
  /** How many in the answer could not even be told by their ids. */
  readonly unidentified: number;
  readonly readAt: string;
}

/** What an event makes us expect. */
export type Expectation = 'present' | 'gone';

/** Neither there nor gone. */
const UNREADABLE = { unreadable: 'its record could not be read as Attio answered it' };

/** How long Attio is given to agree with its own event before we believe what we read. */
const SECOND_LOOK_MS = 2_000;

/**
 * Looks for things by their ids, many to a read.
 *
 * Looks are collected per scope: the first is read at once, then at most one read per scope and second while more come. A
 * look that disagrees with what is expected is repeated once a little later; then it is believed.
 */
export class Looks<S, T> {
  readonly #keyOf: (scope: S) => string;
  readonly #read: (scope: S, ids: readonly string[], signal: AbortSignal) => Promise<ReadTogether<T>>;
  readonly #batcher: BatcherFactory;
  readonly #clock: Clock;
  readonly #batchers = new Map<string, Batcher<Answer<T>>>();
  readonly #closed = new AbortController();

  /** @param deps.read reads, and brings what it reads into the mirror */
  constructor(deps: {
    keyOf: (scope: S) => string;
    read: (scope: S, ids: readonly string[], signal: AbortSignal) => Promise<ReadTogether<T>>;
    batcher: BatcherFactory;
    clock: Clock;
  }) {
    this.#keyOf = deps.keyOf;
    this.#read = deps.read;
    this.#batcher = deps.batcher;
    this.#clock = deps.clock;
  }

  /**
   * @param patienceMs how long it may wait for others who look for the same
   * @throws ServiceError `refused` when Attio's answer cannot be read; what the read or the write threw otherwise
   */
  async look(scope: S, id: string, expect: Expectation, patienceMs = 0): Promise<Look<T>> {
    const first = await this.once(scope, id, patienceMs);
    if (first.present === (expect === 'present')) return first;
    await this.#clock.sleep(SECOND_LOOK_MS, this.#closed.signal);
    return this.once(scope, id);
  }

  /** The same without an expectation. */
  async once(scope: S, id: string, patienceMs = 0): Promise<Look<T>> {
    const answer = await this.#batcherOf(scope).add(id, patienceMs);
    if ('unreadable' in answer) throw new ServiceError('refused', answer.unreadable);
    return answer;
  }

  close(): void {
    this.#closed.abort(new Error('closing'));
    for (const batcher of this.#batchers.values()) batcher.close();
  }

  #batcherOf(scope: S): Batcher<Answer<T>> {
    const key = this.#keyOf(scope);
    const known = this.#batchers.get(key);
    if (known !== undefined) return known;
    const created = this.#batcher<Answer<T>>((ids, signal) =>
      askDivided(
        ids,
        (some) => this.#readTogether(scope, some, signal),
        (error) => ({ unreadable: error.message }),
      ),
    );
    this.#batchers.set(key, created);
    return created;
  }

  async #readTogether(
    scope: S,
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, Answer<T>>> {
    const read = await this.#read(scope, ids, signal);
    const absent: Answer<T> = read.unidentified > 0 ? UNREADABLE : { present: false, readAt: read.readAt };
    const answers = new Map<string, Answer<T>>(ids.map((id) => [id, absent]));
    for (const [id, seen] of read.present) answers.set(id, { present: true, seen });
    for (const id of read.invalidIds) answers.set(id, UNREADABLE);
    return answers;
  }
}
