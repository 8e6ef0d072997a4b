import { hash } from 'node:crypto';
import type { NewChange } from '../../domain/changes.ts';
import type { Clock } from '../../domain/clock.ts';
import { decideSnapshot, type SnapshotDecision } from '../../domain/decide.ts';
import type { EntityKind } from '../../domain/entities.ts';
import { sameJson } from '../../domain/json.ts';
import type { MirroredRecord, RecordSnapshot, WrittenRecord } from '../../domain/records.ts';
import type { Stores, SyncEvents, UnitOfWork } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import { entityKindOf, type Mapping } from './mapping.ts';
import type { PlainOf } from './project.ts';
import { type Naming, putThings, rivalsOf } from './put-things.ts';
import type { Repairs } from './repairs.ts';
import { tellRecord } from './telling.ts';

export interface ApplyCounts {
  readonly created: number;
  readonly updated: number;
  /** Includes answers that were older than what is mirrored, and what was removed here. */
  readonly unchanged: number;
  readonly stale: number;
}

export interface ApplyOptions {
  /**
   * Note the later instant on unchanged records too. Needed while another read of the same object may still be
   * on its way with an older answer; costs a write.
   */
  readonly touchUnchanged: boolean;
  /** All else will be read too: that two records seem to hold one key is not looked into. @default false */
  readonly isPartOfPass?: boolean;
  /** `local`: what is applied is the answer to a write of ours. @default 'attio' */
  readonly source?: NewChange['source'];
  /** Runs first in the same transaction. */
  readonly before?: (stores: Stores) => Promise<void>;
  /** Runs in the same transaction, with what was applied. */
  readonly within?: (stores: Stores, counts: ApplyCounts) => Promise<void>;
}

interface Hashed extends RecordSnapshot {
  readonly hash: string;
  /** What is hashed, and stored. */
  readonly valuesText: string;
}

interface Decided {
  readonly snapshot: Hashed;
  readonly decision: SnapshotDecision;
  /** Nothing has changed but the form of the hash, which was another one in earlier versions. */
  readonly isRehashed?: boolean;
}

type Mirrored = ReadonlyMap<string, MirroredRecord>;

/**
 * The one place where a read of Attio changes the mirror: webhook hints, full syncs and looks-again all end here.
 * Record, thing and change row are written in one transaction, or none of them is.
 */
export class ApplyService {
  readonly #store: UnitOfWork;
  readonly #naming: Naming;
  readonly #repairs: Pick<Repairs, 'afterRead' | 'ofUnchanged'>;
  readonly #schema: Pick<SchemaService, 'plainValues'>;
  readonly #clock: Clock;
  readonly #events: SyncEvents;
  readonly #onCommitted: (object: string, recordIds: readonly string[]) => void;
  readonly #onRivals: (object: string, recordIds: readonly string[]) => void;

  /**
   * @param deps.onCommitted called with the records that changed, after the commit: caches forget, followers wake
   * @param deps.onRivals called with other records that seem to hold a key which was just read of one: a key is unique in
   *   Attio, so it has moved, or they were merged, and we have not heard of it
   */
  constructor(deps: {
    store: UnitOfWork;
    mapping: Mapping;
    schema: Pick<SchemaService, 'plainValues' | 'knownAttributes'>;
    repairs: Pick<Repairs, 'afterRead' | 'ofUnchanged'>;
    clock: Clock;
    events: SyncEvents;
    newId: () => string;
    onCommitted: (object: string, recordIds: readonly string[]) => void;
    onRivals: (object: string, recordIds: readonly string[]) => void;
  }) {
    this.#store = deps.store;
    const { mapping, schema, newId } = deps;
    this.#naming = { mapping, newId, attributesOf: (kind) => schema.knownAttributes(kind) };
    this.#repairs = deps.repairs;
    this.#schema = deps.schema;
    this.#clock = deps.clock;
    this.#events = deps.events;
    this.#onCommitted = deps.onCommitted;
    this.#onRivals = deps.onRivals;
  }

  async apply(
    object: string,
    snapshots: readonly RecordSnapshot[],
    options: ApplyOptions,
  ): Promise<ApplyCounts> {
    const plainOf = await this.#schema.plainValues(object);
    let rivals: readonly string[] = [];
    const decided = await this.#store.transaction(async (stores) => {
      await options.before?.(stores);
      // Parts of a read are handed over together, and each has its turn: hashes of all at once would hold others up.
      const { rows, before } = await decideAll(stores, object, hashLatest(snapshots));
      await this.#write(stores, object, rows.filter(isWritten), before, plainOf, options.source ?? 'attio');
      await stores.records.upsert(rows.filter((row) => row.isRehashed === true).map(asMirrored));
      const unchanged = rows.filter((row) => row.decision === 'unchanged').map(({ snapshot }) => snapshot);
      if (options.touchUnchanged) await touch(stores, object, unchanged);
      if (options.isPartOfPass === true)
        await this.#repairs.ofUnchanged(stores, object, unchanged, this.#now());
      await options.within?.(stores, count(rows));
      rivals = options.isPartOfPass === true ? [] : await this.#rivals(stores, object, rows);
      return rows;
    });
    this.#report(object, decided);
    if (rivals.length > 0) this.#onRivals(object, rivals);
    return count(decided);
  }

  /**
   * Makes things of the records that were mirrored before there were things of this kind. Tells nobody: followers know
   * them by the same ids.
   * @throws ServiceError `unavailable` while the schema cannot be had
   */
  async adopt(kind: EntityKind, signal: AbortSignal): Promise<void> {
    // Once, as a rule: then there is nothing to ask the schema for.
    if ((await this.#store.entities.unadopted(kind, 1)).length === 0) return;
    const plainOf = await this.#schema.plainValues(kind);
    for (let adopted = ADOPTED_AT_ONCE; adopted === ADOPTED_AT_ONCE && !signal.aborted; ) {
      adopted = await this.#store.transaction(async (stores) => {
        const records = await stores.records.load(
          kind,
          await stores.entities.unadopted(kind, ADOPTED_AT_ONCE),
        );
        const things = [...records.values()].map((snapshot) => ({
          snapshot,
          plain: plainOf(snapshot.values),
        }));
        await putThings(stores, this.#naming, kind, things, this.#now());
        return things.length;
      });
    }
  }

  async #write(
    stores: Stores,
    object: string,
    decided: readonly Decided[],
    before: Mirrored,
    plainOf: PlainOf,
    source: NewChange['source'],
  ): Promise<void> {
    if (decided.length === 0) return;
    const at = this.#now();
    const things = decided.map(({ snapshot }) => ({ snapshot, plain: plainOf(snapshot.values) }));
    await stores.records.upsert(decided.map(asMirrored));
    const kind = entityKindOf(object);
    const put = kind === null ? null : await putThings(stores, this.#naming, kind, things, at);
    await stores.changes.append(
      things.map(({ snapshot, plain }, index): NewChange => {
        const previous = decided[index]?.decision === 'updated' ? before.get(snapshot.recordId) : undefined;
        const entity = put?.get(snapshot.recordId);
        const told = tellRecord(snapshot, plain, previous, entity?.id ?? snapshot.recordId, at);
        const ours = source === 'local' || (entity?.explains(told.changed) ?? false);
        return ours ? { ...told, source: 'local' } : told;
      }),
    );
    const read = decided.map(({ snapshot }) => snapshot);
    if (source === 'attio') await this.#repairs.afterRead(stores, object, read, before, at);
  }

  async #rivals(stores: Stores, object: string, decided: readonly Decided[]): Promise<string[]> {
    const kind = entityKindOf(object);
    const written = decided.filter(isWritten).map(({ snapshot }) => snapshot);
    return kind === null ? [] : rivalsOf(stores, this.#naming.mapping, kind, written);
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString();
  }

  #report(object: string, decided: readonly Decided[]): void {
    const counts = count(decided);
    this.#events.recordsSettled(object, 'created', counts.created);
    this.#events.recordsSettled(object, 'updated', counts.updated);
    this.#events.recordsSettled(object, 'unchanged', counts.unchanged - counts.stale);
    this.#events.recordsSettled(object, 'stale', counts.stale);
    const changed = decided.filter(isWritten).map((row) => row.snapshot.recordId);
    if (changed.length > 0) this.#onCommitted(object, changed);
  }
}

const ADOPTED_AT_ONCE = 200;

/** A record may stand twice in overlapping pages: the later read counts. */
function hashLatest(snapshots: readonly RecordSnapshot[]): Map<string, Hashed> {
  const latest = new Map<string, RecordSnapshot>();
  for (const snapshot of snapshots) {
    const other = latest.get(snapshot.recordId);
    if (other === undefined || other.readAt <= snapshot.readAt) latest.set(snapshot.recordId, snapshot);
  }
  return new Map([...latest].map(([id, snapshot]) => [id, withHash(snapshot)]));
}

function withHash(snapshot: RecordSnapshot): Hashed {
  const valuesText = JSON.stringify(snapshot.values);
  return {
    ...snapshot,
    valuesText,
    hash: hash('sha256', `${snapshot.webUrl ?? ''}\n${valuesText}`, 'base64url'),
  };
}

/**
 * The hash is of a text, which is made far sooner than one whose members are sorted. Attio promises no order of them, so
 * what differs by its hash is compared by its values.
 */
async function decideAll(
  stores: Stores,
  object: string,
  hashed: ReadonlyMap<string, Hashed>,
): Promise<{ rows: readonly Decided[]; before: Mirrored }> {
  const states = await stores.records.states(object, [...hashed.keys()]);
  const rows = [...hashed.values()].map((snapshot): Decided => {
    return { snapshot, decision: decideSnapshot(states.get(snapshot.recordId), snapshot) };
  });
  const differing = rows.flatMap((row) => (row.decision === 'updated' ? [row.snapshot.recordId] : []));
  const before = await stores.records.load(object, differing);
  return { rows: rows.map((row) => unlessSame(row, before.get(row.snapshot.recordId))), before };
}

function unlessSame(row: Decided, before: MirroredRecord | undefined): Decided {
  const { snapshot } = row;
  const isSame =
    before !== undefined && before.webUrl === snapshot.webUrl && sameJson(before.values, snapshot.values);
  if (!isSame) return row;
  const isRehashed = before.hash.length !== snapshot.hash.length;
  return { snapshot, decision: 'unchanged', isRehashed };
}

function asMirrored({ snapshot }: Decided): WrittenRecord {
  return { ...snapshot, deletedAt: null, mergedInto: null, hidden: false };
}

function isWritten(row: Decided): boolean {
  return row.decision === 'created' || row.decision === 'updated' || row.decision === 'restored';
}

async function touch(stores: Stores, object: string, unchanged: readonly RecordSnapshot[]): Promise<void> {
  for (const [readAt, rows] of Map.groupBy(unchanged, (row) => row.readAt)) {
    const ids = rows.map(({ recordId }) => recordId);
    await stores.records.touch(object, ids, readAt);
  }
}

function count(decided: readonly Decided[]): ApplyCounts {
  const written = decided.filter(isWritten);
  const updated = written.filter((row) => row.decision === 'updated').length;
  return {
    created: written.length - updated,
    updated,
    unchanged: decided.length - written.length,
    stale: decided.filter((row) => row.decision === 'stale').length,
  };
}
