import type { Clock } from '../../domain/clock.ts';
import { ServiceError } from '../errors.ts';
import type { Batcher, BatcherFactory, SyncRunStore } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import type { ApplyService } from './apply.ts';
import { askDivided } from './divide.ts';
import type { Absence, GoneService } from './gone.ts';
import type { RecordSource } from './source.ts';

/** What a read said about one record. An absence bears the instant of the read. */
type Look = { readonly present: true } | { readonly present: false; readonly readAt: string };
type Answer = Look | { readonly unreadable: string };

export interface Hint {
  readonly objectId: string;
  readonly recordId: string;
  /** What the event makes us expect. */
  readonly expect: 'present' | 'gone';
}

/** Neither there nor gone. */
const UNREADABLE = { unreadable: 'its record could not be read as Attio answered it' };

/** How long Attio is given to agree with its own event before we believe what we read. */
const SECOND_LOOK_MS = 2_000;

/**
 * Turns hints into reads, and reads into the mirror.
 *
 * Hints are collected per object: the first is read at once, then at most one read per object and second while
 * more come, many records to a read. A read that disagrees with its hint (Attio still shows what was deleted, or
 * does not show yet what was created) is repeated once a little later; then it is believed.
 */
export class RefreshService {
  readonly #objects: ReadonlySet<string>;
  readonly #source: RecordSource;
  readonly #schema: Pick<SchemaService, 'slugOf'>;
  readonly #apply: ApplyService;
  readonly #gone: GoneService;
  readonly #runs: Pick<SyncRunStore, 'runningFor'>;
  readonly #batcher: BatcherFactory;
  readonly #clock: Clock;
  readonly #batchers = new Map<string, Batcher<Answer>>();
  readonly #closed = new AbortController();

  constructor(deps: {
    objects: readonly string[];
    source: RecordSource;
    schema: Pick<SchemaService, 'slugOf'>;
    apply: ApplyService;
    gone: GoneService;
    runs: Pick<SyncRunStore, 'runningFor'>;
    batcher: BatcherFactory;
    clock: Clock;
  }) {
    this.#objects = new Set(deps.objects);
    this.#source = deps.source;
    this.#schema = deps.schema;
    this.#apply = deps.apply;
    this.#gone = deps.gone;
    this.#runs = deps.runs;
    this.#batcher = deps.batcher;
    this.#clock = deps.clock;
  }

  /**
   * Resolves when what Attio says about the record is committed.
   * @returns `ignored` when its object is not mirrored
   * @throws ServiceError `unavailable` during an outage; what the read or the write threw otherwise
   */
  async refresh(hint: Hint): Promise<'done' | 'ignored'> {
    const object = await this.#mirrored(hint.objectId);
    if (object === null) return 'ignored';
    const seen = await this.#look(object, hint.recordId, hint.expect);
    if (!seen.present) {
      const fate = { kind: hint.expect === 'gone' ? 'deleted' : 'look' } as const;
      await this.#gone.settle(object, [{ recordId: hint.recordId, readAt: seen.readAt, fate }]);
    }
    return 'done';
  }

  /** The same for a record of a mirrored object, when there is no event. */
  async lookAgain(object: string, recordId: string): Promise<void> {
    const seen = await this.#lookOnce(object, recordId);
    if (seen.present) return;
    await this.#gone.settle(object, [{ recordId, readAt: seen.readAt, fate: { kind: 'look' } }]);
  }

  /** A merge: one record lives, the other is dead. The one that lives may be an original or new. */
  async refreshMerged(merge: {
    objectId: string;
    survivorId: string;
    duplicateId: string;
  }): Promise<'done' | 'ignored'> {
    const object = await this.#mirrored(merge.objectId);
    if (object === null) return 'ignored';
    const [, duplicate] = await Promise.all([
      this.#look(object, merge.survivorId, 'present'),
      this.#look(object, merge.duplicateId, 'gone'),
    ]);
    if (!duplicate.present) {
      const { duplicateId: recordId, survivorId } = merge;
      const absence: Absence = { recordId, readAt: duplicate.readAt, fate: { kind: 'merged', survivorId } };
      await this.#gone.settle(object, [absence]);
    }
    return 'done';
  }

  close(): void {
    this.#closed.abort(new Error('closing'));
    for (const batcher of this.#batchers.values()) batcher.close();
  }

  async #mirrored(objectId: string): Promise<string | null> {
    const slug = await this.#schema.slugOf(objectId);
    return slug !== null && this.#objects.has(slug) ? slug : null;
  }

  async #look(object: string, recordId: string, expect: Hint['expect']): Promise<Look> {
    const first = await this.#lookOnce(object, recordId);
    if (first.present === (expect === 'present')) return first;
    await this.#clock.sleep(SECOND_LOOK_MS, this.#closed.signal);
    return this.#lookOnce(object, recordId);
  }

  async #lookOnce(object: string, recordId: string): Promise<Look> {
    const answer = await this.#batcherOf(object).add(recordId);
    if ('unreadable' in answer) throw new ServiceError('refused', answer.unreadable);
    return answer;
  }

  #batcherOf(object: string): Batcher<Answer> {
    const known = this.#batchers.get(object);
    if (known !== undefined) return known;
    const created = this.#batcher<Answer>((recordIds, signal) =>
      askDivided(
        recordIds,
        (some) => this.#readTogether(object, some, signal),
        (error) => ({ unreadable: error.message }),
      ),
    );
    this.#batchers.set(object, created);
    return created;
  }

  async #readTogether(
    object: string,
    recordIds: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, Answer>> {
    const page = await this.#source.byIds(object, recordIds, signal);
    // A full sync may hold an older answer for the same records: then the later instant must be on record.
    const touchUnchanged = (await this.#runs.runningFor(object)) !== undefined;
    await this.#apply.apply(object, page.snapshots, { touchUnchanged });
    const answers = new Map<string, Answer>(
      recordIds.map((id) => [
        id,
        page.unidentified > 0 ? UNREADABLE : { present: false, readAt: page.readAt },
      ]),
    );
    for (const { recordId } of page.snapshots) answers.set(recordId, { present: true });
    for (const id of page.invalidIds) answers.set(id, UNREADABLE);
    return answers;
  }
}
