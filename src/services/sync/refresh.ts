import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../domain/clock.ts';
import type { EventFacts } from '../../domain/echoes.ts';
import type { RecordSnapshot } from '../../domain/records.ts';
import type { EchoLedger } from '../echoes/ledger.ts';
import { contentOf } from '../echoes/lines.ts';
import type { BatcherFactory, SyncRunStore } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import type { ApplyService } from './apply.ts';
import type { Absence, GoneService } from './gone.ts';
import { type Expectation, Looks } from './looks.ts';
import type { RecordSource } from './source.ts';

export interface Hint {
  readonly objectId: string;
  readonly recordId: string;
  readonly expect: Expectation;
  /** What the event says that the hint is of. */
  readonly event: EventFacts;
}

/** Turns hints into reads (see `Looks`), and reads into the mirror. */
export class RefreshService {
  readonly #objects: ReadonlySet<string>;
  readonly #schema: Pick<SchemaService, 'slugOf' | 'attributesOf'>;
  readonly #gone: GoneService;
  readonly #echoes: Pick<EchoLedger, 'meet' | 'judge'>;
  readonly #lookForKeys: (object: string, keys: readonly string[]) => Promise<void>;
  /** By object slug. */
  readonly #looks: Looks<string, RecordSnapshot>;

  /**
   * @param deps.lookForKeys reads the records that hold keys into the mirror
   * @param deps.storedAtOnce records to a transaction
   */
  constructor(deps: {
    objects: readonly string[];
    source: RecordSource;
    schema: Pick<SchemaService, 'slugOf' | 'attributesOf'>;
    apply: ApplyService;
    gone: GoneService;
    echoes: Pick<EchoLedger, 'meet' | 'judge'>;
    lookForKeys: (object: string, keys: readonly string[]) => Promise<void>;
    runs: Pick<SyncRunStore, 'runningFor'>;
    batcher: BatcherFactory;
    clock: Clock;
    storedAtOnce: number;
  }) {
    this.#objects = new Set(deps.objects);
    this.#schema = deps.schema;
    this.#gone = deps.gone;
    this.#echoes = deps.echoes;
    this.#lookForKeys = deps.lookForKeys;
    const { source, apply, runs, batcher, clock, storedAtOnce } = deps;
    this.#looks = new Looks({
      keyOf: (object) => object,
      async read(object, recordIds, signal) {
        const { snapshots, ...page } = await source.byIds(object, recordIds, signal);
        // Reading them took a while: others have a turn.
        await turn();
        // A full sync may hold an older answer for the same records: then the later instant must be on record.
        const touchUnchanged = (await runs.runningFor(object)) !== undefined;
        // Few to a transaction: whoever else writes, a delivery above all, need not wait for all of them.
        const parts = Array.from({ length: Math.ceil(snapshots.length / storedAtOnce) }, (_, index) =>
          snapshots.slice(index * storedAtOnce, (index + 1) * storedAtOnce),
        );
        await Promise.all(parts.map((part) => apply.apply(object, part, { touchUnchanged })));
        return { ...page, present: new Map(snapshots.map((snapshot) => [snapshot.recordId, snapshot])) };
      },
      batcher,
      clock,
    });
  }

  /**
   * Resolves when what Attio says about the record is committed.
   * @returns `ignored` when its object is not mirrored
   * @throws ServiceError `unavailable` during an outage; what the read or the write threw otherwise
   */
  async refresh(hint: Hint): Promise<'done' | 'ignored'> {
    const object = await this.#mirrored(hint.objectId);
    if (object === null) return 'ignored';
    const { recordId, expect, event } = hint;
    const thing = { kind: object, attioId: recordId };
    const met = await this.#echoes.meet(thing, event);
    if (met.isNoNews) return 'done';
    const look = await this.#looks.look(object, recordId, expect, met.patienceMs);
    if (look.present) {
      const { values } = look.seen;
      await this.#echoes.judge(thing, event, met, async (aspect) =>
        contentOf(await this.#schema.attributesOf(object), values, aspect),
      );
    } else if (expect === 'present') await this.#missing(object, recordId, look.readAt);
    else {
      const fate = { kind: 'deleted' } as const;
      await this.#gone.settle(object, [{ recordId, readAt: look.readAt, fate }]);
    }
    return 'done';
  }

  /** The same for a record of a mirrored object, when there is no event. */
  async lookAgain(object: string, recordId: string): Promise<void> {
    const seen = await this.#looks.once(object, recordId);
    if (!seen.present) await this.#missing(object, recordId, seen.readAt);
  }

  /** Nobody has said what became of it: a survivor of a merge holds its keys, and may be new to us. */
  async #missing(object: string, recordId: string, readAt: string): Promise<void> {
    await this.#lookForKeys(object, await this.#gone.keysOf(object, recordId));
    await this.#gone.settle(object, [{ recordId, readAt, fate: { kind: 'look' } }]);
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
      this.#looks.look(object, merge.survivorId, 'present'),
      this.#looks.look(object, merge.duplicateId, 'gone'),
    ]);
    if (!duplicate.present) {
      const { duplicateId: recordId, survivorId } = merge;
      const absence: Absence = { recordId, readAt: duplicate.readAt, fate: { kind: 'merged', survivorId } };
      await this.#gone.settle(object, [absence]);
    }
    return 'done';
  }

  close(): void {
    this.#looks.close();
  }

  async #mirrored(objectId: string): Promise<string | null> {
    const slug = await this.#schema.slugOf(objectId);
    return slug !== null && this.#objects.has(slug) ? slug : null;
  }
}
